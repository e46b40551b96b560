"""AS2 names, Message-IDs and the request for a receipt, as they stand in HTTP headers.

Code: ``as2_header_invalid`` (`Rejected`; `where` is the header).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from canonical.errors import Rejected

LONGEST_NAME = 128
_LONGEST_MESSAGE_ID = 998  # RFC 4130 section 5.3.3
_LONGEST_OPTION = 2048
_PRINTABLE = re.compile(r"[ -~]+")
_ESCAPED = re.compile(r"\\([\"\\])")
_NEEDS_QUOTES = re.compile(r"[ \"\\]")

DIGESTS = {
    "sha1": "sha1",
    "sha-1": "sha1",
    "sha256": "sha256",
    "sha-256": "sha256",
    "sha2-256": "sha256",
    "sha384": "sha384",
    "sha-384": "sha384",
    "sha512": "sha512",
    "sha-512": "sha512",
}
"""How senders write a digest -> its name in `hashlib`. MD5 is none: it proves nothing any more."""


@dataclass(frozen=True, slots=True)
class ReceiptRequest:
    """What the sender of a message wants to hear back."""

    signed: bool
    digests: Mapping[str, str]
    """Wanted digests that we know -> as the sender spells them, the first most."""
    unknown_only: bool
    """Digests are required, and none of them is known here."""
    url: str | None
    """Where to send the receipt later; None: it is the answer to the call."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """The AS2 headers of a message."""

    sender: str
    receiver: str
    message_id: str
    """Without its angle brackets; the delivery id."""
    message_id_as_sent: str
    receipt: ReceiptRequest | None


def read_name(value: str, where: str) -> str:
    """An AS2 name without its quotes (RFC 4130 section 6.2): 1 to 128 printable characters."""
    text = value.strip()
    quotes = 2
    if len(text) >= quotes and text.startswith('"') and text.endswith('"'):
        text = _ESCAPED.sub(r"\1", text[1:-1])
    if not _PRINTABLE.fullmatch(text) or len(text) > LONGEST_NAME:
        raise Rejected("as2_header_invalid", where, "expected 1 to 128 printable characters")
    return text


def write_name(name: str) -> str:
    """An AS2 name as a header value, quoted where it must be."""
    if not _NEEDS_QUOTES.search(name):
        return name
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def read_message_id(value: str) -> str:
    """A Message-ID without its angle brackets, which some senders forget."""
    text = value.strip()
    if text.startswith("<") and text.endswith(">"):
        text = text[1:-1]
    if not _PRINTABLE.fullmatch(text) or len(text) > _LONGEST_MESSAGE_ID:
        raise Rejected("as2_header_invalid", "message-id", "expected a Message-ID")
    return text


def read_envelope(headers: Mapping[str, str]) -> Envelope:
    """Read the AS2 headers.

    Args:
        headers: by lower-case name.

    Raises:
        Rejected: ``as2_header_invalid``.

    """
    return Envelope(
        sender=read_name(headers.get("as2-from", ""), "as2-from"),
        receiver=read_name(headers.get("as2-to", ""), "as2-to"),
        message_id=read_message_id(headers.get("message-id", "")),
        message_id_as_sent=headers.get("message-id", "").strip(),
        receipt=_read_request(headers),
    )


def _read_request(headers: Mapping[str, str]) -> ReceiptRequest | None:
    if not headers.get("disposition-notification-to", "").strip():
        return None
    options = _read_options(headers.get("disposition-notification-options", ""))
    importance, *wanted = options.get("signed-receipt-micalg") or [""]
    known = {DIGESTS[word.lower()]: word for word in wanted if word.lower() in DIGESTS}
    url = headers.get("receipt-delivery-option", "").strip()
    if len(url) > _LONGEST_OPTION or (url and not _PRINTABLE.fullmatch(url)):
        raise Rejected("as2_header_invalid", "receipt-delivery-option", "expected a URL")
    return ReceiptRequest(
        signed="signed-receipt-protocol" in options,
        digests=known,
        unknown_only=importance.lower() == "required" and not known,
        url=url or None,
    )


def _read_options(value: str) -> dict[str, list[str]]:
    """``name=importance, value, value; name=...`` (RFC 3798 section 2.2)."""
    options: dict[str, list[str]] = {}
    for part in value[:_LONGEST_OPTION].split(";"):
        name, equals, rest = part.partition("=")
        if equals:
            words = [word.strip().strip('"') for word in rest.split(",")]
            options[name.strip().lower()] = [word for word in words if word]
    return options
