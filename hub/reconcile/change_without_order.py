"""change-without-order: changes and cancellations of an order that never came. A pure function.

Such a change is parked, and goes on by itself when its order arrives; one that waits too long tells
of an order that was lost on its way, or of a number that somebody mistyped.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.reconcile.discrepancy import Discrepancy

NAME = "change-without-order"
OWNER = "order desk"
PARKED = "a change waits for an order that has not come"
ASK = "ask the buyer for the order; or reject the hold"


@dataclass(frozen=True, slots=True)
class Parked:
    """One change that is parked."""

    hold: str
    number: str
    partner: str
    connection: str
    since: datetime
    reference: str | None = None


def find(parked: Iterable[Parked], after: timedelta, now: datetime) -> list[Discrepancy]:
    """Return what has been parked for too long."""
    return [
        Discrepancy(
            subject=f"hold/{each.hold}",
            since=each.since,
            cause=PARKED,
            remedy=ASK,
            details={"number": each.number, "from": each.connection},
            partner=each.partner,
            reference=each.reference,
        )
        for each in parked
        if now - each.since > after
    ]
