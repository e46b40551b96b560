"""The normalize role: pulls receipts, runs the pipeline over a batch, then acknowledges."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Literal, TypeVar

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from canonical.errors import HubError, Rejected, Retryable
from connectors.base import Receipt
from hub import topology
from hub.failpoints import reached
from hub.intake.store import BodyMissing, ReceiptStore, held_by
from hub.ledger.faults import is_passing
from hub.pipeline import Decided, Pipeline, Read
from hub.runner import PullRunner

T = TypeVar("T")

_AHEAD = 3
"""Batches under way behind the first: one for each stage, and one that waits for the ledger, so
that the workers never do."""
_FIRST_WAIT_SECONDS = 0.5
_LONGEST_WAIT_SECONDS = 5.0
_DEATHS = 2
"""Deaths with a receipt alone in hand after which it is quarantined."""
_SUSPECT_DELIVERIES = 3
"""A receipt that came this often without an end was in hand when something died: run it alone."""


class NormalizeRole:
    """One replica of normalize; any number may run on one stream and ledger."""

    def __init__(
        self, client: Client, js: JetStreamContext, store: ReceiptStore, pipeline: Pipeline
    ) -> None:
        self._js = js
        self._store = store
        self._pipeline = pipeline
        self._stop = asyncio.Event()
        self._reading = asyncio.Lock()
        self._deciding = asyncio.Lock()
        self._publishing = asyncio.Lock()
        self._runner = PullRunner(
            client, topology.INTAKE, topology.NORMALIZE, self._declare, held_by
        )
        self._log = structlog.get_logger("hub.normalize")

    async def run(self, stop: asyncio.Event) -> None:
        """Work until stopped."""
        self._stop = stop
        await self._declare()
        await self._runner.run(self._handle, stop, ahead=_AHEAD)

    async def _declare(self) -> None:
        await topology.declare_consumer(self._js, topology.INTAKE, topology.normalize_consumer())

    async def _handle(self, messages: list[Msg]) -> None:
        """Take a batch through; a receipt that may have killed somebody before goes alone."""
        fresh = [m for m in messages if m.metadata.num_delivered < _SUSPECT_DELIVERIES]
        if fresh:
            await self._take(fresh)
        for message in messages:
            if message.metadata.num_delivered >= _SUSPECT_DELIVERIES:
                async with self._reading, self._deciding, self._publishing:
                    await self._take_alone(message)

    async def _take(self, messages: list[Msg]) -> None:
        """Read, decide and publish a batch, while others are in the stages before and after it.

        The workers' time, the ledger's and NATS's overlap that way. A stage is left only once one
        stands in line for the next, and locks serve in the order of the line: so batches stay in
        the order of the stream.
        """
        async with self._reading:
            read = await self._read_ahead(messages)
            turn = asyncio.create_task(self._deciding.acquire())
            await asyncio.sleep(0)  # now it stands in line
        try:
            await turn
        except BaseException:
            await self._leave(turn)
            raise
        try:
            decided = await self._decide(messages, read)
            await self._publishing.acquire()
        finally:
            self._deciding.release()
        try:
            await self._publish(decided)
        finally:
            self._publishing.release()

    async def _leave(self, turn: asyncio.Task[Literal[True]]) -> None:
        """Leave the line for the ledger, or the ledger where the turn has just come."""
        turn.cancel()
        with suppress(asyncio.CancelledError):
            await turn
            self._deciding.release()

    async def _read_ahead(self, messages: list[Msg]) -> Read | None:
        """Read a batch before its turn; None: what went wrong is met again in its turn."""
        try:
            return await self._read(messages)
        except Exception as error:
            self._log.info("read_again", error=type(error).__name__, receipts=len(messages))
            return None

    async def _read(self, messages: list[Msg]) -> Read:
        receipts = [await self._store.load(message) for message in messages]
        read = await self._pipeline.read(receipts)
        reached("normalize.read")
        return read

    async def _decide(
        self, messages: list[Msg], read: Read | None = None
    ) -> list[tuple[list[Msg], Decided]]:
        """Decide a batch; find the one receipt that breaks it and set that aside.

        Returns:
            What is committed, with the messages that it came of.
        """

        async def decide() -> Decided:
            return await self._pipeline.decide(read or await self._read(messages))

        try:
            decided = await self._patiently(decide)
        except Exception as error:
            self._log.warning("batch_failed", error=type(error).__name__, receipts=len(messages))
            if len(messages) > 1:
                return [each for message in messages for each in await self._decide([message])]
            await self._set_aside(messages[0], error)
            return []
        return [] if decided is None else [(messages, decided)]

    async def _publish(self, done: list[tuple[list[Msg], Decided]]) -> None:
        """Publish and acknowledge what is committed."""
        for messages, decided in done:
            await self._pipeline.publish(decided)
            reached("normalize.committed")
            for message in messages:
                await message.ack()
            reached("normalize.acked")

    async def _patiently(self, work: Callable[[], Awaitable[T]]) -> T | None:
        """Do the work, waiting out passing faults with the batch in hand; None: we are to stop.

        In hand, not given back: a `nak` loop would cost CPU for as long as the fault lasts, and
        the count of deliveries must go on meaning deaths.
        """
        wait = _FIRST_WAIT_SECONDS
        while True:
            try:
                return await work()
            except Exception as error:
                if not (isinstance(error, Retryable) or is_passing(error)):
                    raise
                self._log.warning("batch_waits", error=type(error).__name__, seconds=wait)
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._stop.wait()
            if self._stop.is_set():
                return None
            wait = min(2 * wait, _LONGEST_WAIT_SECONDS)

    async def _take_alone(self, message: Msg) -> None:
        """Decide a suspect; at the second death with it alone in hand it is set aside."""
        # By the receipt, not by its place in the stream: a stream that was wiped counts anew.
        place = f"{topology.INTAKE}/{message.metadata.sequence.stream}"
        name = (message.headers or {}).get("Nats-Msg-Id", place)
        deaths = await self._patiently(lambda: self._pipeline.suspect(name))
        if deaths is None:
            return
        reached("normalize.suspected")
        if deaths >= _DEATHS:
            self._log.error("receipt_quarantined", deaths=deaths)
            died = Rejected("process_died", "", f"{deaths} processes died with it in hand")
            await self._set_aside(message, died)
        else:
            await self._publish(await self._decide([message]))
        await self._patiently(lambda: self._pipeline.acquit(name))

    async def _set_aside(self, message: Msg, error: Exception) -> None:
        """Make a dead letter of a receipt that the hub cannot decide; its bytes are kept.

        One that the ledger has decided before is only acknowledged: `quarantine` finds its row.
        """
        try:
            receipt = await self._store.load(message)
        except BodyMissing as missing:
            receipt, error = missing.receipt, missing
        except Rejected as foreign:
            receipt, error = _unreadable(message), foreign
        cause = error if isinstance(error, HubError) else _internal(error)
        try:
            await self._patiently(lambda: self._pipeline.quarantine(receipt, cause))
        except Exception as second:
            self._log.exception("quarantine_failed", error=type(second).__name__)
            await message.nak(delay=_LONGEST_WAIT_SECONDS)
            return
        if not self._stop.is_set():
            await message.ack()


def _internal(error: Exception) -> Rejected:
    """Name a fault of ours without its text, which may hold payload values."""
    return Rejected("internal_error", type(error).__name__, "the hub could not decide this receipt")


def _unreadable(message: Msg) -> Receipt:
    """Make a receipt of a message that is none: somebody else published it into our stream."""
    return Receipt(
        id=f"foreign-{message.metadata.sequence.stream}",
        connection="unknown",
        delivery_id=f"intake-{message.metadata.sequence.stream}",
        received_at=message.metadata.timestamp,
        body=message.data,
    )
