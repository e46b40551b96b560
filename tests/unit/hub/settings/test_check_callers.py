"""A token names one caller and cannot be guessed, or the site is refused with the place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hub.settings.check_callers import check_callers
from hub.settings.loader import load

WriteSite = Callable[[str], Path]
SITE = """
control_points: { reference: bc }
partners: {}
connections: {}
api_tokens:
  viewer: env:VIEWER_TOKEN
  ops: env:OPS_TOKEN
api_roles: { ops: operator }
"""
LONG = "0123456789abcdef"


def found(write_site: WriteSite, text: str = SITE) -> list[tuple[str, str]]:
    return [(each.code, each.where) for each in check_callers(load(write_site(text)))]


@pytest.mark.parametrize(
    ("viewer", "ops", "problems"),
    [
        (LONG, LONG + "0", []),
        (LONG, LONG, [("token_shared", "site.yaml:7")]),
        (LONG, LONG[1:], [("token_short", "site.yaml:7")]),
        ("x", LONG, [("token_short", "site.yaml:6")]),
        ("", "", []),
    ],
)
def test_tokens_are_each_their_callers_own_and_long(
    write_site: WriteSite,
    monkeypatch: pytest.MonkeyPatch,
    viewer: str,
    ops: str,
    problems: list[tuple[str, str]],
) -> None:
    monkeypatch.setenv("VIEWER_TOKEN", viewer)
    monkeypatch.setenv("OPS_TOKEN", ops)
    assert found(write_site) == problems


def test_one_reference_for_two_is_seen_where_no_secret_is_set(write_site: WriteSite) -> None:
    text = SITE.replace("VIEWER_TOKEN", "NOT_SET_HERE").replace("OPS_TOKEN", "NOT_SET_HERE")
    assert found(write_site, text) == [("token_shared", "site.yaml:7")]


def test_a_token_is_not_shown(write_site: WriteSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIEWER_TOKEN", "hunter2")
    (problem,) = check_callers(load(write_site(SITE)))
    assert "hunter2" not in str(problem)
