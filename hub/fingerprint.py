"""What dead letters of one cause have in common."""

from __future__ import annotations

import hashlib
import re

_NUMBER = re.compile(r"(?<![A-Za-z0-9])\d+(?![A-Za-z0-9])")


def general(where: str) -> str:
    """Take counts and numbers out of a place: ``PO1[3].PO104`` becomes ``PO1[*].PO104``.

    Digits that belong to a name (``PO104``) stay: they tell one cause from another.
    """
    return _NUMBER.sub("*", where)


def fingerprint(
    stage: str, code: str, where: str, target: str = "", mapping_version: str | None = None
) -> str:
    """Return 16 hex digits that failures of one cause at one target share."""
    parts = (stage, code, general(where), target, mapping_version or "")
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]
