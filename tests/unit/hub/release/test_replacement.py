"""An order as its changes left it, and the change that leads to another one."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from canonical.item import ItemCodes
from canonical.order import LineChange, Order, OrderChange, OrderLine
from canonical.party import Party
from canonical.quantity import Quantity
from hub.release.replacement import as_change, in_force

DAY = date(2026, 5, 4)


def line(number: str, quantity: int) -> OrderLine:
    return OrderLine(
        number=number,
        item=ItemCodes(seller_sku=f"S{number}"),
        quantity=Quantity(value=Decimal(quantity), unit="EA"),
    )


def order(*lines: OrderLine) -> Order:
    return Order(po_number="PO-1", buyer=Party(), currency="USD", ordered_on=DAY, lines=lines)


def change(kind: Any, *lines: LineChange) -> OrderChange:
    return OrderChange(
        po_number="PO-1",
        change_sequence=1,
        kind=kind,
        buyer=Party(),
        requested_on=DAY,
        lines=lines,
    )


def quantities(of: Order) -> dict[str, int]:
    return {each.number: int(each.quantity.value) for each in of.lines}


def changed(number: str, action: Any, quantity: int | None = None) -> LineChange:
    value = None if quantity is None else Quantity(value=Decimal(quantity), unit="EA")
    item = ItemCodes(seller_sku=f"S{number}")
    return LineChange(number=number, action=action, item=item, quantity=value)


def test_lines_are_added_changed_and_deleted_in_turn() -> None:
    changes = [
        change("change", changed("1", "change", 5), changed("3", "add", 2)),
        change("change", changed("2", "delete")),
    ]
    assert quantities(in_force(order(line("1", 1), line("2", 1)), changes)) == {"1": 5, "3": 2}


def test_a_replacement_drops_what_it_does_not_list() -> None:
    changes = [change("replace", changed("2", "change", 4))]
    assert quantities(in_force(order(line("1", 1), line("2", 1)), changes)) == {"2": 4}


def test_a_cancelled_order_has_no_lines() -> None:
    assert quantities(in_force(order(line("1", 1)), [change("cancel")])) == {}


_LINES = st.dictionaries(st.sampled_from("12345"), st.integers(1, 9), min_size=1)


@given(_LINES, _LINES)
def test_the_change_to_an_order_leads_to_just_that_order(
    before: dict[str, int], after: dict[str, int]
) -> None:
    first = order(*(line(number, quantity) for number, quantity in before.items()))
    second = order(*(line(number, quantity) for number, quantity in after.items()))
    assert quantities(in_force(first, [as_change(first, second)])) == after
