"""Every control point: what it lets pass, and the reason it gives where it does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from canonical.inventory import InventoryPosition
from canonical.item import Item, ItemCodes
from canonical.money import Price
from canonical.order import Order
from canonical.party import Customer
from canonical.quantity import Quantity
from hub.ledger.reference_view import Needed, ReferenceView
from hub.release.asked import Asked, AskedLine, asked_in, needed_by
from hub.release.control_points import CONTROL_POINTS, check, ship_method
from hub.release.flawless import is_flawless
from hub.settings.model import ControlPoints

POLICY = ControlPoints(
    reference="bc", ship_methods={"UPSN": "GROUND"}, price_tolerance_percent=Decimal(2)
)


def order(**changes: Any) -> Order:
    line = {
        "number": "1",
        "item": {"seller_sku": "1896-S"},
        "quantity": {"value": "2", "unit": "EA"},
        "unit_price": {"amount": "100.00", "currency": "USD"},
    }
    given: dict[str, Any] = {
        "po_number": "PO-1",
        "buyer": {"customer_number": "C10010"},
        "ship_to": {"address": {"lines": ("1 Dock Rd",), "city": "Reno", "postal_code": "89501"}},
        "currency": "USD",
        "ordered_on": date(2026, 5, 4),
        "ship_method": "UPSN",
        "lines": (line | changes.pop("line", {}),),
    }
    return Order.model_validate(given | changes)


def view(**changes: Any) -> ReferenceView:
    item = {"number": "1896-S", "base_unit": "EA", "list_price": price("100.00")}
    customer = {"number": "C10010", "name": "Acme"} | changes.pop("customer", {})
    on_hand = changes.pop("on_hand", "5")
    stock = InventoryPosition(
        number="1896-S",
        item=ItemCodes(seller_sku="1896-S"),
        on_hand=Quantity(value=Decimal(on_hand), unit="EA"),
    )
    return ReferenceView(
        {"C10010": Customer.model_validate(customer)},
        {"1896-S": Item.model_validate(item | changes.pop("item", {}))},
        {} if changes.pop("no_stock", False) else {"1896-S": stock},
    )


def price(amount: str, currency: str = "USD") -> Price:
    return Price(amount=Decimal(amount), currency=currency)


def asked(given: Order) -> Asked:
    return asked_in("order", given.model_dump_json(exclude_none=True).encode())


def codes(given: Order, known: ReferenceView, policy: ControlPoints = POLICY) -> list[str]:
    return [reason.code for reason in check(asked(given), known, policy)]


def test_an_order_with_nothing_wrong_is_released() -> None:
    assert codes(order(), view()) == []


@pytest.mark.parametrize(
    ("given", "known", "expected"),
    [
        (order(buyer={}), view(), ["incomplete"]),
        (order(ship_to=None), view(), ["incomplete"]),
        (order(line={"quantity": {"value": "0", "unit": "EA"}}), view(), ["incomplete"]),
        (order(buyer={"customer_number": "C404"}), view(), ["customer_unknown"]),
        (order(), view(customer={"blocked": True}), ["customer_blocked"]),
        (order(line={"item": {"seller_sku": "404"}}), view(), ["item_unknown"]),
        (order(), view(item={"blocked": True}), ["item_blocked"]),
        (order(line={"quantity": {"value": "2", "unit": "XCT"}}), view(), ["unit_not_sold"]),
        (order(line={"unit_price": None}), view(), ["price_missing"]),
        (order(), view(item={"list_price": None}), ["price_not_listed"]),
        (order(), view(item={"list_price": price("100.00", "EUR")}), ["price_not_listed"]),
        (order(), view(on_hand="1"), ["stock_short"]),
        (order(), view(no_stock=True), ["stock_unknown"]),
        (order(ship_method="PIGEON"), view(), ["ship_method_unmapped"]),
        (order(ship_method=None), view(), ["ship_method_unmapped"]),
    ],
)
def test_each_fault_is_held_with_its_own_reason(
    given: Order, known: ReferenceView, expected: list[str]
) -> None:
    assert codes(given, known) == expected


NUMBERS = st.sampled_from(["1", "2"])
LINES = st.builds(
    AskedLine,
    at=st.integers(0, 1),
    number=NUMBERS,
    sku=st.sampled_from(["1896-S", "404", ""]),
    quantity=st.sampled_from([Decimal(0), Decimal(2), Decimal(3)]),
    unit=st.sampled_from(["EA", "XCT"]),
    amount=st.sampled_from([None, Decimal("100.0"), Decimal("101.5")]),
    per=st.sampled_from([Decimal(1), Decimal(100)]),
    currency=st.sampled_from(["USD", "EUR"]),
)
ORDERS = st.builds(
    Asked,
    entity=st.just("order"),
    customer_number=st.sampled_from(["C10010", "C404", None]),
    has_address=st.booleans(),
    currency=st.sampled_from(["USD", "EUR"]),
    ship_method=st.sampled_from(["UPSN", "PIGEON", None]),
    lines=st.lists(LINES, max_size=2).map(tuple),
)
VIEWS = st.builds(
    view,
    customer=st.fixed_dictionaries({"blocked": st.booleans()}),
    item=st.fixed_dictionaries(
        {"blocked": st.booleans(), "stocked": st.booleans()},
        optional={"list_price": st.sampled_from([None, price("100.00"), price("100.00", "EUR")])},
    ),
    on_hand=st.sampled_from(["1", "2", "4", "9"]),
    no_stock=st.booleans(),
)


@given(ORDERS, VIEWS)
@settings(max_examples=1500, deadline=None)
def test_what_is_flawless_in_one_walk_passes_every_control_point(
    wanted: Asked, known: ReferenceView
) -> None:
    reasons = [why for point in CONTROL_POINTS.values() for why in point(wanted, known, POLICY)]
    event(f"flawless: {is_flawless(wanted, known, POLICY)}, reasons: {bool(reasons)}")
    assert not (is_flawless(wanted, known, POLICY) and reasons)


def test_an_order_with_nothing_wrong_needs_one_walk() -> None:
    assert is_flawless(asked(order()), view(), POLICY)


def test_what_the_erp_has_not_said_yet_is_not_taken_for_unknown() -> None:
    nothing = ReferenceView(unread=frozenset({"customer", "item", "inventory"}))
    reasons = check(asked(order()), nothing, POLICY)
    assert [(reason.control_point, reason.code, reason.where) for reason in reasons] == [
        ("customer_known", "reference_not_read", "buyer.customer_number"),
        ("items_known", "reference_not_read", "lines"),
    ]
    no_stock = replace(view(no_stock=True), unread=frozenset({"inventory"}))
    assert codes(order(), no_stock) == ["reference_not_read"]


@pytest.mark.parametrize(
    ("amount", "held"), [("102.00", False), ("98.00", False), ("102.01", True), ("97.99", True)]
)
def test_the_price_may_differ_by_the_tolerance_and_no_more(amount: str, held: bool) -> None:  # noqa: FBT001
    given = order(line={"unit_price": {"amount": amount, "currency": "USD"}})
    assert codes(given, view()) == (["price_out_of_tolerance"] if held else [])


def test_lines_of_one_item_share_its_stock() -> None:
    line = order().lines[0]
    twice = order(lines=(line, line.model_copy(update={"number": "2"})))
    assert codes(twice, view(on_hand="3")) == ["stock_short"]


def test_a_service_needs_no_stock() -> None:
    assert codes(order(), view(no_stock=True, item={"stocked": False})) == []


def test_a_line_number_that_comes_twice_is_incomplete() -> None:
    line = order().lines[0]
    reasons = check(asked(order(lines=(line, line))), view(), POLICY)
    assert [(reason.code, reason.where) for reason in reasons] == [
        ("incomplete", "lines[1].number")
    ]


def test_a_control_point_that_is_switched_off_holds_nothing() -> None:
    enabled = tuple(name for name in POLICY.enabled if name != "stock_available")
    lenient = POLICY.model_copy(update={"enabled": enabled})
    assert codes(order(), view(on_hand="0"), lenient) == []


def test_reasons_never_carry_what_the_order_says() -> None:
    given = order(
        ship_method="CANARY-1", line={"item": {"seller_sku": "CANARY-2"}}, buyer={"id": "CANARY-3"}
    )
    assert "CANARY" not in str(check(asked(given), view(), POLICY))


def test_the_default_ship_method_serves_orders_that_name_none() -> None:
    policy = POLICY.model_copy(update={"default_ship_method": "GROUND"})
    assert ship_method(order(ship_method=None), policy) == "GROUND"


def test_only_what_an_order_names_is_read_from_the_ledger() -> None:
    assert needed_by([asked(order())]) == Needed(frozenset({"C10010"}), frozenset({"1896-S"}))


def test_every_control_point_of_the_default_policy_exists() -> None:
    assert set(POLICY.enabled) == set(CONTROL_POINTS)
