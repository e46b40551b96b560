"""The circuit breaker of one target: after failures in a row, stop calling; then try one call.

closed --`failures` in a row--> open --time--> half-open --success--> closed
                                  ^------------failure (longer)---'

A target that is back is found out within `cap_seconds`: the wait grows no further, it counts from
when a failed probe began, and a probe that hangs that long does not keep the next from being made.

Pure: time is passed in (monotonic seconds). A result counts only for the period in which its call
began, so that a slow call from before cannot close or lengthen what came after. Being throttled
(429) is no failure and is not reported here at all: the limiter handles it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

_UNLIMITED = 1_000_000
_BREATH = 1.0
"""Seconds between the end of a probe that hung and the next, at least."""


class State(StrEnum):
    """Whether calls may go out."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to make one call; to be handed back with its result."""

    period: int


@dataclass(slots=True)
class Breaker:
    """See the module's diagram.

    Args:
        failures: failures in a row that open it.
        open_seconds: how long it stays open at first; doubled by every failed probe.
        cap_seconds: the longest it stays open, if that is more, and the longest that one probe
            keeps another from being made: a probe costs a target little, and a target that is
            back should not wait for long.

    """

    failures: int
    open_seconds: float
    cap_seconds: float = 6.0
    """As often as the floor of the retry budget allows a retry: it never keeps a probe waiting."""
    _in_a_row: int = 0
    _opened: int = 0  # times since the last success: the exponent of the wait
    _open_until: float | None = None
    _probed_at: float | None = None
    """When the last probe began that nobody has heard of since."""
    _period: int = 0
    down: bool = False
    """A probe has failed since the last success: the target is away, not only a document bad."""

    def state(self, now: float) -> State:
        """Return the state at `now`."""
        if self._open_until is None:
            return State.CLOSED
        return State.OPEN if now < self._open_until else State.HALF_OPEN

    @property
    def in_trouble(self) -> bool:
        """Whether the last that was heard of the target is a failure."""
        return self._opened > 0 or self._in_a_row > 0

    def room(self, now: float) -> int:
        """Return how many calls may begin at `now`: all, none, or the one probe."""
        match self.state(now):
            case State.CLOSED:
                return _UNLIMITED
            case State.OPEN:
                return 0
            case State.HALF_OPEN:
                return 0 if self._is_probing(now) else 1

    def begin(self, now: float) -> Permit | None:
        """Ask leave for one call; None: not now."""
        if not self.room(now):
            return None
        if self.state(now) is State.HALF_OPEN:
            self._probed_at = now
        return Permit(self._period)

    def succeeded(self, permit: Permit) -> None:
        """Report that the target answered, with yes or no: it is there."""
        if permit.period != self._period:
            return
        self._in_a_row = 0
        self._opened = 0
        self._open_until = None
        self._probed_at = None
        self.down = False

    def failed(self, permit: Permit, now: float) -> None:
        """Report that the target did not answer, or not sensibly."""
        if permit.period != self._period:
            return
        self._in_a_row += 1
        self.down = self.down or self._probed_at is not None
        if self._probed_at is not None or self._in_a_row >= self.failures:
            self._open(now, self._left(now))
            self._opened += 1

    def unused(self, permit: Permit) -> None:
        """Hand a permit back that told nothing: the call was throttled or never made."""
        if permit.period == self._period:
            self._probed_at = None

    def halt(self, now: float, seconds: float) -> None:
        """Open it whatever its count says: calling makes no sense before somebody acts."""
        self._open(now, seconds)

    def _is_probing(self, now: float) -> bool:
        return self._probed_at is not None and now - self._probed_at < self._longest()

    def _longest(self) -> float:
        return max(self.cap_seconds, self.open_seconds)

    def _wait(self) -> float:
        return float(min(self.open_seconds * 2 ** min(self._opened, 30), self._longest()))

    def _left(self, now: float) -> float:
        """Return what is left of the wait: a probe that hung has waited for most of it already."""
        wait = self._wait()
        hung = 0.0 if self._probed_at is None else now - self._probed_at
        return max(wait - hung, min(wait, _BREATH))

    def _open(self, now: float, seconds: float) -> None:
        self._open_until = now + seconds
        self._in_a_row = 0
        self._probed_at = None
        self._period += 1
