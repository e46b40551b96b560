"""Test traffic is kept from real targets when the site is checked, not when an order has arrived."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hub.cli.known import known
from hub.settings.check_usage import check_usage
from hub.settings.loader import load

WriteSite = Callable[[str], Path]
SITE = """
control_points: {{ reference: shop }}
partners: {{ acme: {{ name: Acme }}, depot: {{ name: Depot }} }}
connections:
  acme-live: {{ system: x12, partner: acme, transport: {{ kind: folder }}, options: {{ our_id: US, partner_id: ACME }} }}
  acme-test: {{ system: x12, partner: acme, transport: {{ kind: folder }}, options: {{ our_id: US, partner_id: ACME, usage: T }} }}
  depot: {{ system: x12, partner: depot, transport: {{ kind: folder }}, options: {{ our_id: US, partner_id: DEPOT, usage: {usage} }} }}
  books: {{ system: business_central, partner: depot, transport: {{ kind: poll }}, options: {{ base_url: "https://bc.example/api/v2.0", token: "env:BC_TOKEN", usage: {usage} }} }}
  shop: {{ system: shopify, partner: acme, transport: {{ kind: webhook }}, options: {{ }} }}
routes:
  - {{ entity: order, to: {to}, action: send, flow: "940"{when} }}
"""


@pytest.mark.parametrize(
    ("usage", "to", "when", "refused"),
    [
        ("P", "depot", "", True),
        ("P", "depot", ", when: { partner: acme }", True),
        ("P", "depot", ", when: { connection: acme-test }", True),
        ("P", "depot", ", when: { connection: acme-live }", False),
        ("T", "depot", "", False),
        ("P", "shop", "", False),
        ("P", "books", "", True),
        ("T", "books", "", False),
    ],
)
def test_a_route_from_a_test_to_what_is_real_is_refused_with_its_place(
    write_site: WriteSite, usage: str, to: str, when: str, *, refused: bool
) -> None:
    loaded = load(write_site(SITE.format(usage=usage, to=to, when=when)))
    found = list(check_usage(loaded, known()))
    assert [problem.code for problem in found] == ["test_to_production"] * refused
    if refused:
        assert "acme-test" in str(found[0])
        assert ".yaml:" in str(found[0])


EDIFACT = SITE.replace("system: x12", "system: edifact").replace(
    'order, to: {to}, action: send, flow: "940"', "shipment, to: {to}, action: send, flow: DESADV"
)


@pytest.mark.parametrize(
    ("usage", "when", "refused"),
    [("P", "", True), ("P", ", when: { connection: acme-live }", False), ("T", "", False)],
)
def test_test_messages_of_edifact_are_kept_from_what_is_real_as_well(
    write_site: WriteSite, usage: str, when: str, *, refused: bool
) -> None:
    loaded = load(write_site(EDIFACT.format(usage=usage, to="depot", when=when)))
    found = list(check_usage(loaded, known()))
    assert [problem.code for problem in found] == ["test_to_production"] * refused
