"""What control points look at: the same that the model says, without the model."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from canonical.order import Order, OrderChange
from hub.release.asked import Asked, AskedLine, asked_in

LINE = {
    "number": "10",
    "item": {"seller_sku": "1896-S"},
    "quantity": {"value": "2.50", "unit": "EA"},
    "unit_price": {"amount": "1000.80", "currency": "USD", "per": "100"},
}


def asked(document: Order | OrderChange) -> Asked:
    return asked_in(document.entity, document.model_dump_json(exclude_none=True).encode())


def order(**changes: Any) -> Order:
    given: dict[str, Any] = {
        "po_number": "PO-1",
        "buyer": {"customer_number": "C10010"},
        "ship_to": {"address": {"lines": ("1 Dock Rd",), "city": "Reno", "postal_code": "89501"}},
        "currency": "USD",
        "ordered_on": date(2026, 5, 4),
        "ship_method": "UPSN",
        "lines": (LINE,),
    }
    return Order.model_validate(given | changes)


def change(*lines: dict[str, Any]) -> OrderChange:
    return OrderChange.model_validate(
        {
            "po_number": "PO-1",
            "change_sequence": 1,
            "kind": "change",
            "buyer": {"customer_number": "C10010"},
            "requested_on": date(2026, 5, 5),
            "lines": lines,
        }
    )


def test_an_order_is_read_as_it_says() -> None:
    assert asked(order()) == Asked(
        entity="order",
        customer_number="C10010",
        has_address=True,
        currency="USD",
        ship_method="UPSN",
        lines=(
            AskedLine(
                at=0,
                number="10",
                sku="1896-S",
                quantity=Decimal("2.50"),
                unit="EA",
                amount=Decimal("1000.80"),
                per=Decimal(100),
                currency="USD",
            ),
        ),
    )


def test_what_an_order_leaves_out_is_absent() -> None:
    bare = {"number": "1", "item": {"gtin": "4006381333931"}, "quantity": LINE["quantity"]}
    found = asked(order(ship_to={"name": "Acme"}, ship_method=None, buyer={}, lines=(bare,)))
    assert (found.customer_number, found.has_address, found.ship_method) == (None, False, None)
    (line,) = found.lines
    assert (line.sku, line.amount, line.currency) == ("", None, None)


def test_an_address_without_a_street_is_none() -> None:
    address = {"city": "Reno", "postal_code": "89501"}
    assert not asked(order(ship_to={"address": address})).has_address


def test_a_change_asks_for_what_it_adds_or_changes_and_keeps_the_places() -> None:
    found = asked(
        change(
            {"number": "1", "action": "delete"} | {"item": LINE["item"]},
            LINE | {"number": "2", "action": "change"},
            {"number": "3", "action": "change", "unit_price": LINE["unit_price"]},
            LINE | {"number": "4", "action": "add"},
        )
    )
    assert [(line.place, line.number) for line in found.lines] == [
        ("lines[1]", "2"),
        ("lines[3]", "4"),
    ]
    assert (found.entity, found.has_address) == ("order_change", False)


def test_a_change_without_lines_asks_for_nothing() -> None:
    assert asked(change()).lines == ()
