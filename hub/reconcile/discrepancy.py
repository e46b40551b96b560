"""What a reconciliation job finds, before anyone has decided what to do about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """One thing missing, extra, different or late."""

    subject: str
    """The business key that it is about."""
    since: datetime
    """When it became true; its age counts from here."""
    cause: str
    remedy: str
    amount: Decimal | None = None
    currency: str | None = None
    details: dict[str, str] = field(default_factory=dict)
    document_id: str | None = None
    """The document whose delivery would heal it."""
