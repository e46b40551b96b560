"""What a target can take, all three seen together."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime

from hub.delivery.breaker import State
from hub.delivery.health import Health
from hub.settings.model import Limits


@dataclass
class Frozen:
    """A clock that moves when told."""

    seconds: float = field(default=0.0)

    def now(self) -> datetime:
        """Any time."""
        return datetime(2026, 3, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        """As told."""
        return self.seconds


def make(**limits: float) -> tuple[Health, Frozen]:
    clock = Frozen()
    defaults = {"concurrency": 4, "per_second": 100, "breaker_failures": 2, "breaker_seconds": 5}
    return Health(Limits.model_validate(defaults | limits), clock, 0.1), clock


def fail(health: Health) -> None:
    leave = health.claimed(is_retry=False)
    assert health.begin(leave)
    health.failed(leave)


def test_room_is_what_concurrency_leaves() -> None:
    health, _ = make(concurrency=4)
    assert health.room(in_hand=1, uncalled=0).all == 3


def test_without_lanes_only_a_finished_one_gives_room() -> None:
    health, _ = make(concurrency=4)
    assert health.room(in_hand=4, uncalled=0).again_in == math.inf


def test_an_open_breaker_leaves_no_room() -> None:
    health, _ = make(breaker_failures=2)
    fail(health)
    fail(health)
    assert health.room(0, 0).all == 0
    assert health.state is State.OPEN


def test_half_open_there_is_room_for_the_probe_unless_one_is_on_its_way() -> None:
    health, clock = make(breaker_failures=2, breaker_seconds=5)
    fail(health)
    fail(health)
    clock.seconds = 5
    assert health.room(in_hand=0, uncalled=0).all == 1
    assert health.room(in_hand=1, uncalled=1).all == 0


def test_being_throttled_again_and_again_never_opens_the_breaker() -> None:
    health, clock = make(breaker_failures=1)
    for _ in range(20):
        leave = health.claimed(is_retry=False)
        assert health.begin(leave)
        health.throttled(leave, 1)
        clock.seconds += 10
    assert health.state is State.CLOSED


def test_a_throttled_probe_leaves_the_breaker_half_open() -> None:
    health, clock = make(breaker_failures=1, breaker_seconds=5)
    fail(health)
    clock.seconds = 5
    leave = health.claimed(is_retry=False)
    assert health.begin(leave)
    health.throttled(leave, 1)
    clock.seconds = 7
    assert health.state is State.HALF_OPEN
    assert health.room(0, 0).all == 1


def test_a_refusal_shows_that_the_target_is_there() -> None:
    health, _ = make(breaker_failures=2)
    for _ in range(5):
        fail(health)
        leave = health.claimed(is_retry=False)
        assert health.begin(leave)
        health.answered(leave)
    assert health.state is State.CLOSED


def test_a_question_and_the_call_after_it_cost_two_tokens() -> None:
    health, _ = make(per_second=1)
    leave = health.claimed(is_retry=True)
    assert health.begin(leave)
    health.heard(leave)
    assert health.begin(leave)
    assert health.room(0, 0).again_in == 2


def test_retries_leave_no_room_for_retries_until_they_are_answered() -> None:
    health, _ = make(concurrency=50, per_second=1000)
    leaves = [health.claimed(is_retry=True) for _ in range(10)]
    assert health.room(0, 0).retries == 0
    for leave in leaves:
        health.answered(leave)
    assert health.room(0, 0).retries == 10


def test_a_throttled_retry_is_the_limiters_business_and_costs_no_budget() -> None:
    health, clock = make()
    for _ in range(30):
        leave = health.claimed(is_retry=True)
        assert health.begin(leave)
        health.throttled(leave, 0.1)
        clock.seconds += 1
    assert health.room(0, 0).retries == 10


def test_a_halted_target_is_left_alone() -> None:
    health, clock = make()
    health.halt(60)
    clock.seconds = 59
    assert health.room(0, 0).all == 0
    clock.seconds = 60
    assert health.room(0, 0).all == 1
