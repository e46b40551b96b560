"""The control points: what an order must pass before it is released. Pure functions of values.

Each yields a `Reason` for everything that is wrong, so that a person sees all of it at once:

- ``complete``            incomplete: buyer account, ship-to address, line numbers, prices in one currency
- ``customer_known``      customer_unknown
- ``customer_not_blocked`` customer_blocked
- ``items_known``         item_unknown, item_blocked
- ``unit_valid``          unit_not_sold: not the unit in which the item is kept
- ``price_in_tolerance``  price_out_of_tolerance, price_missing, price_not_listed
- ``stock_available``     stock_short, stock_unknown
- ``ship_method_mapped``  ship_method_unmapped
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Protocol

from canonical.order import Order, OrderChange, OrderLine
from canonical.party import Party
from hub.ledger.reference_view import ReferenceView
from hub.settings.model import ControlPoints


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an order is held: which control point, a bounded code, the place, plain words."""

    control_point: str
    code: str
    where: str = ""
    detail: str = ""


class Checked(Protocol):
    """What most control points look at: of an order, or of what a change asks for."""

    @property
    def buyer(self) -> Party:
        """Who asks."""
        ...

    @property
    def lines(self) -> tuple[OrderLine, ...]:
        """What for."""
        ...


@dataclass(frozen=True, slots=True)
class _Asked:
    buyer: Party
    lines: tuple[OrderLine, ...]


Check = Callable[[Order, ReferenceView, ControlPoints], Iterator[Reason]]


def check(order: Order, view: ReferenceView, policy: ControlPoints) -> tuple[Reason, ...]:
    """Run the enabled control points in their configured order; () means: release."""
    return tuple(
        reason for name in policy.enabled for reason in CONTROL_POINTS[name](order, view, policy)
    )


def check_change(
    change: OrderChange, view: ReferenceView, policy: ControlPoints
) -> tuple[Reason, ...]:
    """Run what applies to the lines that a change adds or changes; () means: release.

    A line without a price keeps the one that was checked with its order.
    """
    lines = {
        place: OrderLine(
            number=line.number, item=line.item, quantity=line.quantity, unit_price=line.unit_price
        )
        for place, line in enumerate(change.lines)
        if line.action != "delete" and line.item is not None and line.quantity is not None
    }
    asked, places = _Asked(change.buyer, tuple(lines.values())), list(lines)
    reasons = [
        reason
        for name in policy.enabled
        if name in _OF_CHANGES
        for reason in _OF_CHANGES[name](asked, view, policy)
        if reason.code != "price_missing"
    ]
    return tuple(replace(reason, where=_placed(reason.where, places)) for reason in reasons)


def _placed(where: str, places: list[int]) -> str:
    """Count a line's place in the change, where lines without a quantity were left out."""
    return re.sub(r"^lines\[(\d+)\]", lambda found: f"lines[{places[int(found[1])]}]", where)


def _complete(order: Order, _view: ReferenceView, _policy: ControlPoints) -> Iterator[Reason]:
    point = "complete"
    if not order.buyer.customer_number:
        yield Reason(point, "incomplete", "buyer.customer_number", "expected the buyer's account")
    address = order.ship_to.address if order.ship_to else None
    if address is None or not (address.lines and address.city and address.postal_code):
        yield Reason(
            point, "incomplete", "ship_to.address", "expected street, city and postal code"
        )
    seen: set[str] = set()
    for i, line in enumerate(order.lines):
        if line.number in seen:
            yield Reason(point, "incomplete", f"lines[{i}].number", "expected each number once")
        seen.add(line.number)
        if line.quantity.value <= 0:
            yield Reason(point, "incomplete", f"lines[{i}].quantity", "expected more than zero")
        if line.unit_price and line.unit_price.currency != order.currency:
            yield Reason(
                point, "incomplete", f"lines[{i}].unit_price", "expected the order's currency"
            )


def _customer_known(order: Order, view: ReferenceView, _policy: ControlPoints) -> Iterator[Reason]:
    number = order.buyer.customer_number
    if number and number not in view.customers:
        yield Reason(
            "customer_known",
            "customer_unknown",
            "buyer.customer_number",
            "the ERP has no such account",
        )


def _customer_not_blocked(
    order: Checked, view: ReferenceView, _policy: ControlPoints
) -> Iterator[Reason]:
    customer = view.customers.get(order.buyer.customer_number or "")
    if customer and customer.blocked:
        yield Reason(
            "customer_not_blocked",
            "customer_blocked",
            "buyer.customer_number",
            "the ERP refuses new orders of this account",
        )


