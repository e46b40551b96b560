"""Receipts (MDN, RFC 3798) as AS2 uses them: ours written, the partner's read.

A signed receipt whose MIC is ours proves that the partner has our document (RFC 4130 section 2.3.1).

Codes of `read_receipt`, all `Rejected`: ``mdn_unreadable``, ``mdn_unsigned`` (a signed one was
agreed), ``mdn_not_authentic``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.message import Message
from email.parser import BytesHeaderParser

from canonical.errors import Rejected
from connectors.transports.as2 import cms
from connectors.transports.as2.entity import Entity, canonical_lines, of_request, parse
from connectors.transports.as2.keys import signing_key
from connectors.transports.as2.message import (
    Agreement,
    Mic,
    as2_headers,
    boundary_for,
    content_headers,
    mic_of,
    sign_entity,
)
from connectors.transports.as2.names import DIGESTS, Envelope, read_message_id, write_name
from connectors.transports.as2.refusals import PROCESSED, disposition_of

_REPORT = "multipart/report"
_NOTIFICATION = "message/disposition-notification"
_MOST_FIELDS = 16_384
_SIGNED_PARTS = 2
_DISPOSITION = re.compile(
    r"[^;]*;\s*([A-Za-z-]+)\s*(?:/\s*([A-Za-z]+)\s*(?::\s*(.*))?)?", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Written:
    """A receipt of ours, ready to be sent, now or again."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message: the MIC of what was understood, or why it was refused."""

    mic: Mic | None = None
    refusal: Rejected | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """A partner's receipt for a message of ours."""

    message_id: str
    """Of our message."""
    kind: str
    """``processed`` or ``failed`` or what else it says, in lower case."""
    modifier: str
    """``error``, ``failure``, ``warning`` or ""; in lower case."""
    reason: str
    """What follows the modifier, in lower case."""
    mic: Mic | None
    signed: bool

    @property
    def is_positive(self) -> bool:
        """Whether the partner has it; a warning, such as duplicate-document, says so too."""
        return self.kind == PROCESSED and self.modifier in {"", "warning"}


def outcome_of(envelope: Envelope, covered: bytes, digest: str | None) -> Outcome:
    """The outcome of a message that was understood.

    Args:
        envelope: of the message.
        covered: what the MIC is computed over.
        digest: that of the signature, which the MIC has too (RFC 4130 section 7.4.3); None: no
            signature, then the first that the sender wants.

    Raises:
        Rejected: ``as2_mic_unsupported``: the sender wants digests that we do not know.

    """
    request = envelope.receipt
    if request is not None and request.unknown_only:
        raise Rejected("as2_mic_unsupported", "disposition-notification-options", "expected SHA-2")
    wanted = next(iter(request.digests), None) if request is not None else None
    return Outcome(mic=mic_of(covered, digest or wanted or "sha256"))


def write_receipt(
    envelope: Envelope, outcome: Outcome, agreement: Agreement | None, now: datetime
) -> Written:
    """Write the receipt for a message.

    Args:
        envelope: of the message.
        outcome: what became of it.
        agreement: with its sender; None where there is none: then nobody signs.
        now: when.

    Raises:
        ConfigError: ``certificate_expired``: a signed one is wanted, and no key of ours is valid.

    """
    entity = _report(envelope, outcome)
    request = envelope.receipt
    if agreement is None:
        agreement = Agreement(envelope.receiver, envelope.sender, (), ())
    elif request is not None and request.signed and agreement.our_keys:
        entity = sign_entity(entity, signing_key(agreement.our_keys, now))
    found = parse(entity)
    name = hashlib.sha256(found.body).hexdigest()[:32]
    headers = as2_headers(agreement, f"mdn-{name}@crossdock", now)
    return Written({**headers, **content_headers(found)}, found.body)


def _report(envelope: Envelope, outcome: Outcome) -> bytes:
    fields = _fields(envelope, outcome)
    words = _words(outcome)
    boundary = boundary_for(fields)
    head = (
        "Content-Type: multipart/report; report-type=disposition-notification; "
        f'boundary="{boundary}"\r\n\r\n'
        f"--{boundary}\r\nContent-Type: text/plain; charset=us-ascii\r\n"
        f"Content-Transfer-Encoding: 7bit\r\n\r\n{words}\r\n"
        f"--{boundary}\r\nContent-Type: {_NOTIFICATION}\r\n"
        "Content-Transfer-Encoding: 7bit\r\n\r\n"
    )
    return head.encode("ascii") + fields + f"\r\n--{boundary}--\r\n".encode("ascii")


