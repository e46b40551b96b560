"""What one target can take now: breaker, limiter and retry budget, seen together."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from hub.clock import Clock
from hub.delivery.breaker import Breaker, Permit, State
from hub.delivery.budget import RetryBudget
from hub.delivery.limiter import Limiter
from hub.settings.model import Limits


@dataclass(frozen=True, slots=True)
class Room:
    """How many deliveries may be claimed; `retries` of them may be retries."""

    all: int
    retries: int
    again_in: float
    """Where there is none: seconds until the limiter gives some; infinite where time alone won't."""


@dataclass(slots=True)
class Leave:
    """What one delivery in hand has been granted, until its result is known."""

    retry: float | None = None
    permit: Permit | None = None
    calls: int = 0


@dataclass(slots=True)
class Health:
    """One target's breaker, limiter and retry budget on one monotonic clock."""

    limits: Limits
    clock: Clock
    retry_ratio: float
    _breaker: Breaker = field(init=False)
    _limiter: Limiter = field(init=False)
    _budget: RetryBudget = field(init=False)
    _is_back: bool = False

    def __post_init__(self) -> None:
        limits = self.limits
        self._breaker = Breaker(limits.breaker_failures, limits.breaker_seconds)
        self._limiter = Limiter(limits.per_second, self.clock.monotonic())
        self._budget = RetryBudget(self.retry_ratio)

    @property
    def state(self) -> State:
        """The breaker's state, for logs and metrics."""
        return self._breaker.state(self.clock.monotonic())

    @property
    def in_trouble(self) -> bool:
        """Whether the last that was heard of the target is a failure."""
        return self._breaker.in_trouble

    def came_back(self) -> bool:
        """Return, once, that the target answers again after a probe or a question had failed."""
        back, self._is_back = self._is_back, False
        return back

    def unanswered(self, leave: Leave) -> None:
        """Report that a question brought nothing: that tells of the target, of no document."""
        self.failed(leave)
        self._breaker.down = True

    def room(self, in_hand: int, uncalled: int) -> Room:
        """Return how many more deliveries may be claimed.

        Args:
            in_hand: deliveries that are claimed already.
            uncalled: those of them that have not called yet: they will use the breaker's room.

        """
        now = self.clock.monotonic()
        lanes = min(self.limits.concurrency - in_hand, self._breaker.room(now) - uncalled)
        retries = self._budget.room(now)
        if lanes <= 0:
            return Room(0, retries, math.inf)
        return Room(min(lanes, self._limiter.room(now)), retries, self._limiter.ready_in(now))

    def claimed(self, *, is_retry: bool) -> Leave:
        """Count a delivery that was claimed; its one call is paid for with that."""
        now = self.clock.monotonic()
        self._limiter.take(now)
        if is_retry:
            return Leave(retry=self._budget.retry(now))
        self._budget.first(now)
        return Leave()

    def begin(self, leave: Leave) -> bool:
        """Ask leave for a call; a second one of the same delivery takes a token on credit."""
        now = self.clock.monotonic()
        permit = self._breaker.begin(now)
        if permit is None:
            return False
        if leave.calls:
            self._limiter.take(now)
        leave.calls += 1
        leave.permit = permit
        return True

    def heard(self, leave: Leave) -> None:
        """Report that the target answered a question; the delivery goes on."""
        if leave.permit is not None:
            was_down = self._breaker.down
            self._breaker.succeeded(leave.permit)
            self._is_back = self._is_back or (was_down and not self._breaker.down)
            leave.permit = None

    def answered(self, leave: Leave) -> None:
        """Report that the target settled it: it took the document, or refused it."""
        self.heard(leave)
        if leave.retry is not None:
            self._budget.answered(leave.retry)

    def failed(self, leave: Leave) -> None:
        """Report that the target gave no sensible answer."""
        if leave.permit is not None:
            self._breaker.failed(leave.permit, self.clock.monotonic())

    def throttled(self, leave: Leave, retry_after: float | None) -> None:
        """Report that the target wants less; this never opens the breaker."""
        self.unused(leave)
        if leave.retry is not None:  # an answer too, and the limiter sees to the load
            self._budget.answered(leave.retry)
        self._limiter.throttled(self.clock.monotonic(), retry_after)

    def unused(self, leave: Leave) -> None:
        """Hand back what was granted: the call told nothing of the target."""
        if leave.permit is not None:
            self._breaker.unused(leave.permit)

    def halt(self, seconds: float) -> None:
        """Pause the target: its configuration is wrong."""
        self._breaker.halt(self.clock.monotonic(), seconds)
