"""Is more shipped than ordered: what is found, and what raises no false alarm."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from hub.reconcile import quantity_drift as job
from hub.reconcile.orders import Said
from hub.reconcile.policy import Policy

Lines = Callable[..., Said]


def test_what_is_shipped_beyond_the_order_is_found_with_all_three_quantities(
    story: Any, line: Lines
) -> None:
    found = story.shipped(line(12)).billed(line(12)).look(job)
    assert (found.cause, found.amount) == (job.OVER, Decimal(5))
    assert found.details == {"A": "ordered 10, shipped 12, invoiced 12 EA"}


@pytest.mark.parametrize(("shipped", "alarm"), [(11, False), (12, True)])
def test_a_tolerance_is_none_of_a_finding(
    story: Any, line: Lines, shipped: int, *, alarm: bool
) -> None:
    policy = Policy(quantity_percent=Decimal(10))
    assert (story.shipped(line(shipped)).look(job, policy) is not None) is alarm


def test_what_is_shipped_after_it_was_cancelled_is_found(story: Any, line: Lines) -> None:
    assert story.changed(kind="cancel").shipped(line(10)).look(job).amount == 25


def test_an_item_that_nobody_ordered_is_found_by_its_own_cause(story: Any, line: Lines) -> None:
    found = story.shipped(line(10), line(1, item="GIFT", number="2")).look(job)
    assert (found.cause, found.amount) == (job.UNORDERED, None)


def test_partial_shipments_and_an_order_that_is_not_known_raise_no_alarm(
    story: Any, line: Lines
) -> None:
    assert story.shipped(line(4)).shipped(line(6)).look(job) is None
    story.versions.clear()
    assert story.look(job) is None
