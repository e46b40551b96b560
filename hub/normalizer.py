"""The normalize role: pulls receipts, runs the pipeline over a batch, then acknowledges."""

from __future__ import annotations

import asyncio

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from canonical.errors import HubError, Rejected, Retryable
from connectors.base import Receipt
from hub import topology
from hub.failpoints import reached
from hub.intake.store import ReceiptStore
from hub.ledger.faults import is_passing
from hub.pipeline import Pipeline
from hub.runner import PullRunner

_RETRY_SECONDS = 1.0
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
        self._runner = PullRunner(client, topology.INTAKE, topology.NORMALIZE, self._declare)
        self._log = structlog.get_logger("hub.normalize")

    async def run(self, stop: asyncio.Event) -> None:
        """Work until stopped."""
        await self._declare()
        await self._runner.run(self._handle, stop)

    async def _declare(self) -> None:
        await topology.declare_consumer(self._js, topology.INTAKE, topology.normalize_consumer())

    async def _handle(self, messages: list[Msg]) -> None:
        """Decide a batch; a receipt that may have killed somebody before is decided alone."""
        fresh = [m for m in messages if m.metadata.num_delivered < _SUSPECT_DELIVERIES]
        if fresh:
            await self._decide(fresh)
        for message in messages:
            if message.metadata.num_delivered >= _SUSPECT_DELIVERIES:
                await self._decide([message])

    async def _decide(self, messages: list[Msg]) -> None:
        """Decide and acknowledge; what fails for a passing reason comes back after a pause."""
        try:
            receipts = [await self._store.load(message) for message in messages]
            await self._pipeline.normalize(receipts)
        except Exception as error:
            await self._recover(messages, error)
            return
        reached("normalize.committed")
        for message in messages:
            await message.ack()
        reached("normalize.acked")
        await self._store.discard(receipts)

    async def _recover(self, messages: list[Msg], error: Exception) -> None:
        """Wait out a passing fault; find the one receipt that breaks a batch and set it aside."""
        self._log.warning("batch_failed", error=type(error).__name__, receipts=len(messages))
        if isinstance(error, Retryable) or is_passing(error):
            for message in messages:
                await message.nak(delay=_RETRY_SECONDS)
        elif len(messages) > 1:
            for message in messages:
                await self._decide([message])
        else:
            await self._quarantine(messages[0], error)

    async def _quarantine(self, message: Msg, error: Exception) -> None:
        try:
            receipt = await self._store.load(message)
        except Rejected as foreign:
            receipt, error = _unreadable(message), foreign
        cause = error if isinstance(error, HubError) else _internal(error)
        try:
            await self._pipeline.quarantine(receipt, cause)
        except Exception as second:
            self._log.exception("quarantine_failed", error=type(second).__name__)
            await message.nak(delay=_RETRY_SECONDS)
            return
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
