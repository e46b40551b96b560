"""The rate limiter of one target: a token bucket whose rate adapts to what the target says.

Additive increase, multiplicative decrease: "too many requests" halves the rate and pauses until
the target's Retry-After; then the rate climbs back evenly. Pure: time is passed in (monotonic
seconds). Over any span of T seconds at most ``burst + per_second * T`` calls begin, plus those
taken on credit, which later ones pay for.
"""

from __future__ import annotations

from dataclasses import dataclass, field

_RECOVERY_SECONDS = 60.0
"""From standstill back to the full rate, if nobody complains."""
_BURST_SECONDS = 0.1
_SLOWEST = 64
"""The rate is never lowered below this fraction of the full rate."""
_DEFAULT_PAUSE = 1.0
_LONGEST_PAUSE = 3600.0


@dataclass(slots=True)
class Limiter:
    """Tokens for calls to one target.

    Args:
        per_second: the full rate.
        now: monotonic seconds.

    """

    per_second: float
    now: float
    rate: float = field(init=False)
    _tokens: float = field(init=False)
    _paused_until: float = field(init=False)

    def __post_init__(self) -> None:
        self.rate = self.per_second
        self._tokens = self._burst()
        self._paused_until = self.now

    def room(self, now: float) -> int:
        """Return how many calls may begin at `now`."""
        self._refill(now)
        if now < self._paused_until:
            return 0
        return max(int(self._tokens + 1e-9), 0)

    def take(self, now: float) -> None:
        """Count one call; without a token it goes on credit, and later calls wait for it."""
        self._refill(now)
        self._tokens -= 1

    def ready_in(self, now: float) -> float:
        """Return the seconds until a call may begin; 0: at once."""
        self._refill(now)
        for_token = max(1 - self._tokens, 0.0) / self.rate
        return max(self._paused_until - now, for_token, 0.0)

    def throttled(self, now: float, retry_after: float | None) -> None:
        """Slow down: the target is healthy but wants less.

        The answers of calls that were under way together count once: the rate is halved only
        when no pause is running yet.
        """
        self._refill(now)
        if now >= self._paused_until:
            self.rate = max(self.rate / 2, self.per_second / _SLOWEST)
        self._tokens = min(self._tokens, 1.0)
        asked = retry_after if retry_after is not None and retry_after > 0 else _DEFAULT_PAUSE
        self._paused_until = max(self._paused_until, now + min(asked, _LONGEST_PAUSE))

    def _burst(self) -> float:
        return max(1.0, self.rate * _BURST_SECONDS)

    def _refill(self, now: float) -> None:
        since = max(self.now, min(self._paused_until, now))
        passed = max(now - since, 0.0)
        self.now = max(now, self.now)
        climb = self.per_second / _RECOVERY_SECONDS * passed
        self.rate = min(self.rate + climb, self.per_second)
        self._tokens = min(self._tokens + passed * self.rate, self._burst())
