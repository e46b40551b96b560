"""Bodies too large for one message, in a bucket of their own: each under its receipt's id.

An id is one acceptance, so no two receipts ever share an object, and none can take another's away.
Nothing is deleted one by one: acknowledgements are not durable, so whoever deletes an object
at the acknowledgement may see its receipt again without it. `Bodies.purge` drops everything that is
older than the oldest undecided receipt by a margin, whatever it is: objects, their markers, and the
halves that a death left behind.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

import nats.errors
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, ObjectInfo
from nats.js.errors import NotFoundError
from nats.js.object_store import ObjectStore

from canonical.errors import Retryable
from hub import topology
from hub.publisher import translate

_PUT_SECONDS = 60.0
MARGIN = timedelta(seconds=topology.DEDUPE_SECONDS)
"""Longest time between the first byte of an object and the receipt that names it."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What a receipt says of its body, which is elsewhere."""

    sha256: str
    size: int


class Bodies:
    """The bucket of large bodies; `hub/topology.py` declares it."""

    def __init__(self, js: JetStreamContext) -> None:
        self._js = js
        self._bucket = ObjectStore(topology.BUCKET, topology.BODIES, js)

    async def put(self, receipt_id: str, body: bytes) -> None:
        """Store a body; a repeat makes it new again, so that it is not purged before its receipt.

        Raises:
            Retryable: ``stream_full`` or ``nats_unavailable``; half of it may be there.
        """
        try:
            async with asyncio.timeout(_PUT_SECONDS):
                await self._bucket.put(receipt_id, body)
        except (nats.errors.Error, TimeoutError, OSError) as error:
            raise translate(error) from error

    async def get(self, receipt_id: str, proof: Proof) -> bytes | None:
        """Read a body; None: it is not there, or not whole.

        Raises:
            Retryable: the bucket could not be asked, or the body is just being stored again.
        """
        try:
            info = await self._bucket.get_info(receipt_id)
            body = await self._chunks(info, proof.size)
            if hashlib.sha256(body).hexdigest() == proof.sha256:
                return body
            if (await self._bucket.get_info(receipt_id)).nuid != info.nuid:
                raise Retryable("nats_unavailable", "", "the body is being stored again")
        except NotFoundError:
            return None
        except (nats.errors.Error, TimeoutError, OSError) as error:
            raise translate(error) from error
        return None

    async def _chunks(self, info: ObjectInfo, size: int) -> bytes:
        """Read chunk by chunk: the ready-made reader waits for ever for one that is gone."""
        subject = f"$O.{topology.BUCKET}.C.{info.nuid}"
        body, after = bytearray(), 0
        while len(body) < size:
            try:
                chunk = await self._js.get_msg(
                    topology.BODIES, seq=after + 1, subject=subject, next=True
                )
            except NotFoundError:
                break
            body += chunk.data or b""
            after = chunk.seq or after + 1
        return bytes(body)

    async def purge(self, decided_before: datetime) -> None:
        """Drop what no undecided receipt can name.

        Args:
            decided_before: every receipt stored before it is decided; the server's own time.

        Raises:
            nats.errors.Error: NATS does not answer; nothing is lost, the next call does it.
        """
        # A consumer is the only one that the server tells the first message after a moment.
        config = ConsumerConfig(
            deliver_policy=DeliverPolicy.BY_START_TIME,
            opt_start_time=decided_before - MARGIN,
            ack_policy=AckPolicy.NONE,
            inactive_threshold=10.0,
            mem_storage=True,
        )
        found = await self._js.add_consumer(topology.BODIES, config)
        await self._js.delete_consumer(topology.BODIES, found.name)
        if found.delivered and found.delivered.stream_seq:
            await self._js.purge_stream(topology.BODIES, seq=found.delivered.stream_seq + 1)
