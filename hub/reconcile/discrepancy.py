"""What a reconciliation job finds, before anyone has decided what to do about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """One thing missing, extra, different or late."""

    subject: str
    """What it is about: a business key, a delivery, an item at a site, a partner's day."""
    since: datetime
    """When it became true; its age counts from here."""
    cause: str
    """One of the job's own few sentences: reports group by it."""
    remedy: str
    amount: Decimal | None = None
    """The money at stake, where it is known; never negative."""
    currency: str | None = None
    details: dict[str, str] = field(default_factory=dict)
    """Numbers and quantities that a person needs; no names, no addresses."""
    partner: str = ""
    reference: str | None = None
    """Our reference of the order."""
    heal: str | None = None
    """The document or delivery that healing starts from; None: nothing can be driven again."""


def plain(number: Decimal) -> str:
    """Return a number as details show it: 4.500 is 4.5, and never 4.5E+3."""
    return format(number.normalize(), "f") if number else "0"


def money(parts: list[Decimal | None]) -> Decimal | None:
    """Return the sum of amounts; None where one of them is not known."""
    known = [part for part in parts if part is not None]
    return sum(known, Decimal()) if known and len(known) == len(parts) else None
