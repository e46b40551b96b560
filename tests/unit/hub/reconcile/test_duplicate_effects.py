"""Does a target have one thing of ours twice."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from hub.reconcile import duplicate_effects as job
from hub.reconcile.duplicate_effects import Effects


def test_two_ids_are_one_effect_too_many(now: datetime) -> None:
    twice = Effects("bc", "create_order", "doc", ("SO-2", "SO-1"), now, amount=Decimal(25))
    (found,) = job.find([twice])
    assert (found.subject, found.cause) == ("effect/bc/create_order/doc", job.DELIVERED)
    assert (found.amount, found.details["ids"]) == (Decimal(25), "SO-1, SO-2")


def test_the_target_s_own_list_is_another_cause(now: datetime) -> None:
    (found,) = job.find([Effects("bc", "create_order", "XD1", ("1", "2", "3"), now, listed=True)])
    assert (found.cause, found.amount) == (job.LISTED, None)


def test_a_repeat_that_met_the_same_id_is_none(now: datetime) -> None:
    assert job.find([Effects("bc", "create_order", "doc", ("SO-1", "SO-1"), now)]) == []
