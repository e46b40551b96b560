"""AS2 messages and receipts at `POST /as2`; a receipt of ours says what was stored, durably.

1. The two AS2 names pick the agreement; a stranger is told so before the body is read.
2. The message is unpacked and checked (`connectors.transports.as2`).
3. Its Message-ID, the delivery id, is noted in the ledger with the content's hash. Other content
   under the same Message-ID is a conflict; the same again is answered with the stored receipt.
4. The payload goes through the door, like everything else; only then is a receipt written, stored
   and sent. A crash anywhere in between is made good when the sender comes again.

Without the ledger nothing is accepted here (503): whether a Message-ID is new could not be told.

Codes: those of `connectors.transports.as2.refusals` and `hub.outward` (of the address for receipts),
``receipt_host_unknown`` (a message that proved nothing wants its receipt at a host that the
agreement does not name), ``mdn_message_unknown`` (a receipt for nothing that we sent), those of
`connectors.transports.as2.receipts`, ``body_too_slow``, ``body_incomplete``, ``bodies_full``.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import ClientDisconnect

from canonical.errors import ConfigError, HubError, Rejected, Retryable
from connectors.base import Receipt
from connectors.transports.as2.message import Received, read_message
from connectors.transports.as2.names import Envelope, read_envelope
from connectors.transports.as2.receipts import (
    Outcome,
    is_receipt,
    outcome_of,
    read_receipt,
    write_receipt,
)
from connectors.transports.body import read_capped
from connectors.transports.names import safe_name
from hub.agreements import As2Partner
from hub.intake.as2_receipts import Receipts
from hub.intake.budget import Budget, Share
from hub.intake.door import Door
from hub.intake.http import refusal
from hub.ledger import exchanges, inbox
from hub.ledger.exchanges import Answer, Key

_BODY_SECONDS = 120.0
_BUDGET_BYTES = 128 * 1024**2
_HEADERS_KEPT = ("content-type", "content-transfer-encoding", "as2-from", "as2-to", "message-id")
_FORBIDDEN = {"address_private", "address_invalid", "receipt_host_unknown"}


@dataclass(frozen=True, slots=True)
class Call:
    """A request from a partner, its body read."""

    partner: As2Partner
    envelope: Envelope
    headers: Mapping[str, str]
    body: bytes
    share: Share
    """What of the budget it holds; what is unpacked of it is taken from there, too."""

    def key(self, direction: str, message_id: str) -> Key:
        """The ledger's key of a message of this partner."""
        return Key(self.partner.connection, direction, message_id)


