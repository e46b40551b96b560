"""Is a supplier paid for what was received, at the ordered price."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from hub.reconcile import three_way_match as job
from hub.reconcile.line_ledger import ItemFacts, build
from hub.reconcile.orders import Said
from hub.reconcile.policy import Policy
from hub.reconcile.units import Units

Lines = Callable[..., Said]


@pytest.mark.parametrize(
    ("moved", "cause", "amount"),
    [
        ((6, 10, "2.50"), job.UNRECEIVED, "10"),
        ((10, 10, "2.75"), job.PRICE, "2.5"),
        ((12, 12, "2.50"), job.OVER, "5"),
        ((0, 10, "2.75"), job.UNRECEIVED, "30"),
    ],
)
def test_what_does_not_match_is_found_by_its_worst_cause_with_all_the_money(
    story: Any, line: Lines, moved: tuple[int, int, str], cause: str, amount: str
) -> None:
    received, billed, price = moved
    found = story.shipped(line(received)).billed(line(billed, price=price)).look(job)
    assert (found.cause, found.amount) == (cause, Decimal(amount))
    assert found.remedy


def test_what_was_not_ordered_is_not_paid(story: Any, line: Lines) -> None:
    extra = line(2, item="HANDLING", number="9", price="7")
    found = story.shipped(line(10)).billed(line(10, price="2.50"), extra).look(job)
    assert (found.cause, found.amount) == (job.UNORDERED, Decimal(14))


def test_a_receipt_that_is_not_billed_is_found_after_its_own_clock(story: Any, line: Lines) -> None:
    assert story.shipped(line(10)).look(job) is None
    found = story.look(job, Policy(supplier_invoice_after=timedelta(days=3)))
    assert (found.cause, found.amount) == (job.UNBILLED, Decimal(25))


def test_within_the_tolerances_everything_matches(story: Any, line: Lines) -> None:
    policy = Policy(quantity_percent=Decimal(10), price_percent=Decimal(5))
    assert story.shipped(line(10)).billed(line(11, price="2.60")).look(job, policy) is None


def test_partial_receipts_credits_services_and_young_bills_raise_no_alarm(
    story: Any, line: Lines
) -> None:
    story.shipped(line(4)).shipped(line(6)).billed(line(4)).billed(line(6))
    assert story.look(job) is None
    assert story.billed(line(3)).billed(line(-3)).look(job) is None
    assert story.billed(line(9), days=0.1).look(job) is None
    story.shipments.clear()
    assert story.look(job, A=ItemFacts("EA", stocked=False)) is None


def test_what_was_counted_goes_before_what_was_announced(
    story: Any, now: datetime, line: Lines
) -> None:
    story.shipped(line(10)).received(line(8)).billed(line(10, price="2.50"))
    assert story.look(job) is None  # as announced
    counted = story.thread.as_received()
    lines = build(counted, Units(), None)
    found = job.find(counted, lines, Policy(), now)
    assert found is not None
    assert (found.cause, found.amount) == (job.UNRECEIVED, Decimal(5))


def test_where_nobody_counts_what_was_announced_is_as_good(story: Any, line: Lines) -> None:
    assert story.shipped(line(10)).thread.as_received() == story.thread
