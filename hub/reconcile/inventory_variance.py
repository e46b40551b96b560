"""inventory-variance: what the ERP and a warehouse count differently. A pure function of values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from hub.reconcile.discrepancy import Discrepancy, plain
from hub.reconcile.line_ledger import ItemFacts
from hub.reconcile.policy import Policy

NAME = "inventory-variance"
OWNER = "warehouse"
MORE = "the warehouse has more than the ERP"
LESS = "the warehouse has less than the ERP"
UNKNOWN = "the ERP does not know the item at the site"
ABSENT = "the warehouse does not know the item"
REMEDY = "count the item, then correct the side that is wrong"


@dataclass(frozen=True, slots=True)
class Counted:
    """What one side says is on hand."""

    quantity: Decimal
    unit: str
    at: datetime
    """When it said so last."""


@dataclass(frozen=True, slots=True)
class Position:
    """One item at one site, as both sides count it."""

    site: str
    item: str
    warehouse: str
    """The connection that counts."""
    books: Counted | None
    count: Counted | None


def find(
    positions: Iterable[Position], items: Mapping[str, ItemFacts], policy: Policy, now: datetime
) -> tuple[list[Discrepancy], int]:
    """Return the differences above the thresholds, and how many positions could not be compared.

    While goods move, one side is always ahead of the other: a position counts once neither side has
    changed for `stock_settled`. A side that does not know the item has none of it.
    """
    found, unchecked = [], 0
    for position in positions:
        sides = [side for side in (position.books, position.count) if side]
        if not sides or max(side.at for side in sides) > now - policy.stock_settled:
            continue
        difference = _difference(position, policy)
        if difference is None:
            unchecked += 1
        elif _matters(position, difference, policy):
            found.append(_discrepancy(position, difference, items.get(position.item)))
    return found, unchecked


def _difference(position: Position, policy: Policy) -> Decimal | None:
    """What the warehouse has more than the books, in the books' unit; None: no unit in common."""
    books, count = position.books, position.count
    if count is None:
        return -(books.quantity if books else Decimal())
    if books is None:
        return count.quantity
    turned = policy.units.convert(count.quantity, count.unit, position.item, books.unit)
    return None if turned is None else turned.to_value - books.quantity


def _matters(position: Position, difference: Decimal, policy: Policy) -> bool:
    base = abs(position.books.quantity) if position.books else Decimal()
    return abs(difference) > max(policy.stock_units, base * policy.stock_percent / 100)


def _discrepancy(position: Position, difference: Decimal, facts: ItemFacts | None) -> Discrepancy:
    books, count = position.books, position.count
    sides = [side for side in (books, count) if side]
    price = facts.price if facts else None
    return Discrepancy(
        subject=f"inventory/{position.warehouse}/{position.item}@{position.site}",
        since=max(side.at for side in sides),
        cause=_cause(position, difference),
        remedy=REMEDY,
        amount=None if price is None else price * abs(difference),
        currency=facts.currency if facts and price is not None else None,
        details={
            "site": position.site,
            "item": position.item,
            "erp": plain(books.quantity) if books else "-",
            "warehouse": plain(count.quantity) if count else "-",
            "difference": f"{plain(difference)} {sides[0].unit}",
        },
        partner=position.warehouse,
    )


def _cause(position: Position, difference: Decimal) -> str:
    if position.books is None:
        return UNKNOWN
    if position.count is None:
        return ABSENT
    return MORE if difference > 0 else LESS
