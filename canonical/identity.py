"""The three identities of a document (DESIGN section 5), as pure functions of values.

- delivery id: the sender's transport identity; each transport makes its own.
- content id: what the document says, without its envelope and without its key.
- business key: what the document is about.

All are stored, none stands in for another.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from canonical.base import Document

_EVENTS = uuid.UUID("6f2f7a1e-3b1c-5d0e-9a51-0c6e5d0c0d0c")
"""The namespace of event ids; changing it would let every event be published twice."""

_SHARED_KEY = {"order_change": "order"}
"""Entities whose key is that of the document that they change."""


def normalise(number: str) -> str:
    """Make a number comparable: NFKC, upper case, outer blanks off, inner blanks to one.

    Leading zeros and punctuation are kept: "0042" and "42" are different orders until a partner's
    own mapping says otherwise.
    """
    return " ".join(unicodedata.normalize("NFKC", number).upper().split())


@dataclass(frozen=True, slots=True)
class BusinessKey:
    """(entity, partner, number, release); `str()` is its one stored form."""

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


def content_id(document: Document) -> str:
    """sha256 (hex) of what the document says, in sorted compact JSON (after RFC 8785).

    Decimals are compared by value: "5", "5.0" and "5.00" give one content id.
    """
    text = json.dumps(
        document.content(),
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
        default=_comparable,
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _comparable(value: object) -> str:
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"no comparable form of {type(value).__name__}")


def event_id(key: BusinessKey, content: str, verb: str, version: int) -> str:
    """The CloudEvents id, which is also the Nats-Msg-Id: the same fact always has the same id.

    Never derived from the business key alone: NATS drops changed content as a duplicate.
    """
    return str(uuid.uuid5(_EVENTS, f"{key}|{content}|{verb}|{version}"))
