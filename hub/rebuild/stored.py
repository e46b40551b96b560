"""Which events a stream holds already, by the ids that it knows them by."""

from __future__ import annotations

import hashlib

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig

from canonical.errors import Retryable
from hub.runner import Pull

_BATCH = 1000
_SILENCES = 20
"""Waits of half a second without any message after which NATS counts as away."""


class Stored:
    """Event ids, 16 bytes each: a week of a busy hub fits into memory."""

    def __init__(self) -> None:
        self._marks: set[bytes] = set()

    def add(self, event_id: str) -> None:
        """Count an event as stored."""
        self._marks.add(_mark(event_id))

    def __contains__(self, event_id: str) -> bool:
        return _mark(event_id) in self._marks

    def __len__(self) -> int:
        return len(self._marks)


async def stored(client: Client, stream: str) -> Stored:
    """Read the ids of all events of a stream, and nothing else of them.

    Raises:
        Retryable: ``nats_unavailable``: it stopped answering.
        nats.errors.Error: it does not answer.
    """
    js = client.jetstream()
    config = ConsumerConfig(
        ack_policy=AckPolicy.NONE, headers_only=True, mem_storage=True, inactive_threshold=30.0
    )
    made = await js.add_consumer(stream, config)
    pull = Pull(client, f"{stream}.{made.name}", batch=_BATCH, size=_nothing)
    await pull.open()
    found, left, silent = Stored(), made.num_pending or 0, 0
    try:
        while left > 0:
            messages = await pull.next(wait=0.5)
            silent = 0 if messages else silent + 1
            if silent > _SILENCES:
                raise Retryable("nats_unavailable", stream, "NATS stopped answering")
            left -= len(messages)
            for message in messages:
                found.add((message.headers or {}).get("Nats-Msg-Id", ""))
    finally:
        await pull.close()
        await js.delete_consumer(stream, made.name)
    return found


def _mark(event_id: str) -> bytes:
    return hashlib.sha256(event_id.encode()).digest()[:16]


def _nothing(_: Msg) -> int:
    return 0
