"""price-drift: billed at another price than ordered. A pure function of values."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from hub.reconcile.discrepancy import Discrepancy, plain
from hub.reconcile.line_ledger import Line, Movement, same_item
from hub.reconcile.orders import OrderThread
from hub.reconcile.policy import Policy

NAME = "price-drift"
OWNER = "billing"
CAUSE = "billed at another price than ordered"
CURRENCY = "billed in another currency than ordered"
REMEDY = "credit and bill again at the ordered price, or agree on the new one"


def find(
    thread: OrderThread,
    lines: Sequence[Line],
    policy: Policy,
    now: datetime,  # noqa: ARG001  # every job takes the same arguments
) -> Discrepancy | None:
    """Return the invoiced lines whose price is off the ordered one by more than the tolerance.

    Both prices count per canonical unit. A line that was ordered without a price has none to
    compare with; of two lines of one item the nearer price counts.
    """
    off: list[tuple[Line, Movement]] = []
    for group in same_item(lines).values():
        priced = [line for line in group if line.price is not None]
        if priced:
            billed = [each for line in group for each in line.movements if each.price is not None]
            off += [
                (_nearest(priced, each), each)
                for each in billed
                if each.kind == "invoiced" and _differs(_nearest(priced, each), each, policy)
            ]
    if not off:
        return None
    mixed = any(_other_currency(line, each) for line, each in off)
    return Discrepancy(
        subject=thread.subject,
        since=min(each.paper.at for _, each in off),
        cause=CURRENCY if mixed else CAUSE,
        remedy=REMEDY,
        amount=None if mixed else sum((_worth(line, each) for line, each in off), Decimal()),
        currency=thread.currency,
        details={line.item: _told(line, each) for line, each in off},
        partner=thread.partner,
        reference=thread.reference,
    )


def _nearest(lines: Sequence[Line], billed: Movement) -> Line:
    return min(lines, key=lambda line: _gap(line, billed))


def _gap(line: Line, billed: Movement) -> Decimal:
    return abs((line.price or Decimal()) - (billed.price or Decimal()))


def _other_currency(line: Line, billed: Movement) -> bool:
    return bool(line.currency and billed.currency and line.currency != billed.currency)


def _differs(line: Line, billed: Movement, policy: Policy) -> bool:
    if _other_currency(line, billed):
        return True
    return policy.off_price(line.price or Decimal(), billed.price or Decimal())


def _worth(line: Line, billed: Movement) -> Decimal:
    return _gap(line, billed) * billed.quantity


def _told(line: Line, billed: Movement) -> str:
    return (
        f"ordered at {plain(line.price or Decimal())} {line.currency or ''}, billed at"
        f" {plain(billed.price or Decimal())} {billed.currency or ''} per {line.unit}"
        f" on {billed.paper.number}"
    )
