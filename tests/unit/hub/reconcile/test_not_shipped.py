"""Did everything leave by its day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from hub.reconcile import not_shipped as job
from hub.reconcile.line_ledger import ItemFacts
from hub.reconcile.orders import Said

Lines = Callable[..., Said]
LATE, IN_TIME = date(2026, 5, 3), date(2026, 5, 4)


@pytest.fixture
def due(story: Any, line: Lines) -> Any:
    story.versions.clear()
    return story.ordered(line(10, price="2.50"), ship_by=LATE)


def test_what_did_not_leave_is_found_with_its_day_and_money(due: Any) -> None:
    found = due.look(job)
    assert (found.cause, found.amount) == (job.CAUSE, Decimal(25))
    assert found.details == {"A": "10 EA", "ship by": "2026-05-03"}


def test_what_left_in_part_is_found_for_the_rest(due: Any, line: Lines) -> None:
    found = due.shipped(line(4)).look(job)
    assert (found.cause, found.amount) == (job.PARTLY, Decimal(15))


def test_a_held_order_is_told_apart(due: Any) -> None:
    due.versions[0] = replace(due.versions[0], state="held")
    assert due.look(job).cause == job.HELD


def test_what_left_is_cancelled_or_backordered_raises_no_alarm(due: Any, line: Lines) -> None:
    assert due.shipped(line(4, asked=Decimal(10))).look(job) is None
    assert due.shipped(line(6)).look(job) is None
    due.shipments.clear()
    assert due.changed(kind="cancel").look(job) is None


def test_days_of_grace_a_later_day_and_services_raise_no_alarm(due: Any, line: Lines) -> None:
    assert due.look(job, A=ItemFacts("EA", stocked=False)) is None
    assert due.changed(line(10), ship_by=IN_TIME).look(job) is None
    due.versions[:] = [replace(due.versions[0], ship_by=None)]
    assert due.look(job) is None
