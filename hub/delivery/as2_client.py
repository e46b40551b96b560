"""A partner reached by AS2 as a target: it has a document once its receipt says so.

The Message-ID is the delivery's own, the same at every try, so that a partner that has the message
already answers with its first receipt. Only what is replayed after the partner has refused it, and
was given up for that, is a new message with an id of its own: the old one has its answer. With receipts in the answer (`sync`) or none, a lost answer
is made good by sending again. With receipts that come later (`async`), a delivery whose receipt is
not there yet is in doubt, is asked about in the ledger, where `hub.intake.as2` stores it, and is
sent again after `receipt_hours`.

Codes, beside those of `connectors.transports.as2.keys`:

============================  ============  ====================================================
``connection_failed``         `Retryable`   could not connect: nothing left us
``unauthorised``              `Retryable`   401 or 403
``target_unavailable``        `Retryable`   5xx, 408, 429; `retry_after` as the answer says
``address_wrong``             `Retryable`   a redirect, 404, 405
``request_refused``           `Rejected`    any other 4xx
``answer_lost``               `InDoubt`     no answer, or not in whole
``mdn_missing``               `InDoubt`     an answer without the receipt that we asked for
``mdn_unreadable``,           `InDoubt`     an answer that proves nothing
``mdn_unsigned``,
``mdn_not_authentic``
``mdn_awaited``               `InDoubt`     the receipt has not come yet
``mdn_mic_mismatch``          `Rejected`    the partner has other bytes than we sent
``mdn_processing_error``      `Retryable`   the partner's own unexpected-processing-error
``mdn_refused_...``           `Rejected`    the partner's disposition, such as
                                            ``mdn_refused_decryption_failed``
============================  ============  ====================================================
"""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from canonical.errors import InDoubt, Rejected, Retryable
from connectors.base import Capabilities, Outbound, Settled
from connectors.reach import Reach
from connectors.transports.as2.message import Prepared, Wrapping, as2_headers, mic_of, write_message
from connectors.transports.as2.receipts import Receipt, read_receipt
from connectors.transports.as2.refusals import DISPOSITIONS
from hub.agreements import As2Partner
from hub.clock import Clock
from hub.ledger import exchanges
from hub.ledger.exchanges import Answer, Exchange, Key

_MOST_ANSWER_BYTES = 1_000_000
_POLL_SECONDS = 0.25
_PATIENCE = 0.6
"""Share of the call's time in which we wait for a receipt that comes on its own."""
_UNAVAILABLE = {408, 425, 429}
_UNAUTHORISED = {401, 403}
_AWAY = {408, 425, 429, 500, 502, 503, 504}
"""What is no answer of the one that we ask for."""
_ELSEWHERE = {404, 405, 410}
_LONGEST_WAIT = 3600.0
_KEPT = ("content-type", "content-transfer-encoding")
_REASONS = {
    said.partition(": ")[2].lower(): code.replace("as2_", "mdn_refused_")
    for code, said in DISPOSITIONS.items()
}
"""A disposition's words -> our code; other words are never repeated."""
_PROCESSING_ERROR = "unexpected-processing-error"


@dataclass(frozen=True, slots=True)
class As2Parts:
    """What a client works with."""

    engine: AsyncEngine
    clock: Clock
    timeout_seconds: float
    reach: Reach


def capabilities_of(partner: As2Partner) -> Capabilities:
    """What may be expected of a partner; any action is the same here: send the message."""
    if partner.transport.receipt == "async":
        return Capabilities(can_look_up=True, looks_up_itself=True)
    return Capabilities(idempotent=True)


