"""Does every shipped line get billed: what is found, and what raises no false alarm."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from hub.reconcile import ship_not_invoiced as job
from hub.reconcile.orders import Said
from hub.reconcile.policy import Policy
from hub.reconcile.units import Units

Lines = Callable[..., Said]


def test_a_shipment_without_any_invoice_is_found_with_its_money_and_age(
    story: Any, line: Lines, now: Any
) -> None:
    found = story.shipped(line(4)).look(job)
    assert (found.subject, found.amount, found.currency) == (
        "order/acme/PO-1/", Decimal(10), "USD",
    )  # fmt: skip
    assert now - found.since == timedelta(days=5)
    assert (found.details, found.partner, found.reference) == ({"A": "4"}, "acme", "XD1")


@pytest.mark.parametrize(
    ("shipments", "invoices"),
    [([4], [4]), ([4], [1, 3]), ([1, 3], [4]), ([4], [5]), ([0], [])],
    ids=["billed", "two invoices", "one invoice for two", "billed more", "shorted"],
)
def test_what_is_billed_raises_no_alarm(
    story: Any, line: Lines, shipments: list[int], invoices: list[int]
) -> None:
    for quantity in shipments:
        story.shipped(line(quantity))
    for quantity in invoices:
        story.billed(line(quantity))
    assert story.look(job) is None


def test_a_posting_that_is_young_or_not_acknowledged_raises_no_alarm(
    story: Any, line: Lines
) -> None:
    assert story.shipped(line(4), posted=0.5).look(job) is None
    assert story.shipped(line(4), days=0.1, posted=-1).look(job) is None


def test_a_posting_that_never_reached_the_erp_is_found_and_not_driven_again(
    story: Any, line: Lines
) -> None:
    found = story.shipped(line(4), posted=-1).look(job)
    assert (found.cause, found.amount, found.heal) == (job.UNPOSTED, Decimal(10), None)


def test_only_the_unbilled_part_of_a_partial_invoice_is_found(story: Any, line: Lines) -> None:
    found = story.shipped(line(4)).billed(line(3)).look(job)
    assert (found.details, found.amount) == ({"A": "1"}, Decimal("2.5"))


def test_a_box_that_is_billed_by_the_piece_raises_no_alarm(story: Any, line: Lines) -> None:
    story.shipped(line(2, unit="XCT")).billed(line(10))
    assert story.look(job, Policy(units=Units({"A": {"XCT": Decimal(5)}}))) is None


def test_what_cannot_be_compared_raises_no_alarm(story: Any, line: Lines) -> None:
    assert story.shipped(line(4)).billed(line(1, unit="XCT")).look(job) is None


def test_the_money_stays_open_where_a_price_is_not_known(story: Any, line: Lines) -> None:
    story.versions.clear()
    assert story.shipped(line(1, item="C")).look(job).amount is None


def test_the_newest_shipment_is_the_one_to_drive_again(story: Any, line: Lines) -> None:
    found = story.shipped(line(1), days=5).shipped(line(1), days=3).look(job)
    assert found.heal == "shipment-S-2"


def test_an_order_that_the_ledger_does_not_have_is_named_by_our_reference(
    story: Any, line: Lines
) -> None:
    story.versions.clear()
    assert story.shipped(line(1)).look(job).subject == "reference/XD1"
