"""What one run of a job is given, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

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
