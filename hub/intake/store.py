"""Receipts in the INTAKE stream: stored before the sender hears yes.

Many callers at once share one publish: while a batch is on its way, those who come wait for the
next (group commit; under `sync_interval: always` that is what makes a durable yes cheap).
A body above 512 kB goes to the object store; the message then holds its hash (claim check).
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime

import nats.errors
import orjson
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError
from nats.js.object_store import ObjectStore

from canonical.errors import Rejected, Retryable
from connectors.base import Receipt
from hub.publisher import Outgoing, Publisher
from hub.topology import intake_subject

CLAIM_CHECK_BYTES = 512_000
BUCKET = "receipts"
_HEADER = "Crossdock-Receipt"
_OBJECT = "Crossdock-Object"


class ReceiptStore:
    """Stores receipts durably and reads them back."""

    def __init__(self, js: JetStreamContext, publisher: Publisher) -> None:
        self._js = js
        self._publisher = publisher
        self._waiting: list[tuple[Outgoing, asyncio.Future[None]]] = []
        self._flusher: asyncio.Task[None] | None = None

    async def save(self, receipt: Receipt) -> None:
        """Return once the receipt is stored; the sender may then hear yes.

        Raises:
            Retryable: ``stream_full`` or ``nats_unavailable``: the sender must hear no, for now.
        """
        if len(receipt.body) > CLAIM_CHECK_BYTES:
            await self._put_object(receipt)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((_message(receipt), done))
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.create_task(self._flush())
        await done

    async def save_all(self, receipts: Sequence[Receipt]) -> None:
        """Store many receipts at once."""
        await asyncio.gather(*(self.save(receipt) for receipt in receipts))

    async def _flush(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                await self._publisher.publish([message for message, _ in batch])
            except Retryable as error:
                for _, done in batch:
                    if not done.cancelled():
                        done.set_exception(error)
                continue
            for _, done in batch:
                if not done.cancelled():
                    done.set_result(None)

    async def _put_object(self, receipt: Receipt) -> None:
        try:
            bucket = await self._bucket()
            await bucket.put(_digest(receipt.body), receipt.body)
        except (nats.errors.Error, TimeoutError) as error:
            raise Retryable("nats_unavailable", "", "the object store did not answer") from error

    async def _bucket(self) -> ObjectStore:
        try:
            return await self._js.object_store(BUCKET)
        except NotFoundError:
            return await self._js.create_object_store(BUCKET)

    async def load(self, message: Msg) -> Receipt:
        """Read a receipt back from its message.

        Raises:
            Rejected: ``not_a_receipt``: the message was published by somebody else.
            Retryable: the object store could not be asked.
        """
        headers = message.headers or {}
        try:
            facts = orjson.loads(headers[_HEADER])
            body = message.data if _OBJECT not in headers else await self._body(headers[_OBJECT])
            return Receipt(
                id=facts["id"],
                connection=facts["connection"],
                delivery_id=facts["delivery_id"],
                received_at=datetime.fromisoformat(facts["received_at"]),
                body=body,
                flow=facts["flow"],
                content_type=facts["content_type"],
                facts=facts["facts"],
            )
        except (KeyError, TypeError, ValueError) as error:
            raise Rejected("not_a_receipt", "", "the message lacks our headers") from error

    async def _body(self, digest: str) -> bytes:
        try:
            bucket = await self._bucket()
            result = await bucket.get(digest)
        except (nats.errors.Error, TimeoutError) as error:
            raise Retryable("nats_unavailable", "", "the object store did not answer") from error
        return result.data or b""

    async def discard(self, receipts: Sequence[Receipt]) -> None:
        """Drop the objects of receipts that the ledger has decided and the archive keeps."""
        for receipt in receipts:
            if len(receipt.body) > CLAIM_CHECK_BYTES:
                bucket = await self._bucket()
                await bucket.delete(_digest(receipt.body))


def _message(receipt: Receipt) -> Outgoing:
    facts = {
        "id": receipt.id,
        "connection": receipt.connection,
        "delivery_id": receipt.delivery_id,
        "received_at": receipt.received_at.isoformat(),
        "flow": receipt.flow,
        "content_type": receipt.content_type,
        "facts": dict(receipt.facts),
    }
    headers = {_HEADER: _ascii(facts)}
    body = receipt.body
    if len(body) > CLAIM_CHECK_BYTES:
        headers[_OBJECT] = _digest(body)
        body = b""
    # The receipt's id is one acceptance: a retried publish is stored once, a new delivery anew.
    return Outgoing(intake_subject(receipt.connection, receipt.flow), body, receipt.id, headers)


def _ascii(facts: Mapping[str, object]) -> str:
    """Write a header value: NATS headers are lines, so everything beyond ASCII is escaped."""
    return json.dumps(facts, ensure_ascii=True, separators=(",", ":"))


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