def _items_known(order: Checked, view: ReferenceView, _policy: ControlPoints) -> Iterator[Reason]:
    for i, line in enumerate(order.lines):
        where = f"lines[{i}].item"
        item = view.items.get(line.item.seller_sku or "")
        if item is None:
            yield Reason("items_known", "item_unknown", where, "the ERP has no such item")
        elif item.blocked:
            yield Reason("items_known", "item_blocked", where, "the ERP does not sell this item")


def _unit_valid(order: Checked, view: ReferenceView, _policy: ControlPoints) -> Iterator[Reason]:
    for i, line in enumerate(order.lines):
        item = view.items.get(line.item.seller_sku or "")
        if item and line.quantity.unit != item.base_unit:
            yield Reason(
                "unit_valid",
                "unit_not_sold",
                f"lines[{i}].quantity.unit",
                f"the item is kept in {item.base_unit}",
            )


def _price_in_tolerance(
    order: Checked, view: ReferenceView, policy: ControlPoints
) -> Iterator[Reason]:
    point = "price_in_tolerance"
    for i, line in enumerate(order.lines):
        where = f"lines[{i}].unit_price"
        item = view.items.get(line.item.seller_sku or "")
        if item is None:
            continue  # items_known says so
        if line.unit_price is None:
            yield Reason(point, "price_missing", where, "expected a price to compare")
        elif item.list_price is None:
            yield Reason(point, "price_not_listed", where, "the price list has none for the item")
        elif item.list_price.currency != line.unit_price.currency:
            yield Reason(point, "price_not_listed", where, "the price list has another currency")
        else:
            listed = item.list_price.amount / item.list_price.per
            asked = line.unit_price.amount / line.unit_price.per
            if abs(asked - listed) > tolerance(listed, policy):
                yield Reason(
                    point, "price_out_of_tolerance", where, "differs from the price list too much"
                )


def tolerance(listed: Decimal, policy: ControlPoints) -> Decimal:
    """Return the widest allowed difference per base unit: the larger of percent and amount."""
    return max(listed * policy.price_tolerance_percent / 100, policy.price_tolerance_amount)


def _stock_available(
    order: Checked, view: ReferenceView, _policy: ControlPoints
) -> Iterator[Reason]:
    wanted: defaultdict[str, Decimal] = defaultdict(Decimal)
    for i, line in enumerate(order.lines):
        sku = line.item.seller_sku or ""
        if sku not in view.items or not view.items[sku].stocked:
            continue  # items_known says so; a service is never out of stock
        position = view.stock.get(sku)
        where = f"lines[{i}].quantity"
        if position is None:
            yield Reason("stock_available", "stock_unknown", where, "no stock figure for the item")
            continue
        wanted[sku] += line.quantity.value
        free = position.available or position.on_hand
        if wanted[sku] > free.value:
            yield Reason("stock_available", "stock_short", where, "more than is available")


def _ship_method_mapped(
    order: Order, _view: ReferenceView, policy: ControlPoints
) -> Iterator[Reason]:
    if ship_method(order, policy) is None:
        yield Reason(
            "ship_method_mapped",
            "ship_method_unmapped",
            "ship_method",
            "expected a method that control_points.ship_methods maps",
        )


def ship_method(order: Order, policy: ControlPoints) -> str | None:
    """Return our own ship method for the order, or None where nothing maps it."""
    if order.ship_method is None:
        return policy.default_ship_method
    return policy.ship_methods.get(order.ship_method)


CONTROL_POINTS: dict[str, Check] = {
    "complete": _complete,
    "customer_known": _customer_known,
    "customer_not_blocked": _customer_not_blocked,
    "items_known": _items_known,
    "unit_valid": _unit_valid,
    "price_in_tolerance": _price_in_tolerance,
    "stock_available": _stock_available,
    "ship_method_mapped": _ship_method_mapped,
}
"""Name in the configuration -> the check."""

_OF_CHANGES: dict[str, Callable[[Checked, ReferenceView, ControlPoints], Iterator[Reason]]] = {
    "customer_not_blocked": _customer_not_blocked,
    "items_known": _items_known,
    "unit_valid": _unit_valid,
    "price_in_tolerance": _price_in_tolerance,
    "stock_available": _stock_available,
}
"""The control points that a change has to pass too."""
