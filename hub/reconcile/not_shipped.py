"""not-shipped-by-date: what was to leave by a day and has not. A pure function of values."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from hub.reconcile.discrepancy import Discrepancy, money, plain
from hub.reconcile.line_ledger import Line
from hub.reconcile.orders import OrderThread
from hub.reconcile.policy import Policy

NAME = "not-shipped-by-date"
OWNER = "warehouse"
CAUSE = "past its day to ship, nothing left"
PARTLY = "past its day to ship, a part has not left"
HELD = "past its day to ship, the order is held"
REMEDY = "ask the warehouse; tell the buyer a new date"
RELEASE = "release or reject the hold; tell the buyer a new date"


def find(
    thread: OrderThread, lines: Sequence[Line], policy: Policy, now: datetime
) -> Discrepancy | None:
    """Return what is open after the day to ship and the days of grace.

    Cancelled quantities are not open; backordered ones are known to be late: neither is found.
    """
    due = _due(thread)
    if due is None or now.date() <= due + timedelta(days=policy.late_days):
        return None
    late = [line for line in lines if line.expected and line.stocked and line.open > 0]
    late = [line for line in late if line.comparable]
    if not late:
        return None
    held = any(paper.state == "held" for paper in thread.versions)
    shipped = any(line.total("shipped") > 0 for line in lines)
    return Discrepancy(
        subject=thread.subject,
        since=datetime.combine(due, time(), UTC) + timedelta(days=1),
        cause=HELD if held else PARTLY if shipped else CAUSE,
        remedy=RELEASE if held else REMEDY,
        amount=money([None if line.price is None else line.price * line.open for line in late]),
        currency=thread.currency,
        details={line.item or line.number: f"{plain(line.open)} {line.unit}" for line in late}
        | {"ship by": due.isoformat()},
        partner=thread.partner,
        reference=thread.reference,
    )


def _due(thread: OrderThread) -> date | None:
    """The day to ship that the newest version to name one says."""
    return next((paper.ship_by for paper in reversed(thread.versions) if paper.ship_by), None)
