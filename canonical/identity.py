"""The three identities of a document (ARCHITECTURE.md, Identity), as pure functions of values.

- delivery id: the sender's transport identity; each transport makes its own.
- content id: what the document says, without its envelope and without its key.
- business key: what the document is about.

All are stored, none stands in for another.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

import orjson

from canonical.base import Document
from canonical.decimal_text import plain
from canonical.named_id import named_id
from canonical.number import normalise

__all__ = [
    "BusinessKey",
    "business_key",
    "content_id",
    "event_id",
    "normalise",
    "po_key",
    "reference_for",
]

_EVENTS = uuid.UUID("6f2f7a1e-3b1c-5d0e-9a51-0c6e5d0c0d0c").bytes
"""The namespace of event ids; changing it would let every event be published twice."""

_SHARED_KEY = {"order_change": "order"}
"""Entities whose key is that of the document that they change."""

_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_SHIFTS = range(45, -1, -5)
"""Ten letters of five bits each."""


@dataclass(frozen=True, slots=True)
class BusinessKey:
    """(entity, partner, number, release); `str()` is its one stored form.

    "%" and "/" inside a part are percent-encoded (RFC 3986 section 2.1), so that no two keys share
    a stored form.
    """

    entity: str
    partner: str
    number: str
    release: str = ""

    def __str__(self) -> str:
        parts = (self.entity, self.partner, self.number, self.release)
        return "/".join(part.replace("%", "%25").replace("/", "%2F") for part in parts)


def business_key(document: Document, partner: str) -> BusinessKey:
    """What the document is about, between us and `partner`."""
    number, release = document.key_parts()
    entity = _SHARED_KEY.get(document.entity, document.entity)
    return BusinessKey(entity, partner, normalise(number), normalise(release))


def po_key(buyer_account: str, po_number: str) -> str:
    """``<account>|<normalised PO number>``: one purchase, whatever channel it came by.

    Orders of two keys with the same purchase are twins. The account is ours and taken as it is: it
    is the cross-reference's answer, never a sender's spelling.
    """
    return f"{buyer_account}|{normalise(po_number)}"


def reference_for(key: BusinessKey | str) -> str:
    """Our reference at targets: ``XD`` and 10 letters of RFC 4648 base32, from the key alone.

    Targets keep it as the external document number of what they made of the order, and are asked
    for it when an answer was lost. So it depends on no attempt, clock or database, and it fits
    where our own key would not: 35 characters in Business Central, 22 in X12 W0602 (element 285),
    upper-case letters and digits everywhere.

    10 letters are 50 bits of sha256. The chance that any two of n orders share a reference is about
    n squared over 2 to the 51st: 0.04 % among one million orders, 4.3 % among ten million. So a
    reference is for asking a target, and never the key of anything in the hub.

    Args:
        key: the key, or its stored form.

    """
    digest = hashlib.sha256(str(key).encode()).digest()
    bits = int.from_bytes(digest[:8]) >> 14  # base64.b32encode is pure Python and ten times slower
    return "XD" + "".join([_BASE32[bits >> shift & 31] for shift in _SHIFTS])


def content_id(document: Document) -> str:
    """sha256 (hex) of what the document says, in sorted compact JSON (after RFC 8785).

    Decimals are compared by value: "5", "5.0" and "5.00" give one content id. So are moments:
    10:00+02:00 is 08:00Z.
    """
    # Sorted keys: the order in which a model declares its fields is no part of what a document says.
    options = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME
    text = orjson.dumps(document.content(), default=_comparable, option=options)
    return hashlib.sha256(text).hexdigest()


def _comparable(value: object) -> str:
    if type(value) is Decimal:
        # One text for all spellings of a number; unlike `normalize` it depends on no context.
        text = plain(value)
        if "." in text:
            text = text.rstrip("0").rstrip(".")
        return "0" if text == "-0" else text
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"no comparable form of {type(value).__name__}")


def event_id(key: BusinessKey | str, content: str, verb: str, version: int) -> str:
    """The CloudEvents id, which is also the Nats-Msg-Id: the same fact always has the same id.

    Never derived from the business key alone: NATS drops changed content as a duplicate.
    """
    return named_id(_EVENTS, f"{key}|{content}|{verb}|{version}")
