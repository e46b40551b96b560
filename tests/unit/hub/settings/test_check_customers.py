"""Routes that would tell one customer of another's orders are refused with their place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hub.cli.known import known
from hub.settings.check_routes import check_routes
from hub.settings.loader import load

WriteSite = Callable[[str], Path]
SITE = """
control_points: { reference: acme-edi }
partners: { acme: { name: Acme }, north: { name: North } }
connections:
  acme-edi: { system: x12, partner: acme, transport: { kind: folder, outbox: a } }
  acme-van: { system: x12, partner: acme, transport: { kind: folder, outbox: v } }
  north-edi: { system: x12, partner: north, transport: { kind: folder, outbox: n } }
routes:
"""


def found(write_site: WriteSite, *routes: str) -> list[tuple[str, str]]:
    lines = "".join(f"  - {{action: send, {route}}}\n" for route in routes)
    problems = list(check_routes(load(write_site(SITE + lines)), known()))
    return [(problem.code, problem.where) for problem in problems]


@pytest.mark.parametrize(
    ("entity", "flow"),
    [("order", "855"), ("order_response", "855"), ("shipment", "856"), ("invoice", "810")],
)
def test_what_is_for_the_buyer_is_told_apart_by_itself(
    write_site: WriteSite, entity: str, flow: str
) -> None:
    of = f'entity: {entity}, flow: "{flow}"'
    assert found(write_site, f"{of}, to: acme-edi", f"{of}, to: north-edi") == []


TRACKING = 'entity: tracking, flow: "214"'
REMITTANCE = 'entity: remittance, flow: "820"'


@pytest.mark.parametrize("of", [TRACKING, REMITTANCE])
@pytest.mark.parametrize(
    ("when", "refused"),
    [
        (("", ""), True),
        ((", when: {connection: acme-edi}", ""), True),
        ((", when: {customer: '*'}", ""), True),
        ((", when: {customer: '*'}", ", when: {customer: '*'}"), False),
        ((", when: {partner: acme}", ", when: {partner: north}"), False),
    ],
)
def test_what_cannot_be_told_apart_is_refused_unless_it_is_meant_so(
    write_site: WriteSite, of: str, when: tuple[str, str], *, refused: bool
) -> None:
    routes = f"{of}, to: acme-edi{when[0]}", f"{of}, to: north-edi{when[1]}"
    assert found(write_site, *routes) == [("customers_mixed", "site.yaml:10")] * refused


def test_two_connections_of_one_partner_may_be_told_the_same(write_site: WriteSite) -> None:
    assert found(write_site, f"{TRACKING}, to: acme-edi", f"{TRACKING}, to: acme-van") == []


def test_everybody_may_know_the_stock(write_site: WriteSite) -> None:
    stock = 'entity: inventory, flow: "846"'
    assert found(write_site, f"{stock}, to: acme-edi", f"{stock}, to: north-edi") == []


def test_a_factor_may_be_told_of_one_customers_orders(write_site: WriteSite) -> None:
    of = 'entity: invoice, flow: "810"'
    routes = f"{of}, to: acme-edi", f"{of}, to: north-edi, when: {{customer: acme}}"
    assert found(write_site, *routes) == []


def test_what_belongs_to_no_order_has_no_customer(write_site: WriteSite) -> None:
    route = f"{TRACKING}, to: acme-edi, when: {{customer: acme}}"
    assert found(write_site, route) == [("condition_unknown", "site.yaml:9")]


def test_an_orders_customer_is_who_sent_it(write_site: WriteSite) -> None:
    of = 'entity: order, flow: "855", to: acme-edi'
    routes = of, f"{of}, when: {{partner: acme}}", f"{of}, when: {{customer: acme}}"
    assert [code for code, _ in found(write_site, *routes)] == ["route_repeated"] * 2
