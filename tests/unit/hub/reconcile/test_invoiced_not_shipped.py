"""Is anything billed that never left: what is found, and what raises no false alarm."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hub.reconcile import invoiced_not_shipped as job
from hub.reconcile.line_ledger import ItemFacts
from hub.reconcile.orders import Said

Lines = Callable[..., Said]


def test_what_is_billed_beyond_the_shipment_is_found_with_its_invoice(
    story: Any, line: Lines
) -> None:
    found = story.shipped(line(6)).billed(line(10, price="3")).look(job)
    assert (found.amount, found.details) == (Decimal(12), {"A": "4", "invoices": "INV-1"})


def test_a_bill_is_given_time_to_be_followed_by_its_shipment(story: Any, line: Lines) -> None:
    assert story.billed(line(10), days=0.5).look(job) is None


def test_what_was_credited_is_no_longer_billed(story: Any, line: Lines) -> None:
    assert story.shipped(line(6)).billed(line(10)).billed(line(-4)).look(job) is None


def test_a_second_bill_for_one_shipment_is_found(story: Any, line: Lines) -> None:
    assert story.shipped(line(10)).billed(line(10)).billed(line(10)).look(job).details["A"] == "10"


def test_freight_and_services_are_never_shipped(story: Any, line: Lines) -> None:
    freight = line(1, item="FREIGHT", number="9")
    assert story.shipped(line(10)).billed(line(10), freight).look(job) is None
    story.versions.clear()
    story.shipments.clear()
    setup = ItemFacts("EA", stocked=False)
    assert story.ordered(line(1)).billed(line(1)).look(job, A=setup) is None
