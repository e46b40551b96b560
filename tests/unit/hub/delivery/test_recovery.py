"""Recovery: the table of `hub.delivery.recovery`, row by row, and what holds for all of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.errors import ConfigError, HubError, InDoubt, Rejected, Retryable
from hub.delivery.recovery import Ask, Attempt, DeadLetter, Decision, Halt, Policy, Retry, decide

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
POLICY = Policy()

FIRST = Attempt(
    now=NOW,
    first_at=NOW,
    failures=1,
    asks=0,
    asking=False,
    can_look_up=True,
    idempotent=False,
    jitter=0.5,
)
ASKED = replace(FIRST, asking=True, failures=0, asks=1)
BLIND = replace(FIRST, can_look_up=False)
TWICE_IS_ONCE = replace(FIRST, can_look_up=False, idempotent=True)
WORN_OUT = replace(FIRST, failures=7)
OLD = replace(FIRST, first_at=NOW - timedelta(hours=24))


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


TABLE: list[tuple[str, HubError, Attempt, Decision]] = [
    ("busy", Retryable("busy"), FIRST, Retry(after(1))),
    ("second failure", Retryable("busy"), replace(FIRST, failures=2), Retry(after(5))),
    ("last wait", Retryable("busy"), replace(FIRST, failures=6), Retry(after(3600))),
    (
        "waits used up",
        Retryable("busy", "POST /orders", "HTTP 503"),
        WORN_OUT,
        DeadLetter("busy", "POST /orders", "gave up after 7 tries; HTTP 503"),
    ),
    ("Retry-After wins", Retryable("busy", retry_after=42), FIRST, Retry(after(42))),
    ("Retry-After capped", Retryable("busy", retry_after=1e9), FIRST, Retry(after(3600))),
    ("Retry-After in the past", Retryable("busy", retry_after=-5), FIRST, Retry(NOW)),
    ("Retry-After no number", Retryable("b", retry_after=float("nan")), FIRST, Retry(NOW)),
    ("throttled", Retryable("slow_down", throttled=True), WORN_OUT, Retry(after(3600))),
    (
        "throttled for a day",
        Retryable("slow_down", throttled=True),
        OLD,
        DeadLetter("slow_down", "", "throttled for too long"),
    ),
    ("lost answer", InDoubt("reset"), FIRST, Ask(after(0.75))),
    ("lost answer, worn out", InDoubt("reset"), WORN_OUT, Ask(after(450))),
    ("lost answer, idempotent", InDoubt("reset"), TWICE_IS_ONCE, Retry(after(1))),
    (
        "lost answer, cannot be asked",
        InDoubt("reset"),
        BLIND,
        DeadLetter(
            "in_doubt_unanswerable", "", "the answer was lost and the target cannot be asked"
        ),
    ),
    ("no answer to the question", Retryable("busy"), ASKED, Ask(after(3.75))),
    ("question throttled", Retryable("b", retry_after=9, throttled=True), ASKED, Ask(after(9))),
    (
        "no answer for a day",
        Retryable("busy"),
        replace(ASKED, first_at=NOW - timedelta(hours=24)),
        DeadLetter("in_doubt_unanswerable", "", "no answer in time: busy"),
    ),
    (
        "question refused",
        Rejected("forbidden"),
        ASKED,
        DeadLetter("in_doubt_unanswerable", "", "the question was refused: forbidden"),
    ),
    (
        "refused",
        Rejected("unit_unknown", "lines[3]", "expected a unit"),
        FIRST,
        DeadLetter("unit_unknown", "lines[3]", "expected a unit"),
    ),
    ("wrongly set up", ConfigError("secret_missing"), FIRST, Halt(after(60))),
    ("wrongly set up, asking", ConfigError("secret_missing"), ASKED, Halt(after(60))),
]


@pytest.mark.parametrize(
    ("error", "attempt", "expected"),
    [row[1:] for row in TABLE],
    ids=[row[0] for row in TABLE],
)
def test_the_decision_is_the_one_of_the_table(
    error: HubError, attempt: Attempt, expected: Decision
) -> None:
    assert decide(error, attempt, POLICY) == expected


def errors() -> st.SearchStrategy[HubError]:
    waits = st.none() | st.floats(allow_nan=True, allow_infinity=True)
    return st.one_of(
        st.builds(lambda w, t: Retryable("busy", retry_after=w, throttled=t), waits, st.booleans()),
        st.just(InDoubt("lost")),
        st.just(Rejected("refused")),
        st.just(ConfigError("wrong")),
    )


def attempts() -> st.SearchStrategy[Attempt]:
    return st.builds(
        Attempt,
        now=st.just(NOW),
        first_at=st.timedeltas(timedelta(0), timedelta(hours=48)).map(lambda age: NOW - age),
        failures=st.integers(0, 50),
        asks=st.integers(0, 50),
        asking=st.booleans(),
        can_look_up=st.booleans(),
        idempotent=st.booleans(),
        jitter=st.floats(0, 1, exclude_max=True),
    )


@given(errors(), attempts())
def test_every_wait_ends_and_none_ends_before_now(error: HubError, attempt: Attempt) -> None:
    decision = decide(error, attempt, POLICY)
    if isinstance(decision, Retry | Ask):
        assert NOW <= decision.at <= NOW + timedelta(hours=2)


@given(errors(), attempts())
def test_what_may_have_taken_effect_is_never_sent_again_unasked(
    error: HubError, attempt: Attempt
) -> None:
    doubtful = attempt.asking or (isinstance(error, InDoubt) and not attempt.idempotent)
    if doubtful:
        assert not isinstance(decide(error, attempt, POLICY), Retry)


@given(errors(), attempts())
def test_only_what_can_be_asked_is_asked(error: HubError, attempt: Attempt) -> None:
    if not attempt.can_look_up:
        assert not isinstance(decide(error, attempt, POLICY), Ask)


@given(errors(), attempts())
def test_a_wrong_configuration_never_costs_a_document(error: HubError, attempt: Attempt) -> None:
    decision = decide(error, attempt, POLICY)
    assert isinstance(error, ConfigError) == isinstance(decision, Halt)


@given(attempts())
def test_a_day_of_trouble_ends_with_a_person(attempt: Attempt) -> None:
    old = replace(attempt, first_at=NOW - timedelta(hours=25), failures=50)
    for error in (Retryable("busy"), Retryable("busy", throttled=True)):
        assert isinstance(decide(error, old, POLICY), DeadLetter)
