"""Did the receivers confirm what was sent to them."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from hub.reconcile import acknowledgement_overdue as job
from hub.reconcile.acknowledgement_overdue import Answered, Group, SentOut
from hub.reconcile.policy import Policy

GROUP = Group("acme-edi", 12)


def sent(at: datetime, group: Group | None = GROUP) -> SentOut:
    return SentOut("d", group, "810", at, "invoice/acme/I-1/", "I-1", "acme", "XD1", Decimal(9))


def test_what_nobody_answered_is_found_and_may_be_sent_again(now: datetime) -> None:
    (found,) = job.find([sent(now - timedelta(days=2))], {}, Policy(), now)
    assert (found.cause, found.heal, found.amount) == (job.OVERDUE, "d", Decimal(9))
    assert found.details == {"flow": "810", "document": "I-1", "group": "12"}


def test_what_was_rejected_is_found_at_once_and_never_sent_again_by_itself(now: datetime) -> None:
    answers = {GROUP: Answered(accepted=False, at=now)}
    (found,) = job.find([sent(now - timedelta(minutes=5))], answers, Policy(), now)
    assert (found.cause, found.heal) == (job.REJECTED, None)


@pytest.mark.parametrize("days", [0.5, 40])
def test_an_answer_raises_no_alarm_however_late(now: datetime, days: float) -> None:
    answers = {GROUP: Answered(accepted=True, at=now)}
    assert job.find([sent(now - timedelta(days=days))], answers, Policy(), now) == []


def test_an_answer_has_time_and_another_partners_answer_is_none(now: datetime) -> None:
    assert job.find([sent(now - timedelta(hours=2))], {}, Policy(), now) == []
    other = {Group("else", 12): Answered(accepted=True, at=now)}
    assert len(job.find([sent(now - timedelta(days=2))], other, Policy(), now)) == 1


def test_without_a_control_number_nothing_can_have_answered(now: datetime) -> None:
    (found,) = job.find([sent(now - timedelta(days=2), None)], {}, Policy(), now)
    assert "group" not in found.details
