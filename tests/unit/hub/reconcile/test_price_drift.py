"""Is anything billed at another price than ordered."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from hub.reconcile import price_drift as job
from hub.reconcile.orders import Said
from hub.reconcile.policy import Policy

Lines = Callable[..., Said]


@pytest.mark.parametrize("price", ["2.75", "2.25"])
def test_a_price_beyond_the_tolerance_is_found_up_or_down(
    story: Any, line: Lines, price: str
) -> None:
    found = story.billed(line(10, price=price)).look(job)
    assert (found.cause, found.amount) == (job.CAUSE, Decimal("2.5"))
    assert "INV-1" in found.details["A"]


@pytest.mark.parametrize(
    "policy", [Policy(price_percent=Decimal(10)), Policy(price_amount=Decimal("0.25"))]
)
def test_the_larger_of_the_two_tolerances_counts(story: Any, line: Lines, policy: Policy) -> None:
    assert story.billed(line(10, price="2.75")).look(job, policy) is None


def test_prices_are_compared_per_canonical_unit(story: Any, line: Lines) -> None:
    story.versions.clear()
    story.ordered(line(1, unit="DZN", price="30")).billed(line(12, price="2.5"))
    assert story.look(job) is None


def test_of_two_lines_of_an_item_the_nearer_price_counts(story: Any, line: Lines) -> None:
    story.versions.clear()
    story.ordered(line(1, price="5"), line(1, number="2", price="4"))
    assert story.billed(line(1, price="4", number="10000")).look(job) is None


def test_another_currency_is_found_without_an_amount(story: Any, line: Lines) -> None:
    found = story.billed(line(10, price="2.50"), currency="EUR").look(job)
    assert (found.cause, found.amount) == (job.CURRENCY, None)


def test_a_change_of_price_is_what_was_ordered(story: Any, line: Lines) -> None:
    story.changed(line(0, unit="", price="3")).billed(line(10, price="3"))
    assert story.look(job) is None


def test_a_line_without_a_price_has_none_to_compare_with(story: Any, line: Lines) -> None:
    assert story.billed(line(10)).look(job) is None
    story.versions.clear()
    assert story.ordered(line(10)).billed(line(10, price="9")).look(job) is None
