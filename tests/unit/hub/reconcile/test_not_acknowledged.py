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
