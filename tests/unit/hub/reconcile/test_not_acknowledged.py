"""Has the target said yes to every order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from hub.reconcile import not_acknowledged as job
from hub.reconcile.orders import Said, Sent
from hub.reconcile.policy import Policy

Lines = Callable[..., Said]


def sent(story: Any, now: datetime, *states: str, paper: str = "delivered") -> Any:
    deliveries = tuple(
        Sent(str(n), "erp", "create_order", "f", state, now) for n, state in enumerate(states)
    )
    story.versions[-1] = replace(story.versions[-1], sent=deliveries, state=paper)
    return story


@pytest.mark.parametrize(
    ("state", "cause"), [("dead", job.DEAD), ("in_doubt", job.DOUBT), ("pending", job.WAITS)]
)
def test_what_the_target_has_not_taken_is_found_by_its_cause(
    story: Any, now: datetime, state: str, cause: str
) -> None:
    found = sent(story, now, state).look(job)
    assert (found.cause, found.amount) == (cause, Decimal(25))
    assert found.details == {"create_order at erp": state}
    assert found.remedy


def test_a_held_order_is_found(story: Any, now: datetime) -> None:
    assert sent(story, now, paper="held").look(job).cause == job.HELD


@pytest.mark.parametrize("states", [("delivered",), ("dead", "delivered"), ("cancelled",), ()])
def test_what_was_taken_made_good_or_given_up_raises_no_alarm(
    story: Any, now: datetime, states: tuple[str, ...]
) -> None:
    assert sent(story, now, *states).look(job) is None


def test_a_young_order_has_time(story: Any, now: datetime, line: Lines) -> None:
    story.versions.clear()
    assert sent(story.ordered(line(1), days=0.1), now, "pending").look(job) is None


def test_a_change_that_the_target_did_not_take_is_found(
    story: Any, now: datetime, line: Lines
) -> None:
    assert sent(story.changed(line(5)), now, "dead").look(job).cause == job.DEAD


def placed(story: Any, now: datetime) -> tuple[Any, Policy]:
    """An order that was sent to a supplier who answers."""
    taken = Sent("1", "lakeside", "send", "850", "delivered", now)
    story.versions[-1] = replace(story.versions[-1], sent=(taken,))
    return story, Policy(answering=frozenset({"lakeside"}))


def test_a_supplier_who_does_not_answer_is_found_after_the_grace(
    story: Any, now: datetime, line: Lines
) -> None:
    order, policy = placed(story, now)
    found = order.look(job, policy)
    assert (found.cause, found.amount) == (job.SILENT, Decimal(25))
    assert found.details == {"send at lakeside": "delivered"}
    assert order.look(job, Policy()) is None
    story.versions.clear()
    order, policy = placed(story.ordered(line(1), days=0.1), now)
    assert order.look(job, policy) is None


@pytest.mark.parametrize("answer", ["accepted", "changed", "unknown"])
def test_a_supplier_who_answered_is_not(story: Any, now: datetime, answer: str) -> None:
    order, policy = placed(story.answered(answer), now)
    assert order.look(job, policy) is None


def test_a_supplier_who_rejects_is_found_at_once_and_for_as_long_as_that_is_the_last_word(
    story: Any, now: datetime
) -> None:
    order, policy = placed(story.answered("rejected", days=0.01), now)
    assert order.look(job, policy).cause == job.REFUSED
    assert order.answered("accepted", days=0).look(job, policy) is None


def test_a_change_wants_an_answer_of_its_own(story: Any, now: datetime, line: Lines) -> None:
    story.answered("accepted", days=8.5).changed(line(5), days=8)
    order, policy = placed(story, now)
    assert order.look(job, policy).cause == job.SILENT
