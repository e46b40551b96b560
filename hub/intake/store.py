"""Receipts in the INTAKE stream: stored before the sender hears yes.

Many callers at once share one publish: while a batch is on its way, those who come wait for the
next (group commit; under `sync_interval: always` that is what makes a durable yes cheap).
A body above 512 kB goes to a bucket; the message then holds its hash and size (claim check).
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import orjson
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from canonical.errors import Rejected, Retryable
from connectors.base import Receipt
from hub.failpoints import reached
from hub.intake.bodies import Bodies, Proof
from hub.publisher import Outgoing, Publisher
from hub.topology import intake_subject

CLAIM_CHECK_BYTES = 512_000
_HEADER = "Crossdock-Receipt"
_SHA256 = "Crossdock-Body-Sha256"
_SIZE = "Crossdock-Body-Size"
_LONGEST_SIZE = 12  # digits


class BodyMissing(Rejected):
    """``body_missing``: a receipt whose body is not in the bucket.

    If the ledger knows the receipt, all is well: it was decided, and its body purged. If not, the
    body is lost, and `receipt` holds a note in its place, by which the sender can be asked again.
    """

    def __init__(self, receipt: Receipt) -> None:
        super().__init__("body_missing", "", "the body is not in the bucket of large bodies")
        self.receipt = receipt


def held_by(message: Msg) -> int:
    """Return the bytes of a message's receipt once it is loaded, wherever its body is."""
    elsewhere = (message.headers or {}).get(_SIZE, "")
    # Anybody may have published it: what is no size of ours counts as what the message carries.
    ours = elsewhere.isdecimal() and len(elsewhere) <= _LONGEST_SIZE
    return int(elsewhere) if ours else len(message.data)


class ReceiptStore:
    """Stores receipts durably and reads them back."""

    def __init__(self, js: JetStreamContext, publisher: Publisher) -> None:
        self._bodies = Bodies(js)
        self._publisher = publisher
        self._waiting: list[tuple[Outgoing, asyncio.Future[None]]] = []
        self._flusher: asyncio.Task[None] | None = None

    async def save(self, receipt: Receipt) -> None:
        """Return once the receipt is stored; the sender may then hear yes.

        Raises:
            Retryable: ``stream_full``, ``nats_unavailable`` or ``not_stored`` (a fault of ours):
                the sender must hear no, for now.
        """
        if len(receipt.body) > CLAIM_CHECK_BYTES:
            await self._bodies.put(receipt.id, receipt.body)
            reached("intake.body_stored")
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((_message(receipt), done))
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.create_task(self._flush())
        await done

    async def save_all(self, receipts: Sequence[Receipt]) -> None:
        """Store many receipts at once."""
        await asyncio.gather(*(self.save(receipt) for receipt in receipts))

    async def _flush(self) -> None:
        batch: list[tuple[Outgoing, asyncio.Future[None]]] = []
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                _resolve(batch, await self._publish([message for message, _ in batch]))
        finally:  # whatever ended this, nobody is left to wait: unless it is stored, it is no
            left, self._waiting = batch + self._waiting, []
            _resolve(left, Retryable("nats_unavailable", "", "the hub is stopping"))

    async def _publish(self, messages: Sequence[Outgoing]) -> Retryable | None:
        """Publish a batch; what comes back is the no for all of it."""
        try:
            await self._publisher.publish(messages)
        except Retryable as error:
            return error
        except Exception as error:
            return Retryable("not_stored", type(error).__name__, "the hub could not publish it")
        return None

    async def load(self, message: Msg) -> Receipt:
        """Read a receipt back from its message.

        Raises:
            Rejected: ``not_a_receipt``: the message was published by somebody else.
            BodyMissing: the message holds no body, and nor does the bucket.
            Retryable: the bucket could not be asked.
        """
        headers = message.headers or {}
        try:
            facts = orjson.loads(headers[_HEADER])
            proof = Proof(headers[_SHA256], int(headers[_SIZE])) if _SIZE in headers else None
            receipt = Receipt(
                id=facts["id"],
                connection=facts["connection"],
                delivery_id=facts["delivery_id"],
                received_at=datetime.fromisoformat(facts["received_at"]),
                body=message.data,
                flow=facts["flow"],
                content_type=facts["content_type"],
                facts=facts["facts"],
            )
        except (KeyError, TypeError, ValueError) as error:
            raise Rejected("not_a_receipt", "", "the message lacks our headers") from error
        return receipt if proof is None else await self._with_body(receipt, proof)

    async def _with_body(self, receipt: Receipt, proof: Proof) -> Receipt:
        body = await self._bodies.get(receipt.id, proof)
        if body is not None:
            return replace(receipt, body=body)
        # A note of its own, as two receipts without any body would count as repeats.
        note = f"missing: body of receipt {receipt.id}, {proof.size} bytes, sha256 {proof.sha256}"
        raise BodyMissing(replace(receipt, body=note.encode()))


def _resolve(
    batch: Sequence[tuple[Outgoing, asyncio.Future[None]]], error: Retryable | None
) -> None:
    for _, done in batch:
        if done.done():
            continue
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)


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
        headers[_SHA256] = hashlib.sha256(body).hexdigest()
        headers[_SIZE] = str(len(body))
        body = b""
    # The receipt's id is one acceptance: a retried publish is stored once, a new delivery anew.
    return Outgoing(intake_subject(receipt.connection, receipt.flow), body, receipt.id, headers)


def _ascii(facts: Mapping[str, object]) -> str:
    """Write a header value: NATS headers are lines, so everything beyond ASCII is escaped."""
    return json.dumps(facts, ensure_ascii=True, separators=(",", ":"))