class As2Client:
    """Sends messages to one partner."""

    def __init__(self, partner: As2Partner, wrapping: Wrapping, parts: As2Parts) -> None:
        if partner.transport.url is None:
            raise ValueError("an AS2 target needs an address")
        self._partner = partner
        self._url = partner.transport.url
        self._wrapping = wrapping
        self._parts = parts
        self._silent = True
        """It did not answer at all when it was last heard to be in trouble."""
        timeout = httpx.Timeout(parts.timeout_seconds, connect=min(10.0, parts.timeout_seconds))
        issuers = partner.transport.ca_file
        verify = ssl.create_default_context(cafile=issuers) if issuers is not None else True
        transport = parts.reach.transport(verify=verify)
        self._http = httpx.AsyncClient(timeout=timeout, trust_env=False, transport=transport)

    async def deliver(self, outbound: Outbound) -> Settled:
        """Send the message; see `Client.deliver`."""
        now = self._parts.clock.now()
        made = await self._written(outbound, now)
        key, _ = await self._message(outbound, made)
        sha256 = hashlib.sha256(outbound.encoded).hexdigest()
        try:
            async with self._parts.engine.begin() as ledger:
                known = await exchanges.begin(ledger, key, sha256, outbound.id, now)
        except (SQLAlchemyError, OSError) as error:
            raise Retryable("ledger_unavailable", "", type(error).__name__) from error
        settled = await self._judged(known, made, key)  # it came after we had given up waiting
        if settled is not None:
            return settled
        headers = {**made.headers, **self._headers(key.name, now)}
        answer = await self._post(headers, made.body)
        return await self._settled(key, made, answer)

    async def look_up(self, outbound: Outbound) -> Settled | None:
        """Tell by the receipt; None: none came for so long that it is to be sent again."""
        now = self._parts.clock.now()
        made = await self._written(outbound, now)
        key, known = await self._message(outbound, made)
        if known is None:
            return None  # its row is written before it is sent
        settled = await self._judged(known, made, key)
        if settled is not None:
            return settled
        if now - known.created_at > timedelta(hours=self._partner.transport.receipt_hours):
            return None
        raise InDoubt("mdn_awaited", "", "the receipt has not come yet")

    async def knock(self) -> bool:
        """Ask what may be called there (OPTIONS, RFC 9110 section 9.3.7); see `Knocking.knock`.

        Whatever it says to that, it is there; but where it had refused messages with an error of
        its own, and answers this, it may be refusing them still.
        """
        was_silent, self._silent = self._silent, True
        try:
            async with self._http.stream("OPTIONS", self._url) as answer:
                status = answer.status_code
        except httpx.HTTPError:
            raise Retryable("connection_failed", "", "no answer to a question") from None
        if status in _AWAY:
            raise Retryable("target_unavailable", "", f"HTTP {status}")
        self._silent = was_silent
        return was_silent

    async def close(self) -> None:
        """Release the connections."""
        await self._http.aclose()

    async def _message(self, outbound: Outbound, made: Prepared) -> tuple[Key, Exchange | None]:
        """Return as which message it goes, and what is known of that one.

        The last one that it went as, unless it has been given up since and the partner had refused
        that: what it refused stays refused under its Message-ID, here and there.
        """
        try:
            async with self._parts.engine.begin() as ledger:
                deaths = await exchanges.deaths(ledger, outbound.id)
                for before in range(deaths, -1, -1):
                    key = self._key(outbound, before)
                    known = await exchanges.find(ledger, key)
                    if known is not None:
                        break
        except (SQLAlchemyError, OSError) as error:
            raise Retryable("ledger_unavailable", "", type(error).__name__) from error
        new = self._key(outbound, deaths)
        if known is None or (key != new and await self._refuses(known, made, key)):
            return new, None
        return key, known

    async def _refuses(self, known: Exchange, made: Prepared, key: Key) -> bool:
        try:
            await self._judged(known, made, key)
        except Rejected:
            return True
        except InDoubt:
            return False  # it proves nothing
        return False

    def _key(self, outbound: Outbound, deaths: int) -> Key:
        # With its name, as that is another one for what is written anew after a partner's no.
        whole = f"{self._partner.connection}\0{outbound.id}\0{outbound.file_name}"
        if deaths:
            whole += f"\0{deaths}"
        mark = hashlib.sha256(whole.encode()).hexdigest()
        return Key(self._partner.connection, "out", f"{mark[:40]}@crossdock")

    async def _written(self, outbound: Outbound, now: datetime) -> Prepared:
        agreement = self._partner.agreement
        return await asyncio.to_thread(
            write_message, outbound.encoded, outbound.file_name, self._wrapping, agreement, now
        )

    def _headers(self, message_id: str, now: datetime) -> dict[str, str]:
        transport = self._partner.transport
        headers = as2_headers(self._partner.agreement, message_id, now)
        headers["Subject"] = "EDI"
        if transport.receipt == "none":
            return headers
        # RFC 4130 section 7.3: any address here asks for a receipt; it is not written to.
        headers["Disposition-Notification-To"] = transport.receipt_url or "edi@crossdock.invalid"
        if transport.receipt_signed:
            headers["Disposition-Notification-Options"] = (
                "signed-receipt-protocol=optional, pkcs7-signature; "
                "signed-receipt-micalg=optional, sha-256, sha1"
            )
        if transport.receipt == "async" and transport.receipt_url is not None:
            headers["Receipt-Delivery-Option"] = transport.receipt_url
        return headers

    async def _post(self, headers: Mapping[str, str], body: bytes) -> Answer:
        try:
            async with self._http.stream(
                "POST", self._url, headers=dict(headers), content=body
            ) as answer:
                self._silent = False
                _require_success(answer)
                content = await _read(answer)
                kept = {name: answer.headers[name] for name in _KEPT if name in answer.headers}
                return Answer(kept, content)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            self._silent = True
            raise Retryable("connection_failed", "", "could not connect") from None
        except httpx.HTTPError as error:
            self._silent = True
            raise InDoubt("answer_lost", "", type(error).__name__) from None

    async def _settled(self, key: Key, made: Prepared, answer: Answer) -> Settled:
        match self._partner.transport.receipt:
            case "none":
                return Settled(key.name, {"message_id": key.name})
            case "sync":
                if not answer.body.strip():
                    raise InDoubt("mdn_missing", "", "the answer holds no receipt")
                try:
                    settled = await self._read(answer, made, key, self._parts.clock.now())
                except Rejected:
                    await self._keep(key, answer)  # a replay has to know that it was refused
                    raise
                await self._keep(key, answer)
                return settled
            case "async":
                return await self._awaited(key, made)

    async def _awaited(self, key: Key, made: Prepared) -> Settled:
        """Wait a while for a receipt that comes on its own: most do at once."""
        clock = self._parts.clock
        end = clock.monotonic() + self._parts.timeout_seconds * _PATIENCE
        while True:
            known = await self._known(key)
            settled = await self._judged(known, made, key) if known is not None else None
            if settled is not None:
                return settled
            if clock.monotonic() >= end:
                raise InDoubt("mdn_awaited", "", "the receipt has not come yet")
            await asyncio.sleep(_POLL_SECONDS)

    async def _known(self, key: Key) -> Exchange | None:
        try:
            async with self._parts.engine.begin() as ledger:
                return await exchanges.find(ledger, key)
        except (SQLAlchemyError, OSError) as error:
            raise Retryable("ledger_unavailable", "", type(error).__name__) from error

    async def _keep(self, key: Key, answer: Answer) -> None:
        """Keep the receipt: with its signature it proves that the partner has the document."""
        try:
            async with self._parts.engine.begin() as ledger:
                await exchanges.answer(ledger, key, answer, self._parts.clock.now())
        except (SQLAlchemyError, OSError) as error:
            raise InDoubt("answer_lost", "", type(error).__name__) from error

    async def _judged(self, known: Exchange, made: Prepared, key: Key) -> Settled | None:
        if known.answer is None or known.answered_at is None:
            return None
        try:
            return await self._read(known.answer, made, key, known.answered_at)
        except Retryable as error:  # a stored receipt stays what it is: see `_message`
            raise Rejected("mdn_refused_processing_error", error.where, error.detail) from None

    async def _read(self, answer: Answer, made: Prepared, key: Key, at: datetime) -> Settled:
        headers = {name.lower(): value for name, value in answer.headers.items()}
        signed = (self._partner.transport.receipt_signed, at)
        try:
            receipt = await asyncio.to_thread(
                read_receipt, headers, answer.body, self._partner.agreement, signed
            )
        except Rejected as error:
            raise InDoubt(error.code, error.where, error.detail) from None
        return judge(receipt, made, key.name)


