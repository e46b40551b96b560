"""The rate limiter: never faster than allowed, slower when told, and back again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.delivery.limiter import Limiter


def drain(limiter: Limiter, now: float) -> int:
    """Take every token that is there."""
    taken = 0
    while limiter.room(now):
        limiter.take(now)
        taken += 1
    return taken


def calls_between(limiter: Limiter, start: float, end: float) -> int:
    step, calls, now = 0.01, 0, start
    while now < end:
        calls += drain(limiter, now)
        now += step
    return calls


def test_it_starts_no_more_calls_than_the_rate_and_a_small_burst() -> None:
    assert 100 <= calls_between(Limiter(10, 0.0), 0, 10) <= 101


@given(st.floats(0.1, 200), st.lists(st.floats(0, 3), max_size=50))
def test_over_any_time_the_rate_is_kept(per_second: float, pauses: list[float]) -> None:
    limiter, now, calls = Limiter(per_second, 0.0), 0.0, 0
    for pause in pauses:
        now += pause
        calls += drain(limiter, now)
    burst = max(1.0, per_second * 0.1)
    assert calls <= burst + per_second * now + 1e-6


def test_a_throttled_target_is_left_alone_until_its_retry_after() -> None:
    limiter = Limiter(50, 0.0)
    limiter.throttled(0, 7)
    assert calls_between(limiter, 0, 6.99) == 0
    assert limiter.ready_in(0) == 7
    assert drain(limiter, 7.1) > 0


def test_after_the_pause_it_goes_at_half_the_rate() -> None:
    limiter = Limiter(50, 0.0)
    limiter.throttled(0, 1)
    assert limiter.rate == 25
    assert 24 <= calls_between(limiter, 1, 2) <= 29


def test_it_climbs_back_to_the_full_rate_and_no_further() -> None:
    limiter = Limiter(50, 0.0)
    limiter.throttled(0, 1)
    limiter.room(31)
    assert limiter.rate == 50
    limiter.room(1000)
    assert limiter.rate == 50


def test_answers_that_belong_together_halve_the_rate_once() -> None:
    limiter = Limiter(64, 0.0)
    for _ in range(4):
        limiter.throttled(0, 1)
    assert limiter.rate == 32


def test_without_retry_after_it_still_pauses() -> None:
    limiter = Limiter(50, 0.0)
    limiter.throttled(0, None)
    assert limiter.room(0.5) == 0
    assert limiter.room(1.5) > 0


def test_the_rate_never_falls_to_nothing() -> None:
    limiter, now = Limiter(64, 0.0), 0.0
    for _ in range(100):
        limiter.throttled(now, 0.5)
        now += 0.5
    assert limiter.rate >= 1


def test_a_call_on_credit_is_paid_for_by_the_next() -> None:
    limiter = Limiter(1, 0.0)
    limiter.take(0)
    limiter.take(0)
    assert limiter.room(1.9) == 0
    assert limiter.room(2.1) == 1


def test_a_clock_that_stands_still_or_goes_back_gives_no_tokens() -> None:
    limiter = Limiter(1, 100.0)
    drain(limiter, 100)
    assert limiter.room(100) == 0
    assert limiter.room(50) == 0
    assert limiter.room(101) == 1
