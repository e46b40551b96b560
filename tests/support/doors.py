"""A door whose store a test holds in its hands."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy.ext.asyncio import AsyncEngine

from canonical.errors import Retryable
from connectors.base import Receipt
from hub.clock import SystemClock
from hub.intake.door import Door
from hub.intake.store import ReceiptStore
from hub.seen import Seen
from hub.telemetry.metrics import Metrics
from hub.telemetry.tracing import Tracing


class Shelf:
    """Keeps receipts in memory, or refuses all of them."""

    def __init__(self) -> None:
        self.receipts: list[Receipt] = []
        self.refusing = False

    async def save(self, receipt: Receipt) -> None:
        """Keep a receipt."""
        if self.refusing:
            raise Retryable("stream_full")
        self.receipts.append(receipt)


class Unseen:
    """Remembers nothing."""

    async def find(self, receipt: Receipt) -> None:
        """Nothing was there before."""


def door(shelf: Any, engine: AsyncEngine | None = None) -> Door:
    """Return a door into `shelf`."""
    metrics = Metrics()
    return Door(
        cast(ReceiptStore, shelf),
        cast(Seen, Unseen()),
        cast(AsyncEngine, engine),
        SystemClock(),
        metrics,
        Tracing(metrics),
    )
