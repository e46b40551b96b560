"""The door: what every transport does with an authenticated receipt before it says yes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from canonical.errors import HubError, Retryable
from connectors.base import Receipt
from hub.clock import Clock
from hub.failpoints import reached
from hub.intake.store import ReceiptStore
from hub.ledger import inbox
from hub.seen import Seen, digest_of
from hub.telemetry.metrics import Metrics
from hub.telemetry.tracing import Tracing

_CONFIRM_SECONDS = 1.0
"""Longest wait for a ledger that hangs; the sender's yes does not depend on it."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The yes: which receipt answers for these bytes, and whether it was there before."""

    receipt_id: str
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Door:
    """Stores receipts durably; shared by all transports."""

    store: ReceiptStore
    seen: Seen
    engine: AsyncEngine
    clock: Clock
    metrics: Metrics
    tracing: Tracing

    async def accept(self, receipt: Receipt) -> Accepted:
        """Return once the sender may hear yes.

        Raises:
            Retryable: nothing was stored; the sender must be told to come again.
        """
        reached("intake.read")
        await self.store.save(receipt)
        reached("intake.stored")
        self.metrics.receipts.labels(receipt.connection).inc()
        return Accepted(receipt.id, duplicate=False)

    async def accept_call(self, receipt: Receipt) -> Accepted:
        """Accept a call whose answer is the yes itself.

        An obvious repeat is answered with the first receipt, and counted there; anything less
        than certain goes the whole way, where the ledger decides. Not for files: their answer (a
        997) is owed again, and only the whole way sends it.

        Raises:
            Retryable: nothing was stored; the sender must be told to come again.
        """
        first = await self._first(receipt)
        return await self.accept(receipt) if first is None else Accepted(first, duplicate=True)

    async def _first(self, receipt: Receipt) -> str | None:
        found = await self.seen.find(receipt)
        if found is None or found == receipt.id:
            return None
        try:
            async with asyncio.timeout(_CONFIRM_SECONDS), self.engine.begin() as ledger:
                known = await inbox.count_redelivery(ledger, found, digest_of(receipt))
        except (SQLAlchemyError, OSError) as error:
            structlog.get_logger("hub.door").warning("seen_unconfirmed", error=type(error).__name__)
            return None
        return found if known else None

    def refused(self, connection: str, error: HubError) -> None:
        """Count and log a refusal at the door."""
        kind = "later" if isinstance(error, Retryable) else "refused"
        self.metrics.refused.labels(connection, error.code).inc()
        cause = error.__cause__  # what a sender must not learn, we want to know
        why = {"cause": cause.code} if isinstance(cause, HubError) else {}
        structlog.get_logger("hub.door").warning(
            kind, connection=connection, code=error.code, where=error.where, **why
        )
