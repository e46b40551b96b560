"""Time, passed in: tests and replays have their own."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Wall time for records, monotonic time for waits: a jump of the first never moves the second."""

    def now(self) -> datetime:
        """Return the wall time, UTC, with its zone."""
        ...

    def monotonic(self) -> float:
        """Return seconds that only ever rise."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        """Return the wall time, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return the monotonic clock's seconds."""
        return time.monotonic()
