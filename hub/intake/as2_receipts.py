"""Receipts of ours that go out on a connection of their own (asynchronous MDNs, RFC 4130 7.2).

A receipt for what was stored is owed: it is in the ledger, and tried until it is taken or the waits
run out. A receipt for what was refused is sent once, from memory: the sender hears again when it
comes again. Every address is one that somebody else named, see `hub.outward`.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from canonical.errors import HubError, Rejected
from hub.intake.door import Door
from hub.ledger import exchanges
from hub.ledger.exchanges import Answer, Key, Owed
from hub.outward import address_of, post

_DELAYS_SECONDS = (2, 10, 60, 300, 1800, 7200, 21_600)
_LEASE = timedelta(seconds=120)
_AT_ONCE = 8
_MOST_SOON = 32
_LOOK_SECONDS = 1.0


class Receipts:
    """Sends receipts, those that are owed and those that are not."""

    def __init__(self, door: Door, *, allow_private: bool) -> None:
        self._door = door
        self._allow_private = allow_private
        self._soon: set[asyncio.Task[None]] = set()
        self._log = structlog.get_logger("hub.as2")

    async def check(self, url: str) -> None:
        """Let an address pass that we may call; one that does not resolve now is for later.

        Raises:
            Rejected: ``address_invalid``, ``address_private``.
            Retryable: ``address_unknown``.
        """
        await address_of(url, allow_private=self._allow_private)

    async def owe(self, key: Key, url: str) -> None:
        """Let a stored receipt be sent."""
        async with self._door.engine.begin() as ledger:
            await exchanges.owe(ledger, key, url, self._door.clock.now())

    def send_soon(self, connection: str, url: str, answer: Answer) -> None:
        """Send a receipt once, if not too many are on their way."""
        if len(self._soon) >= _MOST_SOON:
            self._log.warning("receipt_dropped", connection=connection)
            return
        task = asyncio.create_task(self._try(connection, url, answer))
        self._soon.add(task)
        task.add_done_callback(self._soon.discard)

    async def run(self, stop: asyncio.Event) -> None:
        """Send what is owed until stopped; any replica may."""
        while not stop.is_set():
            try:
                busy = await self.send_due()
            except (SQLAlchemyError, OSError) as error:
                self._log.warning("receipts_wait", error=type(error).__name__)
                busy = False
            if not busy:
                await _pause(stop)
        for task in self._soon:
            task.cancel()
        await asyncio.gather(*self._soon, return_exceptions=True)

    async def send_due(self) -> bool:
        """Send receipts that are due, several at once; True: there may be more."""
        now = self._door.clock.now()
        async with self._door.engine.begin() as ledger:
            due = await exchanges.take_due(ledger, now, now + _LEASE, _AT_ONCE)
        await asyncio.gather(*(self._send(owed) for owed in due))
        return len(due) == _AT_ONCE

    async def _send(self, owed: Owed) -> None:
        error = await self._posted(owed.key.connection, owed.url, owed.answer)
        again = None
        if error is not None and not isinstance(error, Rejected):
            again = self._next(owed.attempts)
        now = self._door.clock.now()
        async with self._door.engine.begin() as ledger:
            await exchanges.settle(
                ledger, owed.key, now + again if again else None, error.code if error else None
            )

    def _next(self, attempts: int) -> timedelta | None:
        if attempts > len(_DELAYS_SECONDS):
            return None
        return timedelta(seconds=_DELAYS_SECONDS[attempts - 1])

    async def _try(self, connection: str, url: str, answer: Answer) -> None:
        await self._posted(connection, url, answer)

    async def _posted(self, connection: str, url: str, answer: Answer) -> HubError | None:
        try:
            await post(url, answer.headers, answer.body, allow_private=self._allow_private)
        except HubError as error:
            self._door.refused(connection, error)
            return error
        return None


async def _pause(stop: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(_LOOK_SECONDS):
            await stop.wait()
    except TimeoutError:
        return
