"""Which routes a document takes: what is for a buyer goes to the one who ordered."""

from __future__ import annotations

from typing import Any

import pytest

from hub.release.routing import Routed, passed_over, routes_of
from hub.settings.customers import TO_THE_BUYER, asking
from hub.settings.model import Site

TO_ACME = {"entity": "shipment", "to": "acme-edi", "action": "send", "flow": "856"}
TO_NORTH = {"entity": "shipment", "to": "north-edi", "action": "send", "flow": "856"}
TO_BOOKS = {"entity": "shipment", "to": "bc", "action": "post_shipment", "flow": "salesShipment"}


def site(*routes: dict[str, Any]) -> Site:
    partners = ("acme", "north", "contoso")
    folder = {"kind": "folder"}
    return Site.model_validate(
        {
            "control_points": {"reference": "bc"},
            "partners": {name: {"name": name} for name in partners},
            "connections": {
                "acme-edi": {"system": "x12", "partner": "acme", "transport": folder},
                "north-edi": {"system": "x12", "partner": "north", "transport": folder},
                "bc": {
                    "system": "business_central",
                    "partner": "contoso",
                    "transport": {"kind": "poll"},
                },
            },
            "routes": routes,
        }
    )


def document(customer: str | None, entity: str = "shipment") -> Routed:
    return Routed("d", entity, "depot-edi", "depot", "key", 1, "ref", None, customer)


def targets(document: Routed, *routes: dict[str, Any]) -> list[str]:
    return [route.to for route in routes_of(document, site(*routes))]


def test_what_a_warehouse_shipped_is_told_to_whose_order_it_was_and_to_the_books() -> None:
    assert targets(document("acme"), TO_ACME, TO_NORTH, TO_BOOKS) == ["acme-edi", "bc"]
    assert targets(document("north"), TO_ACME, TO_NORTH, TO_BOOKS) == ["north-edi", "bc"]


def test_an_order_of_somebody_else_is_told_to_neither() -> None:
    assert targets(document("webshop"), TO_ACME, TO_NORTH, TO_BOOKS) == ["bc"]
    assert passed_over(document("webshop"), site(TO_ACME, TO_NORTH, TO_BOOKS)) == []


def test_what_belongs_to_no_known_order_is_told_to_neither_and_that_is_said() -> None:
    assert targets(document(None), TO_ACME, TO_NORTH, TO_BOOKS) == ["bc"]
    found = passed_over(document(None), site(TO_ACME, TO_NORTH, TO_BOOKS))
    assert found == ["acme-edi", "north-edi"]


def test_a_route_may_name_another_customer_or_everybody() -> None:
    factor = TO_NORTH | {"when": {"customer": "acme"}}
    assert targets(document("acme"), factor) == ["north-edi"]
    assert targets(document("north"), factor) == []
    everybody = TO_NORTH | {"when": {"customer": "*"}}
    for customer in ("acme", "north", None):
        assert targets(document(customer), everybody) == ["north-edi"]
    assert passed_over(document(None), site(everybody)) == []


def test_a_customer_can_be_named_for_any_flow_beside_other_conditions() -> None:
    route = TO_BOOKS | {"when": {"customer": "acme", "connection": "depot-edi"}}
    assert targets(document("acme"), route) == ["bc"]
    assert targets(document("north"), route) == []
    elsewhere = document("acme")._replace(connection="other-edi")
    assert targets(elsewhere, route) == []
    assert passed_over(document(None)._replace(connection="other-edi"), site(route)) == []


@pytest.mark.parametrize("flow", sorted(TO_THE_BUYER))
def test_every_flow_that_is_for_a_buyer_asks_whose_order_it_is(flow: str) -> None:
    route = TO_ACME | {"flow": flow}
    assert targets(document("north"), route) == []
    assert targets(document("acme"), route) == ["acme-edi"]


def test_orders_are_never_looked_up() -> None:
    mine = TO_ACME | {"entity": "order", "flow": "855"}
    fits = site(mine, TO_BOOKS)
    assert asking(fits.routes, fits.connections) == frozenset()
    fits = site(mine, TO_ACME, TO_BOOKS)
    assert asking(fits.routes, fits.connections) == {"shipment"}
