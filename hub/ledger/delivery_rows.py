"""The values that deliveries are claimed and settled with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from connectors.base import Settled


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One delivery, as it was when it was claimed."""

    id: str
    document_id: str
    target: str
    action: str
    flow: str
    occasion: str
    business_key: str
    version: int
    after_target: str | None
    state: str
    attempts: int
    reference: str
    trace_id: str | None
    created_at: datetime
    yields: bool = False
    """It is replayed, and goes after what is live."""


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """The document that a delivery hands over."""

    id: str
    direction: str
    receipt_id: str | None
    position: int
    connection: str
    partner: str
    entity: str
    flow: str
    business_key: str
    content_id: str
    version: int | None
    purpose: str
    number: str | None
    reference: str | None
    amount: Decimal | None
    currency: str | None
    canonical: dict[str, Any] | None
    mapping_version: str | None
    trace_id: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Tries:
    """The history of a delivery, as the decision after a failed try needs it.

    Counted from its last death on: a replay starts anew.
    """

    first_at: datetime | None = None
    failures: int = 0
    asks: int = 0
    deaths: int = 0
    """Tries that never ended: the process died in them."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery in hand. `document` is None where the ledger has lost it."""

    delivery: DeliveryRow
    token: str
    document: DocumentRow | None
    tries: Tries

    @property
    def in_doubt(self) -> bool:
        """It may have taken effect already."""
        return self.delivery.state == "in_doubt"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to claim: due deliveries of `target`, the oldest first, one per business key."""

    target: str
    token: str
    until: datetime
    limit: int
    busy: Sequence[str] = ()
    """Business keys that are in hand here."""
    fresh_only: bool = False
    """Leave out what was tried before: the retry budget is used up."""
    yielding: int | None = None
    """At most so many that are replayed; None: as many as there is room for."""

    @property
    def most_yielding(self) -> int:
        """How many of `limit` may be replayed."""
        return self.limit if self.yielding is None else min(self.limit, self.yielding)


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a claim brought: deliveries in hand, and how many were found waiting for others."""

    claims: tuple[Claim, ...] = ()
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Why:
    """The three parts of an error, as the columns are named."""

    code: str
    place: str
    detail: str


@dataclass(frozen=True, slots=True)
class Ending:
    """How one try ended: its `attempt` row.

    Outcomes: ``delivered``, ``asked_found``, ``retry``, ``deferred`` (a retry that the target
    asked to come no sooner), ``throttled``, ``in_doubt``, ``ask_failed``, ``halted``, ``dead``.
    """

    n: int
    outcome: str
    started_at: datetime
    ended_at: datetime
    why: Why | None = None
    said: str | None = None
    """What the target answered in its own words, values masked."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call that is about to be made: what is sent, and how long nobody else may step in."""

    n: int
    started_at: datetime
    until: datetime
    sha256: str
    archive: str | None = None


@dataclass(frozen=True, slots=True)
class Calling:
    """A delivery in hand, and the call of it that is about to be made."""

    claim: Claim
    call: Call


@dataclass(frozen=True, slots=True)
class Answered:
    """A delivery in hand that its target has, and how we know."""

    claim: Claim
    ending: Ending
    settled: Settled


@dataclass(frozen=True, slots=True)
class Letter:
    """What a dead letter says beyond the delivery and its document."""

    stage: str
    fingerprint: str
    mapping_version: str | None
