"""What one run of a job is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from hub.reconcile.discrepancy import Discrepancy
from hub.reconcile.facts import ItemBook
from hub.reconcile.policy import Policy
from hub.settings.model import Site


@dataclass(frozen=True, slots=True)
class Context:
    """Everything that a job may look at."""

    ledger: AsyncConnection
    site: Site
    policy: Policy
    items: ItemBook
    since: datetime
    """News from then on are looked at."""
    now: datetime

    def news(self, clocks: Iterable[timedelta]) -> list[tuple[datetime, datetime]]:
        """Return the span, and for each clock the span in which it began that ran out in this one.

        Spans that overlap are one.
        """
        spans: list[tuple[datetime, datetime]] = []
        for clock in sorted({timedelta(), *clocks}, reverse=True):
            since, until = self.since - clock, self.now - clock
            if spans and since <= spans[-1][1]:
                spans[-1] = spans[-1][0], until
            else:
                spans.append((since, until))
        return spans

    @property
    def span(self) -> tuple[datetime, datetime]:
        """From when until when."""
        return self.since, self.now

    @property
    def days(self) -> tuple[date, date]:
        """The first and the last day of the span."""
        return self.since.date(), self.now.date()


@dataclass(frozen=True, slots=True)
class Looked:
    """What a job saw."""

    found: list[Discrepancy]
    looked_at: int
    """Orders, positions, deliveries or days: what the job counts in."""
    unchecked: int = 0
    """Those of them that could not be compared."""
