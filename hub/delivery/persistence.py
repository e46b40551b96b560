"""Reaching the ledger: a deadline on every transaction, and patience where one must succeed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar, cast

import asyncpg
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    PendingRollbackError,
    ProgrammingError,
    ResourceClosedError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.base import Numbers
from hub.delivery.clerk import Entry, ToBegin, Written
from hub.delivery.parts import DeliverParts
from hub.ledger.control_numbers import Numbering
from hub.ledger.delivery_rows import Answered

T = TypeVar("T")
Work = Callable[[AsyncConnection], Awaitable[T]]

LEDGER_ERRORS = (
    DBAPIError,
    PoolTimeoutError,
    PendingRollbackError,
    ResourceClosedError,
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
)
"""Raised where the ledger is away, slow, full or restarting; TimeoutError is an OSError."""

_FIRST = 0.1


@dataclass(slots=True)
class Backoff:
    """Growing, jittered waits between tries to reach the ledger; all in seconds."""

    parts: DeliverParts
    _next: float = _FIRST

    def wait(self) -> float:
        """Return how long to wait now; the next wait is longer."""
        delay = self._next
        self._next = min(delay * 2, self.parts.timing.backoff_cap)
        return delay * (0.5 + self.parts.rng.random() / 2)

    def reset(self) -> None:
        """Start small again."""
        self._next = _FIRST


@dataclass(frozen=True, slots=True)
class Ledger:
    """Transactions on the ledger for one target."""

    target: str
    parts: DeliverParts

    async def once(self, work: Work[T]) -> T:
        """Do `work` in one transaction.

        Raises:
            LEDGER_ERRORS: it did not happen, or (where the commit's answer was lost) it may have.

        """
        async with asyncio.timeout(self.parts.timing.ledger), self.parts.engine.begin() as conn:
            return await work(conn)

    async def surely(self, work: Work[T]) -> T:
        """Do `work` until it is committed, however long the ledger is away.

        For work that the claim's token guards: done twice, the second time changes nothing.

        Raises:
            DataError, IntegrityError, ProgrammingError: a bug; trying again would not help.

        """
        backoff = Backoff(self.parts)
        while True:
            try:
                return await self.once(work)
            except (DataError, IntegrityError, ProgrammingError):
                raise
            except LEDGER_ERRORS as error:
                self.unreachable(error)
                await asyncio.sleep(backoff.wait())

    async def begin(self, entry: ToBegin) -> float | None:
        """Put a call in doubt, surely; see `Clerk`."""
        return cast("float | None", await self._write(entry))

    async def answered(self, entry: Answered) -> frozenset[str] | None:
        """Record that the target has it, surely; see `Clerk`."""
        return cast("frozenset[str] | None", await self._write(entry))

    async def number(self, entry: Numbering) -> Numbers:
        """Number a document, surely; see `Clerk`."""
        return cast("Numbers", await self._write(entry))

    async def _write(self, entry: Entry) -> Written:
        """Write with what others write just now; where that fails, alone until it is committed."""
        clerk = self.parts.clerk
        try:
            return await clerk.write(entry)
        except Exception:  # of any of them: alone it tells whose it is
            return (await self.surely(lambda conn: clerk.write_all(conn, [entry])))[0]

    def unreachable(self, error: BaseException) -> None:
        """Tell that the ledger could not be reached."""
        self.parts.observer.event(
            "ledger_unreachable", target=self.target, error=type(error).__name__
        )
