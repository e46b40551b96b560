"""Keeps the books of deliveries that go well: many of them, of all targets, in one transaction.

What comes while a transaction is under way shares the next one. Which delivery of a batch is at
fault nobody knows: where one fails, each of its deliveries is written alone (`Ledger.gathered`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from connectors.base import Numbers
from hub.clock import Clock
from hub.gathered import Gathered
from hub.ledger import calls, control_numbers
from hub.ledger.control_numbers import Numbering
from hub.ledger.delivery_rows import Answered, Call, Calling, Claim
from hub.ledger.plans import for_many


@dataclass(frozen=True, slots=True)
class ToBegin:
    """A call that is to be put in doubt, and leased from when that is written."""

    claim: Claim
    n: int
    started_at: datetime
    lasts: timedelta
    """The lease of the call."""
    sha256: str
    archive: str | None


_PATIENCE = timedelta(seconds=1)
"""The longest wait of all for the lock of one; alone it may wait for as long as a transaction may."""

Entry = ToBegin | Answered | Numbering
Written = float | frozenset[str] | Numbers | None
"""Of a call the monotonic time that its lease counts from; of an answer the targets that it woke;
of a document its numbers. None: the claim is somebody else's now."""


class Clerk:
    """Writes entries into the ledger, those that come together in one transaction.

    Args:
        engine: of the ledger.
        clock: what leases count by.
        seconds: deadline of a transaction.

    """

    def __init__(self, engine: AsyncEngine, clock: Clock, seconds: float) -> None:
        self._engine = engine
        self._clock = clock
        self._seconds = seconds
        self._gathered: Gathered[Entry, Written] = Gathered(self._write)

    async def write(self, entry: Entry) -> Written:
        """Write an entry together with what else there is; where that fails, it raises for all."""
        return await self._gathered.do(entry)

    async def write_all(self, conn: AsyncConnection, entries: Sequence[Entry]) -> list[Written]:
        """Write entries in the caller's transaction.

        Documents are locked first, counters last: two clerks never wait for each other.
        """
        asked, now = self._clock.monotonic(), self._clock.now()
        answers = [one for one in entries if isinstance(one, Answered)]
        begins = [one for one in entries if isinstance(one, ToBegin)]
        numberings = [one for one in entries if isinstance(one, Numbering)]
        woken = iter(await calls.answered(conn, answers))
        begun = iter(await calls.begin(conn, [_calling(one, now) for one in begins]))
        numbers = iter(await control_numbers.allocate_all(conn, numberings))
        written: list[Written] = []
        for one in entries:
            match one:
                case Answered():
                    written.append(next(woken))
                case ToBegin():
                    written.append(asked if next(begun) else None)
                case Numbering():
                    written.append(next(numbers))
        return written

    async def _write(self, entries: Sequence[Entry]) -> list[Written]:
        async with asyncio.timeout(self._seconds), self._engine.begin() as conn:
            await for_many(conn, _PATIENCE)
            return await self.write_all(conn, entries)


def _calling(one: ToBegin, now: datetime) -> Calling:
    call = Call(one.n, one.started_at, now + one.lasts, one.sha256, one.archive)
    return Calling(one.claim, call)
