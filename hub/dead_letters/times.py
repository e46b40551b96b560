"""Moments as people write them: ISO 8601, or how long ago."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_AGO = re.compile(r"(\d{1,6})([smhdw])", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def moment(text: str, now: datetime) -> datetime:
    """Return the moment that `text` names.

    Args:
        text: ``30m``, ``2h``, ``3d``, ``1w`` before `now`, or ISO 8601 such as ``2026-05-05`` or
            ``2026-05-05T10:00:00+02:00``; UTC where it names no offset.
        now: the clock's.

    Raises:
        ValueError: it is neither; the text says what is expected.
    """
    written = text.strip()
    ago = _AGO.fullmatch(written)
    try:
        if ago:
            return now - timedelta(seconds=int(ago[1]) * _SECONDS[ago[2]])
        found = datetime.fromisoformat(written)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("expected 30m, 2h, 3d, or ISO 8601 such as 2026-05-05T10:00") from None
