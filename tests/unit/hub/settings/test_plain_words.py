"""Mistakes in a site's file are told in words of the file, at a place that its owner wrote."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hub.settings.loader import read
from hub.settings.places import SettingsError

WriteSite = Callable[[str], Path]


def test_what_an_empty_site_lacks_is_missing_in_its_own_file(write_site: WriteSite) -> None:
    _, found = read(write_site("partners: {}\nconnections: {}\n"))
    assert [(each.code, each.where) for each in found] == [("option_missing", "site.yaml:1")]
    assert "control_points.reference is required" in found[0].detail


@pytest.mark.parametrize("line", ["acme: {name: ${NOPE}, currency: USD}", "acme: [${NOPE}, b]"])
def test_a_variable_within_braces_needs_quotes_and_that_is_said(
    write_site: WriteSite, line: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        read(write_site(f"partners:\n  {line}\n"))
    assert "${NAME} stands in quotes" in str(refused.value)


def test_other_mistakes_of_syntax_do_not_speak_of_variables(write_site: WriteSite) -> None:
    with pytest.raises(SettingsError) as refused:
        read(write_site('partners:\n  acme: {name: "${NOPE}", b: c}}\n'))
    assert "quotes" not in str(refused.value)


AS2 = """
control_points: {reference: one}
partners: {acme: {name: Acme}}
connections:
  one:
    system: x12
    partner: acme
    options: {our_id: US, partner_id: ACME}
    transport: {kind: as2, our_id: US, partner_id: "é", our_keys: [], partner_certificates: []}
"""


def test_no_regular_expression_and_no_word_of_pydantic_is_shown(write_site: WriteSite) -> None:
    _, found = read(write_site(AS2))
    told = " ".join(each.detail for each in found)
    assert "partner_id: not of the form that is expected" in told
    for word in ("pattern", "[!-~]", "Tuple", "validation", "input"):
        assert word not in told
