"""Ids: derived where a step may be done twice, time-ordered where something is new."""

from __future__ import annotations

import os
import uuid

from canonical.named_id import named_id

_NAMESPACE = uuid.UUID("0b0e9d0a-6c9e-5f0f-8a7e-4c3a2f1d5e6b").bytes


def new_id(now_ms: int) -> str:
    """Make a UUID version 7 (RFC 9562 section 5.7): new rows land at the end of an index.

    Args:
        now_ms: milliseconds since 1970, from the caller's clock.
    """
    value = (now_ms & (2**48 - 1)) << 80 | int.from_bytes(os.urandom(10))
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))


def derived_id(*parts: str) -> str:
    """Make the one id of what `parts` name: doing a step again makes the same row again."""
    return named_id(_NAMESPACE, "\x1f".join(parts))
