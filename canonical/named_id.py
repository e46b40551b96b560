"""Ids made of what they name: UUIDs of version 5 (RFC 9562 section 5.5)."""

from __future__ import annotations

import hashlib

_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
"""A hexadecimal digit -> the same with the two bits of the variant (RFC 9562 section 4.1)."""


def named_id(namespace: bytes, name: str) -> str:
    """The same as ``str(uuid.uuid5(...))`` at a quarter of its price: an order needs seven.

    Args:
        namespace: the 16 bytes of the namespace's UUID.
        name: what the id is of.

    """
    text = hashlib.sha1(namespace + name.encode(), usedforsecurity=False).hexdigest()
    variant = _VARIANT[text[16]]
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{variant}{text[17:20]}-{text[20:32]}"
