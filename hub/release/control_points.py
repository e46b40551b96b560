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

``reference_not_read``, of those that ask the ERP's customers, items and stock: none of them has been
read yet, so that a missing one says nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from canonical.money import Price
from canonical.order import Order
from hub.ledger.reference_view import ReferenceView
from hub.release.asked import Asked, AskedLine
from hub.release.flawless import is_flawless
from hub.settings.model import ControlPoints


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an order is held: which control point, a bounded code, the place, plain words."""

    control_point: str
    code: str
    where: str = ""
    detail: str = ""


NOT_READ = "reference_not_read"
Check = Callable[[Asked, ReferenceView, ControlPoints], Iterator[Reason]]


def check(asked: Asked, view: ReferenceView, policy: ControlPoints) -> tuple[Reason, ...]:
    """Run the enabled control points in their configured order; () means: release.

    A change has to pass those that look at a line by itself. A line of it without a price keeps the
    one that was checked with its order.
    """
    if asked.entity == "order" and is_flawless(asked, view, policy):
        return ()
    reasons = (
        reason
        for name in policy.enabled
        if asked.entity == "order" or name in _OF_CHANGES
        for reason in CONTROL_POINTS[name](asked, view, policy)
    )
    if asked.entity == "order":
        return tuple(reasons)
    return tuple(reason for reason in reasons if reason.code != "price_missing")


def _complete(order: Asked, _view: ReferenceView, _policy: ControlPoints) -> Iterator[Reason]:
    point = "complete"
    if not order.customer_number:
        yield Reason(point, "incomplete", "buyer.customer_number", "expected the buyer's account")
    if not order.has_address:
        yield Reason(
            point, "incomplete", "ship_to.address", "expected street, city and postal code"
        )
    seen: set[str] = set()
    for line in order.lines:
        if line.number in seen:
            yield Reason(point, "incomplete", f"{line.place}.number", "expected each number once")
        seen.add(line.number)
        if line.quantity <= 0:
            yield Reason(point, "incomplete", f"{line.place}.quantity", "expected more than zero")
        if line.amount is not None and line.currency != order.currency:
            yield Reason(
                point, "incomplete", f"{line.place}.unit_price", "expected the order's currency"
            )


def _customer_known(order: Asked, view: ReferenceView, _policy: ControlPoints) -> Iterator[Reason]:
    number = order.customer_number
    if number and number not in view.customers and "customer" in view.unread:
        where = "buyer.customer_number"
        yield Reason("customer_known", NOT_READ, where, "the ERP's customers were not read yet")
    elif number and number not in view.customers:
        yield Reason(
            "customer_known",
            "customer_unknown",
            "buyer.customer_number",
            "the ERP has no such account",
        )


def _customer_not_blocked(
    order: Asked, view: ReferenceView, _policy: ControlPoints
) -> Iterator[Reason]:
    customer = view.customers.get(order.customer_number or "")
    if customer and customer.blocked:
        yield Reason(
            "customer_not_blocked",
            "customer_blocked",
            "buyer.customer_number",
            "the ERP refuses new orders of this account",
        )


def _items_known(order: Asked, view: ReferenceView, _policy: ControlPoints) -> Iterator[Reason]:
    if "item" in view.unread:
        yield Reason("items_known", NOT_READ, "lines", "the ERP's items were not read yet")
        return
    for line in order.lines:
        item = view.items.get(line.sku)
        if item is not None and not item.blocked:
            continue
        where = f"{line.place}.item"
        if item is None:
            yield Reason("items_known", "item_unknown", where, "the ERP has no such item")
        else:
            yield Reason("items_known", "item_blocked", where, "the ERP does not sell this item")


def _unit_valid(order: Asked, view: ReferenceView, _policy: ControlPoints) -> Iterator[Reason]:
    for line in order.lines:
        item = view.items.get(line.sku)
        if item and line.unit != item.base_unit:
            yield Reason(
                "unit_valid",
                "unit_not_sold",
                f"{line.place}.quantity.unit",
                f"the item is kept in {item.base_unit}",
            )


def _price_in_tolerance(
    order: Asked, view: ReferenceView, policy: ControlPoints
) -> Iterator[Reason]:
    point = "price_in_tolerance"
    for line in order.lines:
        item = view.items.get(line.sku)
        if item is None:
            continue  # items_known says so
        if _is_listed(line, item.list_price):  # nearly always
            continue
        where = f"{line.place}.unit_price"
        if line.amount is None:
            yield Reason(point, "price_missing", where, "expected a price to compare")
        elif item.list_price is None:
            yield Reason(point, "price_not_listed", where, "the price list has none for the item")
        elif item.list_price.currency != line.currency:
            yield Reason(point, "price_not_listed", where, "the price list has another currency")
        elif not _is_near(line, item.list_price, policy):
            yield Reason(
                point, "price_out_of_tolerance", where, "differs from the price list too much"
            )


def _is_listed(line: AskedLine, listed: Price | None) -> bool:
    return (
        listed is not None
        and line.amount == listed.amount
        and line.per == listed.per
        and line.currency == listed.currency
    )


def _is_near(line: AskedLine, listed: Price, policy: ControlPoints) -> bool:
    each = listed.amount / listed.per
    return abs((line.amount or 0) / line.per - each) <= tolerance(each, policy)


def tolerance(listed: Decimal, policy: ControlPoints) -> Decimal:
    """Return the widest allowed difference per base unit: the larger of percent and amount."""
    return max(listed * policy.price_tolerance_percent / 100, policy.price_tolerance_amount)


def _stock_available(order: Asked, view: ReferenceView, _policy: ControlPoints) -> Iterator[Reason]:
    wanted: defaultdict[str, Decimal] = defaultdict(Decimal)
    if "inventory" in view.unread and _has_stocked(order, view):
        yield Reason("stock_available", NOT_READ, "lines", "no stock figure was read yet")
        return
    for line in order.lines:
        item = view.items.get(line.sku)
        if item is None or not item.stocked:
            continue  # items_known says so; a service is never out of stock
        position = view.stock.get(line.sku)
        if position is None:
            where = f"{line.place}.quantity"
            yield Reason("stock_available", "stock_unknown", where, "no stock figure for the item")
            continue
        wanted[line.sku] += line.quantity
        free = position.available or position.on_hand
        if wanted[line.sku] > free.value:
            where = f"{line.place}.quantity"
            yield Reason("stock_available", "stock_short", where, "more than is available")


def _has_stocked(order: Asked, view: ReferenceView) -> bool:
    items = (view.items.get(line.sku) for line in order.lines)
    return any(item is not None and item.stocked for item in items)


def _ship_method_mapped(
    order: Asked, _view: ReferenceView, policy: ControlPoints
) -> Iterator[Reason]:
    if ship_method(order, policy) is None:
        yield Reason(
            "ship_method_mapped",
            "ship_method_unmapped",
            "ship_method",
            "expected a method that control_points.ship_methods maps",
        )


def ship_method(order: Asked | Order, policy: ControlPoints) -> str | None:
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

_OF_CHANGES = frozenset(
    {
        "customer_not_blocked",
        "items_known",
        "unit_valid",
        "price_in_tolerance",
        "stock_available",
    }
)
"""The control points that a change has to pass too."""
