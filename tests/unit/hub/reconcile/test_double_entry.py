"""Do the hub's own books add up."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from hub.reconcile import double_entry as job
from hub.reconcile.double_entry import Entry, books, find

DAY = date(2026, 5, 4)


def entry(state: str, count: int = 3, *, borne_out: bool = True) -> Entry:
    return Entry(DAY, "acme", state, borne_out, count, Decimal(5), "USD", ("d-1", "d-2"))


def test_every_state_that_is_borne_out_is_booked() -> None:
    entries = [entry(state) for state in job.DISPOSITIONS]
    (day,) = books(entries).values()
    assert (day.received, sum(day.booked.values()), day.adds_up) == (18, 18, True)
    assert find(entries) == []


@pytest.mark.parametrize("state", ["held", "dead", "accepted", "delivered", "never heard of"])
def test_a_state_that_nothing_bears_out_breaks_the_day(state: str) -> None:
    (found,) = find([entry("delivered"), entry(state, 1, borne_out=False)])
    assert found.subject == "books/acme/2026-05-04"
    assert (found.amount, found.details["received"], found.details["delivered"]) == (
        Decimal(5), "4", "3",
    )  # fmt: skip
    assert found.details["documents"] == "d-1, d-2"


def test_days_and_partners_have_books_of_their_own() -> None:
    other = Entry(DAY, "northside", "held", borne_out=False, count=1)
    assert [each.partner for each in find([entry("delivered"), other])] == ["northside"]
