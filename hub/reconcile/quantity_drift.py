"""quantity-drift: shipped beyond what was ordered, or what nobody ordered. A pure function.

Billed against shipped is for ship-not-invoiced and invoiced-not-shipped: each difference is found
once. The details name all three quantities.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from hub.reconcile.discrepancy import Discrepancy, money, plain
from hub.reconcile.line_ledger import Line, same_item
from hub.reconcile.orders import OrderThread
from hub.reconcile.policy import Policy

NAME = "quantity-drift"
OWNER = "warehouse"
OVER = "more was shipped than ordered"
UNORDERED = "an item was shipped that nobody ordered"
REMEDY = "ask the buyer to take it, or have it sent back and credited"


def find(
    thread: OrderThread,
    lines: Sequence[Line],
    policy: Policy,
    now: datetime,  # noqa: ARG001  # every job takes the same arguments
) -> Discrepancy | None:
    """Return what was shipped beyond the order in force and the tolerance."""
    if not thread.versions:
        return None  # what the order says is not known: nothing to compare with
    over = {
        item: group
        for item, group in same_item(lines).items()
        if all(line.comparable for line in group)
        and policy.beyond(_sum(group, "wanted"), _sum(group, "shipped"))
    }
    if not over:
        return None
    moved = [
        each
        for group in over.values()
        for line in group
        for each in line.movements
        if each.kind == "shipped"
    ]
    ordered = all(any(line.expected for line in group) for group in over.values())
    return Discrepancy(
        subject=thread.subject,
        since=max(each.paper.at for each in moved),
        cause=OVER if ordered else UNORDERED,
        remedy=REMEDY,
        amount=money([_worth(group) for group in over.values()]),
        currency=thread.currency,
        details={item or "?": _told(group) for item, group in over.items()},
        partner=thread.partner,
        reference=thread.reference,
    )


def _sum(group: Sequence[Line], what: str) -> Decimal:
    if what == "wanted":
        return sum((line.wanted for line in group), Decimal())
    return sum((line.total("shipped") for line in group), Decimal())


def _worth(group: Sequence[Line]) -> Decimal | None:
    price = next((line.price for line in group if line.price is not None), None)
    return None if price is None else price * (_sum(group, "shipped") - _sum(group, "wanted"))


def _told(group: Sequence[Line]) -> str:
    invoiced = sum((line.total("invoiced") for line in group), Decimal())
    return (
        f"ordered {plain(_sum(group, 'wanted'))}, shipped {plain(_sum(group, 'shipped'))},"
        f" invoiced {plain(invoiced)} {group[0].unit}"
    )