class As2Intake:
    """Takes AS2 messages in, and the receipts for what we sent."""

    def __init__(self, door: Door, partners: Sequence[As2Partner], receipts: Receipts) -> None:
        self._door = door
        self._partners = {(p.agreement.us, p.agreement.partner): p for p in partners}
        self._receipts = receipts
        largest = max((p.transport.max_bytes for p in partners), default=0)
        # A body is in memory as it came, unpacked and once more between two layers.
        self.budget = Budget(max(_BUDGET_BYTES, 2 * largest))

    def routes(self) -> APIRouter:
        """Return the FastAPI routes."""
        router = APIRouter(tags=["intake"])
        router.add_api_route(
            "/as2",
            self.receive,
            methods=["POST"],
            summary="Take in an AS2 message, or the receipt for one of ours",
            response_class=Response,
        )
        return router

    async def receive(self, request: Request) -> Response:
        """Answer an AS2 call: a receipt, an empty yes, or a refusal."""
        headers = {n.decode("latin-1").lower(): v.decode("latin-1") for n, v in request.headers.raw}
        connection = "unknown"
        try:
            envelope = read_envelope(headers)
            partner = self._partners.get((envelope.receiver, envelope.sender))
            if partner is None:
                return self._stranger(envelope)
            connection = partner.connection
            with self.budget.share() as share:
                body = await _read(request.stream(), headers, partner.transport.max_bytes, share)
                return await self._answer(Call(partner, envelope, headers, body, share))
        except HubError as error:
            self._door.refused(connection, error)
            answer = refusal(error)
            if error.code in _FORBIDDEN:
                answer.status_code = 403
            if isinstance(error, ConfigError):  # ours to mend: the sender may come again
                answer.status_code = 503
            return answer

    def _stranger(self, envelope: Envelope) -> Response:
        """Tell a stranger so, unsigned: whoever it is has no agreement under which to sign."""
        code, detail = "as2_partner_unknown", "there is no agreement between these two names"
        if envelope.sender == envelope.receiver:
            code, detail = "as2_sender_equals_receiver", "expected two different names"
        error = Rejected(code, "as2-from", detail)
        self._door.refused("unknown", error)
        request = envelope.receipt
        if request is None or request.url is not None:  # a stranger does not send us anywhere
            return refusal(error)
        written = write_receipt(envelope, Outcome(refusal=error), None, self._door.clock.now())
        return _answered(Answer(written.headers, written.body))

    async def _answer(self, call: Call) -> Response:
        if await asyncio.to_thread(is_receipt, call.headers, call.body):
            return await self._take_receipt(call)
        request = call.envelope.receipt
        if request is not None and request.url is not None:
            await self._receipts.check(request.url)
        try:
            answer = await self._take_in(call)
        except Rejected as error:
            self._door.refused(call.partner.connection, error)
            return await self._refuse(call, error)
        if answer is None or (request is not None and request.url is not None):
            return Response(status_code=200)
        return _answered(answer)

    async def _take_in(self, call: Call) -> Answer | None:
        """Store a message and its receipt; None where no receipt is wanted.

        Raises:
            Rejected: nothing was stored; the code says which disposition.
            Retryable: not now; the sender comes again.
        """
        now, agreement = self._door.clock.now(), call.partner.agreement
        received = await asyncio.to_thread(
            read_message, call.headers, call.body, agreement, now, call.share.take
        )
        outcome = outcome_of(call.envelope, received.covered, received.digest)
        receipt = self._receipt(call, received)
        sha256 = hashlib.sha256(received.payload).hexdigest()
        key = call.key("in", call.envelope.message_id)
        try:
            async with self._door.engine.begin() as ledger:
                known = await exchanges.begin(ledger, key, sha256, receipt.id, now)
                if known.sha256 != sha256:
                    detail = "this Message-ID came before, with other content"
                    raise Rejected("as2_message_id_conflict", "message-id", detail)
                if known.answer is not None:
                    await inbox.count_redelivery(ledger, known.subject, sha256)
            answer = known.answer
            if answer is None:
                await self._door.accept(receipt)
                answer = await self._give(call, key, outcome)
            await self._owe(call, key)
        except (SQLAlchemyError, OSError) as error:
            raise Retryable("ledger_unavailable", "", type(error).__name__) from error
        return answer

    async def _give(self, call: Call, key: Key, outcome: Outcome) -> Answer | None:
        """Write and store the receipt for what is safe now."""
        if call.envelope.receipt is None:
            return None
        now = self._door.clock.now()
        written = await asyncio.to_thread(
            write_receipt, call.envelope, outcome, call.partner.agreement, now
        )
        async with self._door.engine.begin() as ledger:
            given = Answer(written.headers, written.body)
            return await exchanges.answer(ledger, key, given, now)

    async def _owe(self, call: Call, key: Key) -> None:
        request = call.envelope.receipt
        if request is not None and request.url is not None:
            await self._receipts.owe(key, request.url)

    def _receipt(self, call: Call, received: Received) -> Receipt:
        message_id = call.envelope.message_id
        sha256 = hashlib.sha256(received.payload).hexdigest()
        identity = "\0".join(("as2", call.partner.connection, message_id, sha256))
        with self._door.tracing.intake(call.partner.connection) as carrier:
            facts = {"transport": "as2", **carrier}
            if received.file_name:
                facts["file"] = safe_name(received.file_name)
            return Receipt(
                # The same message is the same acceptance, also after a crash between two steps.
                id=hashlib.sha256(identity.encode()).hexdigest(),
                connection=call.partner.connection,
                delivery_id=message_id,
                received_at=self._door.clock.now(),
                body=received.payload,
                content_type=received.media_type,
                facts=facts,
            )

    async def _refuse(self, call: Call, error: Rejected) -> Response:
        """Tell the sender what is wrong, the way it asked for; nothing of it is stored."""
        request = call.envelope.receipt
        if request is None:
            return refusal(error)
        now, agreement = self._door.clock.now(), call.partner.agreement
        written = await asyncio.to_thread(
            write_receipt, call.envelope, Outcome(refusal=error), agreement, now
        )
        answer = Answer(written.headers, written.body)
        if request.url is None:
            return _answered(answer)
        # Nobody has proved to be the partner: no address but those of the agreement.
        if urlsplit(request.url).hostname not in _hosts(call.partner):
            detail = "expected a host of the agreement"
            raise Rejected("receipt_host_unknown", "receipt-delivery-option", detail)
        self._receipts.send_soon(call.partner.connection, request.url, answer)
        return Response(status_code=200)

    async def _take_receipt(self, call: Call) -> Response:
        """Store a partner's receipt for a message of ours; deliveries ask for it."""
        now, agreement = self._door.clock.now(), call.partner.agreement
        signed = (call.partner.transport.receipt_signed, now)
        found = await asyncio.to_thread(read_receipt, call.headers, call.body, agreement, signed)
        key = call.key("out", found.message_id)
        kept = {name: call.headers[name] for name in _HEADERS_KEPT if name in call.headers}
        try:
            async with self._door.engine.begin() as ledger:
                if await exchanges.find(ledger, key) is None:
                    detail = "it is for no message of ours"
                    raise Rejected("mdn_message_unknown", "Original-Message-ID", detail)
                await exchanges.answer(ledger, key, Answer(kept, call.body), now)
        except (SQLAlchemyError, OSError) as error:
            raise Retryable("ledger_unavailable", "", type(error).__name__) from error
        return Response(status_code=200)


def _hosts(partner: As2Partner) -> set[str]:
    named = {host.lower() for host in partner.transport.receipt_hosts}
    own = urlsplit(partner.transport.url or "").hostname
    return named | ({own} if own else set())


async def _read(
    stream: AsyncIterator[bytes], headers: Mapping[str, str], most: int, share: Share
) -> bytes:
    """Read a body; all that is held of it is taken from the budget as it comes and unpacks."""
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            encoding = headers.get("content-encoding", "")
            return await read_capped(share.counted(stream), encoding, most, most, share.take)
    except TimeoutError:
        detail = f"expected the body within {_BODY_SECONDS:.0f} seconds"
        raise Rejected("body_too_slow", "", detail) from None
    except ClientDisconnect:
        raise Rejected("body_incomplete", "", "the caller went away") from None


def _answered(answer: Answer) -> Response:
    # The server writes the date of the answer itself.
    headers = {name: value for name, value in answer.headers.items() if name.lower() != "date"}
    return Response(content=answer.body, status_code=200, headers=headers)
