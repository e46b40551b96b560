"""Nobody else may step in while a call may still run, however long the ledger kept us waiting."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from connectors.base import Outbound, Settled
from hub.clock import SystemClock
from hub.delivery.role import DeliverRole
from hub.ledger.tables import delivery
from tests.support.deliveries import LIMITS, Books, ScriptedTarget, parts, running, spec, until


@dataclass
class Jumping(SystemClock):
    """The machine's clocks, moved on by whatever the test says has passed."""

    ahead: float = 0.0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.ahead)

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


@dataclass
class Outage:
    """An engine whose ledger is away for two minutes before, or slow after, a transaction."""

    engine: AsyncEngine
    clock: Jumping
    kind: str
    upon: int
    """Which transaction it strikes; the first claims, the second begins the call."""
    begun: int = 0

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        self.begun += 1
        struck = self.begun == self.upon
        if struck and self.kind == "away":
            self.clock.ahead += 120
            raise ConnectionRefusedError
        async with self.engine.begin() as conn:
            yield conn
        if struck and self.kind == "slow":
            self.clock.ahead += 120


class Watchful(ScriptedTarget):
    """A target that looks, when it is called, how long the lease of the call still lasts."""

    books: Books
    clock: Jumping
    left: float = 0.0

    async def deliver(self, outbound: Outbound) -> Settled:
        row = await self.books.row(delivery, id=outbound.id)
        self.left = (row["claimed_until"] - self.clock.now()).total_seconds()
        return await super().deliver(outbound)


@pytest.mark.parametrize("kind", ["away", "slow"])
async def test_a_call_has_its_whole_lease_before_it_however_late_it_begins(
    books: Books, kind: str
) -> None:
    clock, target = Jumping(), Watchful()
    target.books, target.clock = books, clock
    of_order = await books.order("PO-1")
    engine = cast("Any", Outage(books.engine, clock, kind, upon=2))
    async with running(DeliverRole(spec(target), parts(engine, clock=clock))):
        await until(books, of_order, "delivered")
    assert clock.ahead == 120
    assert target.left >= LIMITS.timeout_seconds
