"""One simulated process's connection to the simulated broker: what the hub's code calls of nats-py."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import nats.errors
from nats.js.errors import ServiceUnavailableError

from tests.sim.broker import FULL, Broker, Consumer
from tests.sim.loop import START
from tests.sim.tables import Answering

_ACK_TIMEOUT = 5.0
_LONGEST_WAIT = 60.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message stands in its stream."""

    stream: int


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a delivery says of itself."""

    num_delivered: int
    sequence: Place
    timestamp: datetime


class Message:
    """One delivery of a message, as a handler sees it."""

    def __init__(self, connection: Connection, consumer: Consumer, given: tuple[Any, int]) -> None:
        stored, count = given
        self._connection = connection
        self._consumer = consumer
        self.seq: int = stored.seq
        self.headers: Mapping[str, str] = stored.headers
        self.data: bytes = stored.payload
        at = START + timedelta(seconds=stored.at)
        self.metadata = Metadata(count, Place(stored.seq), at)
        self.acked = False

    async def ack(self) -> None:
        """Acknowledge it; nothing says whether the server has heard."""
        self.acked = True
        if await self._connection.sent():
            self._consumer.acknowledge(self.seq, self._connection.seconds())

    async def nak(self, delay: float = 0.0) -> None:
        """Give it back."""
        if await self._connection.sent():
            self._consumer.put_off(self.seq, self._connection.seconds() + delay)
            self._connection.broker.wake()

    async def in_progress(self) -> None:
        """Say that it is still being worked on."""
        if await self._connection.sent():
            until = self._connection.seconds() + self._consumer.ack_wait
            self._consumer.put_off(self.seq, until)


class Connection:
    """A client and its JetStream context in one."""

    def __init__(self, broker: Broker, process: Answering) -> None:
        self.broker = broker
        self.seconds = broker.loop.time
        self._process = process

    max_payload = 8 * 1024 * 1024

    @property
    def is_connected(self) -> bool:
        """Whether the server is there, as far as the client knows."""
        return self.broker.up

    def jetstream(self) -> Connection:
        """Return itself."""
        return self

    async def sent(self) -> bool:
        """Let a message travel; False: nobody received it."""
        await self._process.step()
        return self.broker.up

    async def publish(
        self,
        subject: str,
        payload: bytes,
        timeout: float | None = None,  # noqa: ASYNC109  # nats-py's own signature
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Store one message and wait for its PubAck; or add it to an atomic batch."""
        headers = headers or {}
        if "Nats-Batch-Id" in headers:
            if self.broker.up:
                self.broker.part(subject, payload, headers)
            return
        await self._answered(lambda: self._store(subject, payload, headers), timeout)

    async def request(
        self,
        subject: str,
        payload: bytes,
        timeout: float,  # noqa: ASYNC109  # nats-py's own signature
        headers: Mapping[str, str],
    ) -> Any:
        """Commit an atomic batch."""
        code = await self._answered(lambda: self.broker.commit(subject, payload, headers), timeout)
        body = {"error": {"err_code": code}} if code else {"stream": "", "seq": 1}

        class Reply:
            data = json.dumps(body).encode()

        return Reply

    async def _answered(self, work: Callable[[], int], seconds: float | None) -> int:
        if not await self.sent():
            await asyncio.sleep(seconds or _ACK_TIMEOUT)
            raise nats.errors.TimeoutError
        code = work()
        if self.broker.late_answers > 0:
            self.broker.late_answers -= 1
            await asyncio.sleep(seconds or _ACK_TIMEOUT)
            raise nats.errors.TimeoutError
        await self._process.step()
        if not self.broker.up:
            raise nats.errors.ConnectionClosedError
        return code

    def _store(self, subject: str, payload: bytes, headers: Mapping[str, str]) -> int:
        if self.broker.of(subject).full:
            raise ServiceUnavailableError(code=503, err_code=FULL, description="full")
        self.broker.publish(subject, payload, headers)
        return 0

    async def add_consumer(self, stream: str, config: object) -> None:
        """Declare a consumer that is there already."""
        del stream, config
        await self._process.step()


Handle = Callable[[list[Message]], Awaitable[None]]


class Runner:
    """In place of `hub.runner.PullRunner`, which keeps real time: pulls, keeps alive, goes on."""

    heartbeat_seconds = 8.0
    most = 5
    """A batch is one to this many messages, so that batches cut anywhere."""
    acks_first = False
    """A planted bug: acknowledge what is pulled before anything is done with it."""

    def __init__(
        self, client: Connection, stream: str, consumer: str, declare: object, size: object = None
    ) -> None:
        del stream, declare, size
        self._client = client
        self._consumer = client.broker.consumers[consumer]

    async def run(
        self, handle: Handle, stop: asyncio.Event, *, batch: int = 200, ahead: int = 0
    ) -> None:
        """Pull and handle until `stop` is set; the oldest batches end before new ones begin."""
        del batch
        begun: list[asyncio.Task[None]] = []
        stopping = asyncio.create_task(self._stopping(stop))
        while not stop.is_set():
            messages = await self._next()
            if messages:
                begun.append(asyncio.create_task(self._handle(handle, messages)))
            while begun and (len(begun) > ahead or begun[0].done()):
                await begun.pop(0)
        for task in begun:
            await task
        await stopping

    async def _stopping(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._client.broker.wake()

    async def _next(self) -> list[Message]:
        """Return what there is; [] where there is something to look at again."""
        broker = self._client.broker
        await self._client.sent()
        now = broker.loop.time()
        if broker.up:
            given = self._consumer.take(broker.rng.randint(1, self.most), now, broker.rng)
            if given:
                messages = [Message(self._client, self._consumer, each) for each in given]
                if self.acks_first:
                    for message in messages:
                        await message.ack()
                return messages
        again = [each.again_at for each in self._consumer.pending.values()]
        await broker.news(max(min(again, default=now + _LONGEST_WAIT), now + 0.5))
        return []

    async def _handle(self, handle: Handle, messages: list[Message]) -> None:
        beat = asyncio.create_task(self._keep_alive(messages))
        try:
            await handle(messages)
        finally:
            beat.cancel()

    async def _keep_alive(self, messages: list[Message]) -> None:
        while True:
            await asyncio.sleep(self.heartbeat_seconds)
            for message in messages:
                if not message.acked:
                    await message.in_progress()
