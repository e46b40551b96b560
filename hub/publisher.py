"""Publishing to JetStream so that "yes" means stored: single messages, or atomic batches.

Under ``sync_interval: always`` a single publish costs one fsync each, an atomic batch (ADR-50,
nats-server 2.12) a handful for all: measured 559/s against 17,554/s. Batches pay from about 20.

A message that the broker will never take must not keep others from being stored, nor look like an
outage, which is waited out: it is named once all others are stored (`Unpublishable`).
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import nats.errors
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.errors import APIError

from canonical.errors import Rejected, Retryable

MIN_BATCH = 20
MAX_BATCH = 500
"""The server allows 1,000; half keeps one batch well below its 10 s to complete."""

_TIMEOUT = 5.0
_STREAM_FULL = 10077
_ENVELOPE_BYTES = 1024
"""What the protocol and a batch add to a message's own headers; well above it."""
_MESSAGE_TOO_LARGE = 10054
"""The server's err_code where a stream itself has a smaller limit (`max_msg_size`)."""
_NEVER = (nats.errors.MaxPayloadError, nats.errors.BadSubjectError, nats.errors.BadHeaderError)
_OPEN_BATCHES = 4
"""Open batches of this process; the server allows 50 per stream over all replicas."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message: where to, what, and the id under which the stream knows it."""

    subject: str
    payload: bytes
    message_id: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def all_headers(self) -> dict[str, str]:
        """Return the headers with the message id."""
        return {"Nats-Msg-Id": self.message_id, **self.headers}


class Unpublishable(Rejected):
    """``event_unpublishable``: some messages will never be taken; all others are stored."""

    CODE = "event_unpublishable"

    def __init__(self, message_ids: Sequence[str]) -> None:
        detail = f"the broker will never take {len(message_ids)} of the messages"
        super().__init__("event_unpublishable", "", detail)
        self.message_ids = tuple(message_ids)


def by_stream(messages: Sequence[Outgoing]) -> list[list[Outgoing]]:
    """Group messages by their stream, which the first token of a subject names; order is kept."""
    groups: dict[str, list[Outgoing]] = {}
    for message in messages:
        groups.setdefault(message.subject.partition(".")[0], []).append(message)
    return list(groups.values())


class Publisher:
    """Stores messages in their streams; returns only when all are stored.

    Safe to repeat: the same message id within the dedupe window is stored once.
    """

    def __init__(self, client: Client, js: JetStreamContext) -> None:
        self._client = client
        self._js = js
        self._open = asyncio.Semaphore(_OPEN_BATCHES)

    async def publish(self, messages: Sequence[Outgoing]) -> None:
        """Store all messages, in order.

        Raises:
            Retryable: ``stream_full`` or ``nats_unavailable``; some may have been stored: repeat
                with the same ids.
            Unpublishable: the broker will never take some, which it names; all others are stored.
        """
        if not self._client.is_connected:
            # The client would buffer and let every caller wait for a timeout; refuse at once.
            raise Retryable("nats_unavailable", "", "NATS is not connected")
        never = [each.message_id for each in messages if not self._fits(each)]
        if never:
            messages = [each for each in messages if self._fits(each)]
        # An atomic batch is one stream's: mixed, the server abandons it (err_code 10176).
        for group in by_stream(messages):
            for start in range(0, len(group), MAX_BATCH):
                part = group[start : start + MAX_BATCH]
                if len(part) < MIN_BATCH or not await self._batch(part):
                    never += await self._singles(part)
        if never:
            raise Unpublishable(never)

    def _fits(self, message: Outgoing) -> bool:
        """Whether the broker takes a message of this size.

        The driver looks at the payload alone, and only at the last moment; the server counts the
        headers, too, and closes the connection of who sends more.
        """
        room = self._client.max_payload - len(message.payload) - _ENVELOPE_BYTES
        if room > len(message.payload):  # headers are never of that size: a glance is enough
            return True
        return room >= sum(len(name) + len(value) + 4 for name, value in message.headers.items())

    async def _singles(self, messages: Sequence[Outgoing]) -> list[str]:
        """Store one by one, in order; the ids of those that will never be taken."""
        ends = await asyncio.gather(*map(self._single, messages), return_exceptions=True)
        never = []
        for message, end in zip(messages, ends, strict=True):
            if end is not None and _is_final(end):
                never.append(message.message_id)
            elif isinstance(end, nats.errors.Error | TimeoutError | OSError):
                raise translate(end) from end
            elif end is not None:
                raise end
        return never

    async def _single(self, message: Outgoing) -> None:
        await self._js.publish(
            message.subject, message.payload, timeout=_TIMEOUT, headers=message.all_headers()
        )

    async def _batch(self, messages: Sequence[Outgoing]) -> bool:
        """Store one atomic batch; False: the server did not take it as one, so go one by one."""
        batch = uuid.uuid4().hex
        async with self._open:
            try:
                answer = await self._send(batch, messages)
            except _NEVER:
                return False  # never committed, so none of it is there; one by one tells which
            except (nats.errors.Error, TimeoutError, OSError) as error:
                raise translate(error) from error
        error_code = answer.get("error", {}).get("err_code")
        if error_code is None:
            return True
        if error_code == _STREAM_FULL:
            raise Retryable("stream_full", "", "the stream takes no more", retry_after=5.0)
        # An id already stored (10201), or a batch that was abandoned: none of it is there, and
        # single publishes with the same ids settle what is and what is not.
        return False

    async def _send(self, batch: str, messages: Sequence[Outgoing]) -> dict[str, Any]:
        last = len(messages)
        for number, message in enumerate(messages[:-1], start=1):
            headers = message.all_headers()
            headers["Nats-Batch-Id"] = batch
            headers["Nats-Batch-Sequence"] = str(number)
            await self._client.publish(message.subject, message.payload, headers=headers)
        message = messages[-1]
        headers = message.all_headers()
        headers |= {
            "Nats-Batch-Id": batch,
            "Nats-Batch-Sequence": str(last),
            "Nats-Batch-Commit": "1",
        }
        reply = await self._client.request(
            message.subject, message.payload, timeout=_TIMEOUT, headers=headers
        )
        answer: dict[str, Any] = json.loads(reply.data)
        return answer


def _is_final(error: BaseException) -> bool:
    """Whether a message would be refused in the same way at any time."""
    if isinstance(error, APIError):
        return error.err_code == _MESSAGE_TOO_LARGE
    return isinstance(error, _NEVER)


def translate(error: Exception) -> Retryable:
    """Name a fault of NATS by what the caller must do."""
    if isinstance(error, APIError) and error.err_code == _STREAM_FULL:
        return Retryable("stream_full", "", "the stream takes no more", retry_after=5.0)
    return Retryable("nats_unavailable", "", f"NATS did not answer: {type(error).__name__}")
