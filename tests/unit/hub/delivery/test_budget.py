"""The retry budget: at most a tenth of the first attempts, a floor, and answers give it back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.delivery.budget import RetryBudget


def test_a_quiet_target_may_still_retry() -> None:
    assert RetryBudget(0.1, floor=10).room(0) == 10


def test_retries_are_a_tenth_of_the_first_attempts() -> None:
    budget = RetryBudget(0.1, floor=10)
    for _ in range(500):
        budget.first(0)
    assert budget.room(0) == 50


def test_used_up_it_allows_none_until_a_minute_has_passed() -> None:
    budget = RetryBudget(0.1, floor=3)
    for second in range(3):
        budget.retry(second)
    assert budget.room(59) == 0
    assert budget.room(60) == 1
    assert budget.room(62) == 3


def test_a_retry_that_is_answered_is_given_back() -> None:
    budget = RetryBudget(0.1, floor=1)
    for now in range(1000):
        assert budget.room(now / 100) == 1
        budget.answered(budget.retry(now / 100))


@given(st.lists(st.tuples(st.floats(0, 20), st.booleans()), max_size=200))
def test_unanswered_retries_of_a_minute_stay_within_the_budget(
    steps: list[tuple[float, bool]],
) -> None:
    budget, now = RetryBudget(0.1, floor=5), 0.0
    firsts: list[float] = []
    retries: list[float] = []
    for passed, is_first in steps:
        now += passed
        if is_first:
            budget.first(now)
            firsts.append(now)
        elif budget.room(now):
            budget.retry(now)
            retries.append(now)
            recent = sum(t > now - 60 for t in retries)
            assert recent <= max(5, sum(t > now - 60 for t in firsts) // 10)