def judge(receipt: Receipt, made: Prepared, message_id: str) -> Settled:
    """What a receipt means for the delivery.

    Raises:
        InDoubt: ``mdn_unreadable``: it is for another message.
        Rejected: the partner refuses it, or has other bytes.
        Retryable: ``mdn_processing_error``.
    """
    if receipt.message_id != message_id:
        raise InDoubt("mdn_unreadable", "Original-Message-ID", "it is for another message")
    if not receipt.is_positive:
        if receipt.reason == _PROCESSING_ERROR:
            raise Retryable("mdn_processing_error", "Disposition", "the partner failed")
        code = _REASONS.get(receipt.reason, "mdn_refused")
        raise Rejected(code, "Disposition", "the partner refuses the message")
    mic = receipt.mic
    if mic is None and made.signed and receipt.signed and not receipt.modifier:
        raise Rejected("mdn_mic_mismatch", "Received-Content-MIC", "expected a MIC")
    if mic is not None and mic_of(made.covered, mic.digest) != mic:
        raise Rejected("mdn_mic_mismatch", "Received-Content-MIC", "the partner has other bytes")
    facts = {"message_id": message_id, "mic": mic.value if mic is not None else ""}
    return Settled(message_id, facts | {"receipt": "signed" if receipt.signed else "unsigned"})


async def _read(answer: httpx.Response) -> bytes:
    content = bytearray()
    async for chunk in answer.aiter_bytes():
        content += chunk
        if len(content) > _MOST_ANSWER_BYTES:
            raise InDoubt("mdn_unreadable", "", f"expected at most {_MOST_ANSWER_BYTES} bytes")
    return bytes(content)


def _require_success(answer: httpx.Response) -> None:
    status = answer.status_code
    said = f"HTTP {status}"
    if answer.is_success:
        return
    if status in _UNAUTHORISED:
        raise Retryable("unauthorised", "", said)
    if answer.is_redirect or status in _ELSEWHERE:
        raise Retryable("address_wrong", "", said)
    if status in _UNAVAILABLE or answer.is_server_error:
        wait = answer.headers.get("retry-after", "")
        seconds = min(float(wait), _LONGEST_WAIT) if wait.isdecimal() else None
        throttled = status == httpx.codes.TOO_MANY_REQUESTS
        raise Retryable("target_unavailable", "", said, retry_after=seconds, throttled=throttled)
    raise Rejected("request_refused", "", said)
