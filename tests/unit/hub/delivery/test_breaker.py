"""The circuit breaker: opens on failures in a row, lets one call try, closes on its success."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.delivery.breaker import Breaker, Permit, State


def begun(breaker: Breaker, now: float) -> Permit:
    permit = breaker.begin(now)
    assert permit is not None
    return permit


def opened(now: float = 0.0, *, failures: int = 3) -> Breaker:
    breaker = Breaker(failures, open_seconds=10, cap_seconds=60)
    for _ in range(failures):
        breaker.failed(begun(breaker, now), now)
    return breaker


def test_failures_in_a_row_open_it() -> None:
    assert opened(failures=3).state(0) is State.OPEN


def test_a_success_between_failures_keeps_it_closed() -> None:
    breaker = Breaker(2, 10)
    for _ in range(10):
        breaker.failed(begun(breaker, 0), 0)
        breaker.succeeded(begun(breaker, 0))
    assert breaker.state(0) is State.CLOSED


def test_open_it_lets_no_call_through_until_its_time() -> None:
    breaker = opened(0)
    assert breaker.begin(9.9) is None
    assert breaker.room(9.9) == 0


def test_half_open_it_lets_exactly_one_call_through() -> None:
    breaker = opened(0)
    assert breaker.room(10) == 1
    begun(breaker, 10)
    assert breaker.begin(10) is None


def test_a_successful_probe_closes_it() -> None:
    breaker = opened(0)
    breaker.succeeded(begun(breaker, 10))
    assert breaker.state(10) is State.CLOSED


def test_every_failed_probe_doubles_the_wait_up_to_the_cap() -> None:
    breaker, now, waits = opened(0), 0.0, []
    for _ in range(5):
        opened_at = now
        while breaker.state(now) is State.OPEN:
            now += 1
        waits.append(now - opened_at)
        breaker.failed(begun(breaker, now), now)
    assert waits == [10, 20, 40, 60, 60]


def test_a_cap_below_the_first_wait_never_shortens_it() -> None:
    breaker = Breaker(1, open_seconds=100, cap_seconds=30)
    breaker.failed(begun(breaker, 0), 0)
    assert breaker.state(99) is State.OPEN


def test_after_a_success_the_wait_starts_small_again() -> None:
    breaker = opened(0)
    breaker.failed(begun(breaker, 10), 10)
    breaker.succeeded(begun(breaker, 30))
    for _ in range(3):
        breaker.failed(begun(breaker, 30), 30)
    assert breaker.state(39.9) is State.OPEN
    assert breaker.state(40) is State.HALF_OPEN


def test_late_results_of_calls_from_before_change_nothing() -> None:
    breaker = Breaker(1, 10)
    early, slow, slower = (begun(breaker, 0) for _ in range(3))
    breaker.failed(early, 0)
    breaker.succeeded(slow)
    assert breaker.state(1) is State.OPEN
    breaker.failed(slower, 9)
    assert breaker.state(10) is State.HALF_OPEN


def test_a_probe_that_told_nothing_leaves_room_for_the_next() -> None:
    breaker = opened(0)
    breaker.unused(begun(breaker, 10))
    assert breaker.begin(10) is not None


def test_a_probe_that_hangs_holds_the_next_up_no_longer_than_the_longest_wait() -> None:
    breaker = Breaker(1, 1, cap_seconds=8)
    breaker.failed(begun(breaker, 0), 0)
    hanging = begun(breaker, 1)
    assert breaker.begin(8.9) is None
    breaker.succeeded(begun(breaker, 9))
    assert breaker.state(9) is State.CLOSED
    breaker.failed(hanging, 30)
    assert breaker.state(30) is State.OPEN  # it began in the same period: what it says counts


@pytest.mark.parametrize("hangs", [0, 3, 5, 6, 30], ids=lambda seconds: f"probes_take_{seconds}_s")
def test_from_probe_to_probe_it_is_never_more_than_seven_seconds_by_default(hangs: int) -> None:
    breaker, begins = Breaker(5, 5), []
    under_way: list[tuple[float, Permit]] = []
    for _ in range(5):
        breaker.failed(begun(breaker, 0), 0)
    for now in (step / 4 for step in range(480)):
        for ends, permit in [call for call in under_way if call[0] <= now]:
            under_way.remove((ends, permit))
            breaker.failed(permit, now)
        if breaker.room(now):
            under_way.append((now + hangs, begun(breaker, now)))
            begins.append(now)
    assert max(after - before for before, after in pairwise([0, *begins])) <= 7
    assert min(after - before for before, after in pairwise(begins)) >= 5  # it is left in peace


def test_a_halted_target_rests_for_as_long_as_it_was_told() -> None:
    breaker = Breaker(5, 10)
    breaker.halt(0, 60)
    assert breaker.state(59.9) is State.OPEN
    breaker.succeeded(begun(breaker, 60))
    assert breaker.state(60) is State.CLOSED


@given(st.lists(st.tuples(st.floats(0, 30), st.sampled_from(["ok", "fail", "nothing"]))))
def test_it_always_lets_a_call_through_again_in_time(
    steps: list[tuple[float, str]],
) -> None:
    breaker, now = Breaker(2, 1, cap_seconds=20), 0.0
    for passed, result in steps:
        now += passed
        permit = breaker.begin(now)
        if permit is None:
            continue
        if result == "ok":
            breaker.succeeded(permit)
        elif result == "fail":
            breaker.failed(permit, now)
        else:
            breaker.unused(permit)
    assert breaker.room(now + 20) > 0
