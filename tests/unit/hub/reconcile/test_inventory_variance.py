"""Do the ERP and the warehouse count the same."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from hub.reconcile import inventory_variance as job
from hub.reconcile.inventory_variance import Counted, Position
from hub.reconcile.line_ledger import ItemFacts
from hub.reconcile.policy import Policy

ITEMS = {"A": ItemFacts("EA", price=Decimal(4), currency="USD")}


def position(
    now: datetime, erp: str | None, count: str | None, *, hours: float = 5, unit: str = "EA"
) -> Position:
    at = now - timedelta(hours=hours)
    return Position(
        "MAIN",
        "A",
        "lakeside",
        None if erp is None else Counted(Decimal(erp), "EA", now - timedelta(days=3)),
        None if count is None else Counted(Decimal(count), unit, at),
    )


@pytest.mark.parametrize(
    ("erp", "count", "cause", "amount"),
    [
        ("100", "90", job.LESS, 40),
        ("100", "110", job.MORE, 40),
        (None, "5", job.UNKNOWN, 20),
        ("5", None, job.ABSENT, 20),
    ],
)
def test_a_difference_is_found_by_its_cause_with_its_money(
    now: datetime, erp: str | None, count: str | None, cause: str, amount: int
) -> None:
    hours = 80 if count is None else 5
    (found,), _ = job.find([position(now, erp, count, hours=hours)], ITEMS, Policy(), now)
    assert (found.cause, found.amount, found.currency) == (cause, Decimal(amount), "USD")
    assert found.subject == "inventory/lakeside/A@MAIN"


@pytest.mark.parametrize(("erp", "count"), [("100", "101"), ("1000", "1010"), (None, "1")])
def test_the_larger_of_the_thresholds_counts(now: datetime, erp: str | None, count: str) -> None:
    assert job.find([position(now, erp, count)], ITEMS, Policy(), now) == ([], 0)


def test_while_goods_move_nothing_is_compared(now: datetime) -> None:
    assert job.find([position(now, "100", "50", hours=0.5)], ITEMS, Policy(), now) == ([], 0)


def test_units_are_turned_and_what_cannot_be_is_counted_as_unchecked(now: datetime) -> None:
    assert job.find([position(now, "24", "2", unit="DZN")], {}, Policy(), now) == ([], 0)
    assert job.find([position(now, "24", "2", unit="XCT")], {}, Policy(), now) == ([], 1)
