"""Findings added up, as CSV and as a page."""

from __future__ import annotations

import csv
import io
import re
from datetime import datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import pytest

from hub.reconcile.report import aged, as_json, in_words, summarise
from hub.reconcile.report_csv import COLUMNS, as_csv, neutral
from hub.reconcile.report_page import as_page

EVIL = '<script>alert("x")</script>'


def row(now: datetime, **changes: Any) -> dict[str, Any]:
    given = {
        "id": "f", "job": "price-drift", "state": "open", "subject": "order/acme/PO-1/",
        "reference": "XD1", "partner": "acme", "owner": "billing", "cause": "c", "remedy": "r",
        "amount": Decimal("10.50"), "currency": "USD", "since": now - timedelta(days=2),
        "opened_at": now, "last_seen_at": now, "closed_at": None, "redrives": 0,
        "details": {"A": "1"},
    }  # fmt: skip
    return aged(given | changes, now)


def test_money_is_summed_per_currency_and_what_has_none_is_counted(now: datetime) -> None:
    rows = [row(now), row(now, currency="EUR"), row(now), row(now, amount=None)]
    total = as_json(summarise(rows))["total"]
    assert total["money"] == {"USD": Decimal(21), "EUR": Decimal("10.50")}
    assert (total["count"], total["unpriced"]) == (4, 1)


def test_ages_fall_into_their_buckets(now: datetime) -> None:
    days = (0, 0.99, 1, 7, 30, 90, 5000)
    rows = [row(now, since=now - timedelta(days=each)) for each in days]
    assert [each.count for each in summarise(rows).by_age] == [2, 1, 1, 1, 2]


def test_groups_come_with_the_most_money_first(now: datetime) -> None:
    rows = [row(now, partner="small"), row(now, partner="big", amount=Decimal(99))]
    assert [each.name for each in summarise(rows).by_partner] == ["big", "small"]


def test_a_closed_finding_no_longer_ages(now: datetime) -> None:
    assert row(now, closed_at=now - timedelta(days=1))["age"] == "1d 0h"
    assert [in_words(each) for each in (5, 3700)] == ["0m 5s", "1h 1m"]


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\r\n=1"])
def test_a_cell_that_a_spreadsheet_would_run_is_made_text(now: datetime, cell: str) -> None:
    assert neutral(cell) == f"'{cell}"
    (_, written) = csv.reader(io.StringIO(as_csv([row(now, subject=cell)]), newline=""))
    assert dict(zip(COLUMNS, written, strict=True))["subject"] == f"'{cell}"


def test_numbers_of_ours_stay_numbers(now: datetime) -> None:
    (_, written) = csv.reader(io.StringIO(as_csv([row(now, amount=Decimal(-3))])))
    assert dict(zip(COLUMNS, written, strict=True))["amount"] == "-3"


class Tags(HTMLParser):
    """Collects tags and every attribute that could load something."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [name for name, _ in attrs if name in ("src", "href", "xlink:href", "data")]


def test_the_page_stands_alone_with_charts_and_runs_nothing(now: datetime) -> None:
    rows = [row(now, cause=EVIL, partner=EVIL, details={EVIL: EVIL}), row(now, currency="EUR")]
    page = as_page(rows, summarise(rows), now)
    tags = Tags(page)
    assert tags.loads == []
    assert "script" not in tags.tags
    assert tags.tags.count("svg") >= 6
    assert not re.search(r"https?://|url\(|@import", page)
    for title in ("Money by partner, USD", "Money by partner, EUR", "Findings by age"):
        assert title in page


def test_a_page_without_findings_is_a_page(now: datetime) -> None:
    assert "0 findings" in as_page([], summarise([]), now)


def test_a_page_of_many_says_that_it_shows_some(now: datetime) -> None:
    rows = [row(now)] * 5001
    assert "the oldest 5000 of them below" in as_page(rows, summarise(rows), now)
