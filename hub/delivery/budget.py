"""The retry budget of one target: retries may not multiply the load of a target in trouble.

Within the last 60 seconds, retries that have not been answered may be at most `ratio` of the first
attempts, or `floor` where that is more, so that a quiet target still retries. A retry that the
target answers is given back: after an outage the backlog flows at full speed. Pure: time is
passed in (monotonic seconds). After the retry quota of the AWS SDKs.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

_WINDOW = 60.0


@dataclass(slots=True)
class RetryBudget:
    """Counts first attempts and unanswered retries of the last minute.

    Args:
        ratio: retries per first attempt, such as 0.1.
        floor: retries a minute that are always allowed.

    """

    ratio: float
    floor: int = 10
    _firsts: deque[float] = field(default_factory=deque)
    _retries: deque[float] = field(default_factory=deque)

    def room(self, now: float) -> int:
        """Return how many retries may begin at `now`."""
        for times in (self._firsts, self._retries):
            while times and times[0] <= now - _WINDOW:
                times.popleft()
        allowed = max(self.floor, int(self.ratio * len(self._firsts)))
        return max(allowed - len(self._retries), 0)

    def first(self, now: float) -> None:
        """Count a first attempt."""
        self._firsts.append(now)

    def retry(self, now: float) -> float:
        """Count a retry; the return value names it, for `answered`."""
        self._retries.append(now)
        return now

    def answered(self, retry: float) -> None:
        """Give a retry back that the target answered."""
        if retry in self._retries:
            self._retries.remove(retry)
