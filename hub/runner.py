"""Pulling from a JetStream consumer so that faults are seen, not suppressed.

One long-lived pull through one inbox. Written because the ready-made subscribers were measured to
spin when a connection closes, to go silent when a consumer is deleted, and to stall a fetch that
has a message waiting (nats.py issue 986).
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress

import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js.errors import NotFoundError

from canonical.errors import HubError

Size = Callable[[Msg], int]
Handle = Callable[[list[Msg]], Awaitable[None]]
Declare = Callable[[], Awaitable[None]]

_EXPIRES = 5.0
_SILENCE = _EXPIRES + 1.0
_PROBE_SECONDS = 10.0
_HEARTBEAT_SECONDS = 3.0
"""Well within `topology.ACK_WAIT_SECONDS`: what is in hand stays in hand."""
_MOST_BYTES = 64 * 1024**2
"""Most bytes of one batch; a single message may be more."""


class Pull:
    """One consumer pulled through one inbox; keeps count of what the server still owes us."""

    def __init__(self, client: Client, source: str, *, batch: int, size: Size) -> None:
        self._client = client
        self._subject = f"$JS.API.CONSUMER.MSG.NEXT.{source}"
        self._batch = batch
        self._size = size
        self._arrived = asyncio.Event()
        self.waiting: deque[Msg] = deque()
        """Fetched and not begun."""
        self._owed = 0
        self._heard = 0.0
        self._inbox = client.new_inbox()
        self._subscription: Subscription | None = None
        self.lost = False
        """The server said that the consumer is not there."""

    async def open(self) -> None:
        """Start listening."""
        self._subscription = await self._client.subscribe(self._inbox, cb=self._on_message)

    async def close(self) -> None:
        """Stop listening, and give back what was fetched and not begun: others have it at once.

        What was begun and not acknowledged comes back after ack_wait.
        """
        if self._subscription is not None and not self._client.is_closed:
            await self._subscription.unsubscribe()
            while self.waiting:
                await self.waiting.popleft().nak()

    async def next(self, wait: float) -> list[Msg]:
        """Return up to a batch of messages; [] after `wait` seconds without any."""
        await self._ask()
        if not self.waiting:
            self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), wait)
            except TimeoutError:
                return []
        messages = self._take()
        # Asked for now, the next batch fills while this one is worked on: under load a batch is
        # full, and what a batch costs (transactions, round trips) is shared by all of it.
        await self._ask()
        return messages

    def _take(self) -> list[Msg]:
        """Take what memory can hold; the rest waits for the next batch."""
        messages: list[Msg] = []
        room = _MOST_BYTES
        while self.waiting and len(messages) < self._batch:
            room -= self._size(self.waiting[0])
            if messages and room < 0:
                break
            messages.append(self.waiting.popleft())
        return messages

    async def _ask(self) -> None:
        now = time.monotonic()
        if self._owed and now - self._heard > _SILENCE:
            self._owed = 0  # the request died with a connection; ask again
        missing = self._batch - self._owed - len(self.waiting)
        if missing < max(1, self._batch // 2):
            return
        request = {"batch": missing, "expires": int(_EXPIRES * 1e9)}
        await self._client.publish(self._subject, json.dumps(request).encode(), self._inbox)
        self._owed += missing
        self._heard = now

    async def _on_message(self, message: Msg) -> None:
        self._heard = time.monotonic()
        status = (message.headers or {}).get("Status")
        if status is None:
            self._owed = max(0, self._owed - 1)
            self.waiting.append(message)
            self._arrived.set()
            return
        if status == "100":
            return
        self._owed = 0
        if status in ("503", "404") or (
            status == "409" and "Consumer Deleted" in (message.headers or {}).get("Description", "")
        ):
            self.lost = status != "404"


class PullRunner:
    """Runs a handler over a consumer's messages, batch after batch, until stopped.

    The handler acknowledges; what it leaves unacknowledged is redelivered. While it works, its
    messages are kept alive. A lost consumer is declared again; a lost NATS is waited for.
    """

    def __init__(
        self, client: Client, stream: str, consumer: str, declare: Declare, size: Size | None = None
    ) -> None:
        """Prepare.

        Args:
            client: the connection.
            stream: its name.
            consumer: the durable's name.
            declare: declares the consumer.
            size: the bytes that a message makes us hold, where that is not what it carries itself.
        """
        self._client = client
        self._stream = stream
        self._consumer = consumer
        self._source = f"{stream}.{consumer}"
        self._declare = declare
        self._size = size or _carried
        self._log = structlog.get_logger("hub.runner").bind(consumer=consumer)

    async def run(
        self, handle: Handle, stop: asyncio.Event, *, batch: int = 200, ahead: int = 0
    ) -> None:
        """Pull and handle until `stop` is set; what is in hand is finished first.

        Args:
            handle: called with each batch, in the order of the stream.
            stop: when to end.
            batch: most messages at once.
            ahead: how many batches may be begun before the one in front of them is finished; the
                handler sees to it that they end in their order.
        """
        pull = Pull(self._client, self._source, batch=batch, size=self._size)
        await pull.open()
        heartbeat = asyncio.create_task(self._keep_alive(pull.waiting))
        probed = time.monotonic()
        begun: deque[asyncio.Task[None]] = deque()
        try:
            while not stop.is_set():
                try:
                    messages = await pull.next(wait=0.5)
                    if messages:
                        begun.append(asyncio.create_task(self._handle(handle, messages)))
                    elif pull.lost or time.monotonic() - probed > _PROBE_SECONDS:
                        probed = time.monotonic()
                        await self._restore(tell=pull.lost)
                        pull.lost = False
                    await _finish(begun, ahead)
                except (nats.errors.Error, HubError, OSError, TimeoutError) as error:
                    self._log.warning("runner_waits", error=type(error).__name__)
                    await asyncio.sleep(0.5)
            await _finish(begun, 0)
        finally:
            for task in (heartbeat, *begun):
                task.cancel()
            await pull.close()

    async def _restore(self, *, tell: bool) -> None:
        """Declare the consumer; say so where it is really gone: one without a leader is not."""
        if tell:
            try:
                await self._client.jetstream().consumer_info(self._stream, self._consumer)
            except NotFoundError:
                self._log.error("consumer_lost", stream=self._stream)
        await self._declare()

    async def _handle(self, handle: Handle, messages: list[Msg]) -> None:
        heartbeat = asyncio.create_task(self._keep_alive(messages))
        try:
            await handle(messages)
        finally:
            heartbeat.cancel()

    async def _keep_alive(self, messages: Collection[Msg]) -> None:
        while True:
            await asyncio.sleep(_HEARTBEAT_SECONDS)
            for message in list(messages):
                if not message._ackd:  # noqa: SLF001  # nats-py has no public word for it
                    with suppress(nats.errors.Error, OSError):  # without NATS, nobody redelivers
                        await message.in_progress()


def _carried(message: Msg) -> int:
    return len(message.data)


async def _finish(begun: deque[asyncio.Task[None]], ahead: int) -> None:
    """Wait for the oldest batches until at most `ahead` are under way; raise what they raised."""
    while begun and (len(begun) > ahead or begun[0].done()):
        try:
            await begun[0]
        finally:
            if begun[0].done():
                begun.popleft()
