"""Does every shipped line get billed: what is found, and what raises no false alarm."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from hub.reconcile.ship_not_invoiced import Invoiced, Ordered, Shipped, find

NOW = datetime(2026, 5, 5, 12, tzinfo=UTC)
GRACE = timedelta(hours=1)
ORDERS = {"XD1": Ordered("order/acme/PO-1/", "USD", {"A": Decimal("10.50"), "B": Decimal(3)})}


def shipped(quantities: dict[str, int], hours: int = 2, document: str = "s1") -> Shipped:
    return Shipped(document, "XD1", NOW - timedelta(hours=hours), decimals(quantities))


def invoiced(quantities: dict[str, int]) -> Invoiced:
    return Invoiced("XD1", decimals(quantities))


def decimals(quantities: dict[str, int]) -> dict[str, Decimal]:
    return {item: Decimal(quantity) for item, quantity in quantities.items()}


def test_a_shipment_without_any_invoice_is_found_with_its_money_and_age() -> None:
    (found,) = find([shipped({"A": 4})], [], ORDERS, NOW, GRACE)
    assert (found.subject, found.amount, found.currency) == (
        "order/acme/PO-1/",
        Decimal("42.00"),
        "USD",
    )
    assert NOW - found.since == timedelta(hours=2)
    assert found.details == {"A": "4"}


@pytest.mark.parametrize(
    ("shipments", "invoices"),
    [
        ([shipped({"A": 4})], [invoiced({"A": 4})]),
        ([shipped({"A": 4})], [invoiced({"A": 1}), invoiced({"A": 3})]),
        ([shipped({"A": 1}), shipped({"A": 3}, document="s2")], [invoiced({"A": 4})]),
        ([shipped({"A": 4})], [invoiced({"A": 5})]),
        ([shipped({"A": 0})], []),
        ([shipped({"A": 4}, hours=0)], []),
    ],
    ids=["billed", "two invoices", "one invoice for two", "billed more", "shorted", "too young"],
)
def test_what_is_billed_or_too_young_raises_no_alarm(
    shipments: list[Shipped], invoices: list[Invoiced]
) -> None:
    assert find(shipments, invoices, ORDERS, NOW, GRACE) == []


def test_only_the_unbilled_part_of_a_partial_invoice_is_found() -> None:
    (found,) = find([shipped({"A": 4, "B": 2})], [invoiced({"A": 4, "B": 1})], ORDERS, NOW, GRACE)
    assert (found.details, found.amount) == ({"B": "1"}, Decimal(3))


def test_the_money_stays_open_where_a_price_is_not_known() -> None:
    (found,) = find([shipped({"C": 1})], [], ORDERS, NOW, GRACE)
    assert found.amount is None


def test_the_newest_shipment_is_the_one_to_drive_again() -> None:
    both = [shipped({"A": 1}, hours=5, document="old"), shipped({"A": 1}, hours=3, document="new")]
    (found,) = find(both, [], ORDERS, NOW, GRACE)
    assert found.document_id == "new"
