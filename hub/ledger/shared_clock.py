"""The ledger's clock, as all replicas have it: leases and due times are compared by it.

Machines' clocks differ, and are set. A lease that one machine has written and another one takes for
over is a second call while the first is under way. So each process asks the ledger what time it is,
and counts on from there by its monotonic clock, which nobody sets.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.clock import Clock
from hub.pause import pause

_EVERY_SECONDS = 30.0
"""Between two questions: a monotonic clock drifts by some milliseconds meanwhile."""
_MOST_SECONDS = 0.5
"""An answer that took longer says too little of when it was given."""
_NOTABLE = timedelta(seconds=5)


class SharedClock:
    """The time of the ledger; before the first answer, that of the machine.

    Args:
        engine: the ledger.
        machine: the machine's own clocks.

    """

    def __init__(self, engine: AsyncEngine, machine: Clock) -> None:
        self._engine = engine
        self._machine = machine
        self._said: tuple[datetime, float] | None = None
        self._log = structlog.get_logger("hub.clock")

    def now(self) -> datetime:
        """Return the ledger's time, UTC."""
        if self._said is None:
            return self._machine.now()
        moment, at = self._said
        return moment + timedelta(seconds=self._machine.monotonic() - at)

    def monotonic(self) -> float:
        """Return the monotonic clock's seconds."""
        return self._machine.monotonic()

    def ahead(self) -> timedelta:
        """Return how far the machine's clock is ahead of the ledger's."""
        return self._machine.now() - self.now()

    async def agree(self) -> None:
        """Ask the ledger for the time.

        Raises:
            SQLAlchemyError: the ledger is away.
            OSError: it cannot be reached.
        """
        async with self._engine.connect() as ledger:
            began = self._machine.monotonic()
            moment = await ledger.scalar(sa.select(sa.func.clock_timestamp()))
            ended = self._machine.monotonic()
        if moment is not None and (self._said is None or ended - began <= _MOST_SECONDS):
            self._said = moment, (began + ended) / 2

    async def run(self, stop: asyncio.Event) -> None:
        """Ask again and again, until stopped; say so where the machine's clock is far off."""
        told = False
        while not stop.is_set():
            await pause(stop, _EVERY_SECONDS)
            try:
                await self.agree()
            except (SQLAlchemyError, OSError):
                continue  # it goes on by the monotonic clock
            off = abs(self.ahead()) > _NOTABLE
            if off and not told:
                self._log.warning("clock_off", seconds=round(self.ahead().total_seconds(), 1))
            told = off
