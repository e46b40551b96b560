"""Receipts of ours that go out on a connection of their own (asynchronous MDNs, RFC 4130 7.2).

A receipt for what was stored is owed: it is in the ledger, and tried until it is taken or the waits
run out. A receipt for what was refused is sent once, from memory: the sender hears again when it
comes again. Every address is one that somebody else named, see `hub.outward`: each call has its
deadline, and of one connection only a few are called at once, so that slow addresses of one partner
hold up no receipt of another.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from canonical.errors import HubError, Rejected
from connectors.reach import Reach
from hub.intake.door import Door
from hub.ledger import exchanges
from hub.ledger.exchanges import Answer, Key, Owed, Room
from hub.outward import check, post

_DELAYS_SECONDS = (2, 10, 60, 300, 1800, 7200, 21_600)
_LEASE = timedelta(seconds=120)
_AT_ONCE = 32
_OF_ONE = 4
_MOST_SOON = 32
_LOOK_SECONDS = 1.0


class Receipts:
    """Sends receipts, those that are owed and those that are not."""

    def __init__(self, door: Door, *, allow_private: bool) -> None:
        self._door = door
        self._reach = Reach(allow_private=allow_private)
        self._owed: dict[asyncio.Task[None], str] = {}
        """Receipts on their way -> of which connection."""
        self._ended = asyncio.Event()
        """One of them has come to its end."""
        self._soon: set[asyncio.Task[None]] = set()
        self._log = structlog.get_logger("hub.as2")

    async def check(self, url: str) -> None:
        """Let an address pass that we may call; one that does not resolve now is for later.

        Raises:
            Rejected: ``address_invalid``, ``address_private``.
            Retryable: ``address_unknown``.
        """
        await check(url, self._reach)

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
            self._ended.clear()
            try:
                begun = await self._begin()
            except (SQLAlchemyError, OSError) as error:
                self._log.warning("receipts_wait", error=type(error).__name__)
                begun = []
            if not begun:
                await _pause(stop, self._ended)
        going = [*self._soon, *self._owed]
        for task in going:
            task.cancel()  # what is owed is tried again once its lease has ended
        await asyncio.gather(*going, return_exceptions=True)

    async def send_due(self) -> None:
        """Send receipts that are due, as many as there is room for, and wait for their end."""
        await asyncio.gather(*await self._begin())

    async def _begin(self) -> list[asyncio.Task[None]]:
        """Begin to send what is due of connections of which nothing is on its way."""
        now, room = self._door.clock.now(), _AT_ONCE - len(self._owed)
        if room <= 0:
            return []
        wanted = Room(room, _OF_ONE, set(self._owed.values()))
        async with self._door.engine.begin() as ledger:
            due = await exchanges.take_due(ledger, now, now + _LEASE, wanted)
        begun = [asyncio.create_task(self._settled(owed)) for owed in due]
        for task, owed in zip(begun, due, strict=True):
            self._owed[task] = owed.key.connection
            task.add_done_callback(self._over)
        return begun

    def _over(self, task: asyncio.Task[None]) -> None:
        self._owed.pop(task, None)
        self._ended.set()

    async def _settled(self, owed: Owed) -> None:
        try:
            await self._send(owed)
        except (SQLAlchemyError, OSError) as error:  # its lease ends, and it is sent again
            self._log.warning("receipts_wait", error=type(error).__name__)

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
            await post(url, answer.headers, answer.body, self._reach)
        except HubError as error:
            self._door.refused(connection, error)
            return error
        return None


async def _pause(*events: asyncio.Event) -> None:
    """Wait for one of them, but not for long."""
    waits = [asyncio.create_task(each.wait()) for each in events]
    await asyncio.wait(waits, timeout=_LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