def _fields(envelope: Envelope, outcome: Outcome) -> bytes:
    said = PROCESSED if outcome.refusal is None else disposition_of(outcome.refusal)
    receiver = write_name(envelope.receiver)
    lines = [
        "Reporting-UA: crossdock",
        f"Original-Recipient: rfc822; {receiver}",
        f"Final-Recipient: rfc822; {receiver}",
        f"Original-Message-ID: {envelope.message_id_as_sent}",
        f"Disposition: automatic-action/MDN-sent-automatically; {said}",
    ]
    if outcome.mic is not None:
        spellings = envelope.receipt.digests if envelope.receipt is not None else {}
        digest = spellings.get(outcome.mic.digest, outcome.mic.digest)
        lines.append(f"Received-Content-MIC: {outcome.mic.value}, {digest}")
    return ("\r\n".join(lines) + "\r\n").encode("ascii")


def _words(outcome: Outcome) -> str:
    if outcome.refusal is None:
        return "The message was received and is stored. This is no promise about its content.\r\n"
    error = outcome.refusal
    return f"The message was refused: {error.code}: {error.detail}.\r\n".encode(
        "ascii", "replace"
    ).decode("ascii")


def is_receipt(headers: Mapping[str, str], body: bytes) -> bool:
    """Whether an HTTP message to our AS2 address is a receipt and no message."""
    try:
        entity = of_request(headers, body)
        if entity.media_type == "multipart/signed":
            entity = entity.parts()[0]
    except (Rejected, IndexError):
        return False
    return entity.media_type == _REPORT


def read_receipt(
    headers: Mapping[str, str], body: bytes, agreement: Agreement, signed: tuple[bool, datetime]
) -> Receipt:
    """Read a partner's receipt.

    Args:
        headers: of the HTTP message that brought it, by lower-case name.
        body: as it came.
        agreement: with the partner.
        signed: whether it must be, and the moment at which certificates must be valid.

    Raises:
        Rejected: the codes of this module.

    """
    try:
        entity, is_signed = _verified(of_request(headers, body), agreement, signed[1])
        fields = _notification(entity)
    except Rejected as error:
        if error.code.startswith("mdn_"):
            raise
        raise Rejected("mdn_unreadable", "", error.detail) from error
    if signed[0] and not is_signed:
        raise Rejected("mdn_unsigned", "", "expected a signed receipt")
    return _read_fields(fields, signed=is_signed)


def _verified(entity: Entity, agreement: Agreement, now: datetime) -> tuple[Entity, bool]:
    if entity.media_type != "multipart/signed":
        return entity, False
    parts = entity.parts()
    if len(parts) != _SIGNED_PARTS:
        raise Rejected("mdn_unreadable", "", "expected one signed part and one signature")
    forms = [parts[0].raw, canonical_lines(parts[0].raw)]
    try:
        cms.verify(parts[1].content(), forms, agreement.certificates, now)
    except Rejected as error:
        raise Rejected("mdn_not_authentic", "", error.detail) from error
    return parts[0], True


def _notification(entity: Entity) -> Message:
    if entity.media_type != _REPORT:
        raise Rejected("mdn_unreadable", "", f"expected {_REPORT}")
    for part in entity.parts():
        if part.media_type == _NOTIFICATION:
            return BytesHeaderParser().parsebytes(part.content()[:_MOST_FIELDS].lstrip())
    raise Rejected("mdn_unreadable", "", f"expected a part {_NOTIFICATION}")


def _read_fields(fields: Message, *, signed: bool) -> Receipt:
    found = _DISPOSITION.fullmatch(str(fields.get("disposition", "")).strip())
    if found is None:
        raise Rejected("mdn_unreadable", "Disposition", "expected a disposition")
    kind, modifier, reason = (" ".join((text or "").lower().split()) for text in found.groups())
    try:
        message_id = read_message_id(str(fields.get("original-message-id", "")))
    except Rejected:
        raise Rejected("mdn_unreadable", "Original-Message-ID", "expected a Message-ID") from None
    mic = _read_mic(str(fields.get("received-content-mic", "")))
    return Receipt(message_id, kind, modifier, reason, mic, signed)


def _read_mic(value: str) -> Mic | None:
    hashed, comma, algorithm = value.partition(",")
    digest = DIGESTS.get(algorithm.strip().lower())
    if not comma or digest is None:
        return None
    return Mic("".join(hashed.split()), digest)
