"""Does a supplier answer what was ordered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from hub.reconcile import answer_drift as job
from hub.reconcile.orders import Promise, Said, Sent, said
from hub.reconcile.policy import Policy
from hub.reconcile.units import Units

Lines = Callable[..., Said]


def promise(status: str, quantity: str | None = None, unit: str = "EA", **days: date) -> Promise:
    value = None if quantity is None else Decimal(quantity)
    return Promise(status, value, unit if quantity else "", **days)


@pytest.mark.parametrize(
    ("promises", "cause", "amount"),
    [
        ((promise("accepted", "8"),), job.LESS, "5"),
        ((promise("accepted", "8"), promise("rejected", "2")), job.LESS, "5"),
        ((promise("rejected"),), job.REFUSED, "25"),
        ((promise("rejected", "10"),), job.REFUSED, "25"),
        ((promise("changed", "12"),), job.MORE, "5"),
        ((promise("substituted", "10"),), job.OTHER, "25"),
        ((promise("accepted", "1", "DZN"),), job.MORE, "5"),
    ],
)
def test_another_quantity_or_item_is_found_with_its_money(
    story: Any, line: Lines, promises: tuple[Promise, ...], cause: str, amount: str
) -> None:
    found = story.answered("changed", line(10, promises=promises)).look(job)
    assert (found.cause, found.amount) == (cause, Decimal(amount))
    assert found.remedy
    assert list(found.details) == [f"A: {cause}"]


def test_a_line_without_an_answer_of_its_own_says_what_the_seller_read(
    story: Any, line: Lines
) -> None:
    assert story.answered("accepted", line(10)).look(job) is None
    found = story.answered("changed", line(7), days=6).look(job)
    assert (found.cause, found.amount) == (job.LESS, Decimal("7.5"))
    assert found.details == {f"A: {job.LESS}": "ordered 10, promised 7 EA"}


def test_another_price_is_found_in_the_unit_of_the_order(story: Any, line: Lines) -> None:
    found = story.answered("accepted", line(10, price="2.75")).look(job)
    assert (found.cause, found.amount) == (job.PRICE, Decimal("2.5"))
    dozen = line(10, price="30", unit="DZN", promises=(promise("accepted", "10"),))
    story.responses.clear()
    assert story.answered("accepted", dozen).look(job) is None
    euros = replace(line(10, price="2.50"), currency="EUR")
    story.responses.clear()
    story.versions[-1] = replace(
        story.versions[-1], lines=(replace(line(10, price="2.50"), currency="USD"),)
    )
    found = story.answered("accepted", euros).look(job)
    assert (found.cause, found.amount) == (job.PRICE, None)


def wanting(story: Any, line: Lines, **days: date) -> Any:
    story.versions.clear()
    header = {name: day for name, day in days.items() if name != "own"}
    own = line(10, price="2.50", deliver_on=days.get("own"))
    story.ordered(own)
    story.versions[-1] = replace(story.versions[-1], **header)
    return story


DAY = date(2026, 5, 20)


@pytest.mark.parametrize(
    ("wanted", "header", "own"),
    [
        ({"deliver_on": DAY}, {"deliver_on": date(2026, 5, 22)}, {}),
        ({"leave_on": DAY}, {"leave_on": date(2026, 5, 22)}, {}),
        ({"deliver_on": DAY}, {}, {"deliver_on": date(2026, 6, 1)}),
        ({"leave_on": DAY}, {"leave_on": DAY}, {"ship_on": date(2026, 6, 1)}),
        ({"deliver_on": date(2026, 7, 1), "own": DAY}, {"deliver_on": date(2026, 6, 1)}, {}),
    ],
)
def test_a_later_day_is_found(story: Any, line: Lines, wanted: Any, header: Any, own: Any) -> None:
    story = wanting(story, line, **wanted)
    parts = (promise("accepted", "4"), promise("backordered", "6", **own)) if own else ()
    found = story.answered("changed", line(10, promises=parts), **header).look(job)
    assert (found.cause, found.amount) == (job.LATE, Decimal(25))
    assert "wanted on 2026-05-20" in next(iter(found.details.values()))


def test_a_day_that_is_not_later_raises_no_alarm(story: Any, line: Lines) -> None:
    story = wanting(story, line, deliver_on=DAY)
    assert story.answered("accepted", line(10), deliver_on=DAY).look(job) is None
    within = DAY + timedelta(days=1)
    assert story.answered("accepted", line(10), deliver_on=within, days=6).look(job) is None
    # Another day than the one that was wanted says nothing of it.
    assert story.answered("accepted", line(10), leave_on=date(2026, 9, 1), days=5).look(job) is None
    backordered = line(10, promises=(promise("backordered", "10"),))
    assert story.answered("changed", backordered, days=4).look(job) is None


def test_the_worst_of_several_is_the_cause_and_all_are_told(story: Any, line: Lines) -> None:
    less = (promise("accepted", "8"),)
    found = story.answered("changed", line(10, price="3", promises=less)).look(job)
    assert (found.cause, found.amount) == (job.LESS, Decimal(10))
    assert set(found.details) == {f"A: {job.LESS}", f"A: {job.PRICE}"}


def test_no_answer_a_refusal_of_all_and_an_unknown_line_are_no_matter_of_this_job(
    story: Any, line: Lines
) -> None:
    assert story.look(job) is None
    assert story.answered("accepted").look(job) is None
    assert story.answered("changed", line(3, number="9"), days=6).look(job) is None
    assert story.answered("rejected", line(1), days=5).look(job) is None


def test_only_the_newest_answer_to_what_was_last_sent_counts(
    story: Any, line: Lines, now: datetime
) -> None:
    story.answered("changed", line(8))
    assert story.look(job) is not None
    story.changed(line(8), days=6.5)
    assert story.look(job) is None  # it answers what has been changed since
    story.answered("accepted", line(8), days=6)
    assert story.look(job) is None
    story.answered("changed", line(5), days=5)
    assert story.look(job).cause == job.LESS
    # A change that went to somebody else needs no new answer of this supplier.
    sent = Sent("1", "acme-edi", "send", "850", "delivered", now)
    story.versions[0] = replace(story.versions[0], sent=(sent,))
    story.changed(line(9), days=4)
    assert story.look(job).cause == job.LESS


def test_what_has_come_or_was_billed_is_no_matter_of_the_answer_any_more(
    story: Any, line: Lines
) -> None:
    story.answered("changed", line(8, price="9")).shipped(line(10))
    assert story.look(job).cause == job.PRICE
    assert story.billed(line(10, price="2.50")).look(job) is None


def test_within_the_tolerances_and_without_a_factor_there_is_nothing_to_find(
    story: Any, line: Lines
) -> None:
    story.answered("changed", line(9, price="2.60"))
    policy = Policy(quantity_percent=Decimal(12), price_percent=Decimal(5))
    assert story.look(job, policy) is None
    cartons = line(1, unit="XCT", price="25", promises=(promise("accepted", "1", "XCT"),))
    story.answered("changed", cartons, days=6)
    assert story.look(job) is None
    packed = Policy(units=Units({"A": {"XCT": Decimal(8)}}))
    assert story.look(job, packed).cause == job.LESS


def test_promises_are_read_from_a_response() -> None:
    read = said(
        {
            "number": "1",
            "item": {"seller_sku": "A"},
            "quantity": {"value": "6", "unit": "EA"},
            "answers": [
                {
                    "status": "accepted",
                    "quantity": {"value": "4", "unit": "EA"},
                    "deliver_on": "2026-12-05",
                },
                {"status": "backordered", "ship_on": "2026-12-20"},
            ],
        },
        "quantity",
    )
    assert read.promises == (
        promise("accepted", "4", deliver_on=date(2026, 12, 5)),
        promise("backordered", ship_on=date(2026, 12, 20)),
    )
