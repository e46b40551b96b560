"""double-entry: the hub's own books, per day and partner. A pure function of values.

Every received document is booked in its state, and that state must be borne out by another table: a
held document by an open hold, a dead one by a dead letter, one under way by a delivery that is not at
rest, a delivered one by having none of those, all of them by a receipt. So
received = delivered + held + dead + duplicate + rejected (+ under way) can fail.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal

from hub.reconcile.discrepancy import Discrepancy

NAME = "double-entry"
OWNER = "operations"
CAUSE = "the books do not add up: documents stand in a state that nothing bears out"
REMEDY = "look at the documents named, by `crossdock trace`; report it as a fault of the hub"
DISPOSITIONS = {
    "accepted": "in_progress", "delivered": "delivered", "held": "held", "dead": "dead",
    "duplicate": "duplicate", "rejected": "rejected",
}  # fmt: skip
"""A document's state -> how the books call it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Documents of one partner and day that stand in one state with the same evidence for it."""

    day: date
    partner: str
    state: str
    borne_out: bool
    count: int
    amount: Decimal | None = None
    currency: str | None = None
    examples: tuple[str, ...] = ()
    """Ids of some of them."""


@dataclass(slots=True)
class Day:
    """The books of one partner's day."""

    received: int = 0
    booked: dict[str, int] = field(default_factory=dict)
    """Only what is borne out."""
    loose: list[Entry] = field(default_factory=list)

    @property
    def adds_up(self) -> bool:
        """Whether everything received is booked somewhere."""
        return self.received == sum(self.booked.values())


def books(entries: Iterable[Entry]) -> dict[tuple[date, str], Day]:
    """Return the books by day and partner."""
    found: dict[tuple[date, str], Day] = {}
    for entry in entries:
        day = found.setdefault((entry.day, entry.partner), Day())
        day.received += entry.count
        name = DISPOSITIONS.get(entry.state)
        if name is None or not entry.borne_out:
            day.loose.append(entry)
        else:
            day.booked[name] = day.booked.get(name, 0) + entry.count
    return found


def find(entries: Iterable[Entry]) -> list[Discrepancy]:
    """Return the days on which the books of a partner do not add up."""
    return [
        _discrepancy(day, partner, book)
        for (day, partner), book in sorted(books(entries).items())
        if not book.adds_up
    ]


def _discrepancy(day: date, partner: str, book: Day) -> Discrepancy:
    amounts = [entry.amount for entry in book.loose if entry.amount is not None]
    currencies = {entry.currency for entry in book.loose if entry.currency}
    loose = {f"{entry.state}, not borne out": str(entry.count) for entry in book.loose}
    examples = [name for entry in book.loose for name in entry.examples]
    return Discrepancy(
        subject=f"books/{partner}/{day.isoformat()}",
        since=datetime.combine(day, time(), UTC),
        cause=CAUSE,
        remedy=REMEDY,
        amount=sum(amounts, Decimal()) if amounts and len(currencies) == 1 else None,
        currency=currencies.pop() if len(currencies) == 1 else None,
        details={"received": str(book.received)}
        | {name: str(count) for name, count in sorted(book.booked.items())}
        | loose
        | {"documents": ", ".join(examples[:5])},
        partner=partner,
    )
