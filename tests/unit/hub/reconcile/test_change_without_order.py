"""Changes of orders that never came: after a while they are somebody's business."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hub.reconcile.change_without_order import Parked, find

NOW = datetime(2026, 5, 5, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def parked(age: timedelta) -> Parked:
    return Parked("h-1", "PO-1", "acme", "acme-edi", NOW - age, "XD1")


def test_a_change_that_waits_longer_than_is_allowed_is_found_with_whose_it_is() -> None:
    (found,) = find([parked(2 * DAY)], DAY, NOW)
    assert (found.subject, found.partner, found.reference) == ("hold/h-1", "acme", "XD1")
    assert found.details == {"number": "PO-1", "from": "acme-edi"}
    assert found.since == NOW - 2 * DAY


def test_a_change_that_came_before_its_order_is_given_time() -> None:
    assert find([parked(DAY)], DAY, NOW) == []
