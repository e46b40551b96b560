"""Did the receivers confirm what was sent to them."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from hub.reconcile import acknowledgement_overdue as job
from hub.reconcile.acknowledgement_overdue import Answer, SentOut

DAY = timedelta(days=1)


def sent(now: datetime, *days: float, said: tuple[tuple[float, bool], ...] = ()) -> list[SentOut]:
    """One 810, sent so many days ago, and what was said of it how many days ago."""
    answers = tuple(Answer(now - ago * DAY, accepted) for ago, accepted in said)
    at = tuple(now - ago * DAY for ago in days)
    facts = {"number": "I-1", "partner": "acme", "reference": "XD1", "amount": Decimal(9)}
    return [SentOut("doc", "acme-edi", "send", "810", "last", DAY, at, answers, **facts)]  # type: ignore[arg-type]  # facts of several types


def test_what_nobody_answered_is_found_and_may_be_sent_again(now: datetime) -> None:
    (found,) = job.find(sent(now, 2), now)
    assert (found.cause, found.heal, found.amount) == (job.OVERDUE, "last", Decimal(9))
    assert found.subject == "sent/doc/acme-edi/send"
    assert found.details == {"flow": "810", "to": "acme-edi", "document": "I-1"}


def test_sending_it_again_does_not_start_the_clock_anew(now: datetime) -> None:
    (found,) = job.find(sent(now, 2, 0.1), now)
    assert now - found.since == 2 * DAY


def test_what_was_rejected_is_found_at_once_and_never_sent_again_by_itself(now: datetime) -> None:
    (found,) = job.find(sent(now, 0.5, said=((0.1, False),)), now)
    assert (found.cause, found.heal) == (job.REJECTED, None)


def test_what_was_sent_after_a_rejection_has_a_clock_of_its_own(now: datetime) -> None:
    assert job.find(sent(now, 9, 0.5, said=((8, False),)), now) == []
    (found,) = job.find(sent(now, 9, 3, said=((8, False),)), now)
    assert (found.cause, now - found.since) == (job.OVERDUE, 3 * DAY)


@pytest.mark.parametrize("days", [0.5, 40])
def test_an_answer_raises_no_alarm_however_late(now: datetime, days: float) -> None:
    assert job.find(sent(now, days, said=((0.01, True),)), now) == []


def test_a_receiver_has_time_and_what_was_not_sent_is_for_other_jobs(now: datetime) -> None:
    assert job.find(sent(now, 0.9), now) == []
    assert job.find(sent(now), now) == []
