"""Findings added up: by age, partner, cause and owner. Pure functions of values.

Money is never added over currencies: every sum is per currency.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hub.reconcile.about import about

BUCKETS = (
    ("under a day", timedelta(days=1)),
    ("1 to 7 days", timedelta(days=7)),
    ("7 to 30 days", timedelta(days=30)),
    ("30 to 90 days", timedelta(days=90)),
    ("over 90 days", timedelta.max),
)
"""How findings are grouped by age: each bucket ends before its second value."""

ENDS = tuple(end for _, end in BUCKETS[:-1])
"""Where one bucket ends and the next begins."""

Row = Mapping[str, Any]


@dataclass(slots=True)
class Sum:
    """How many findings, and their money by currency."""

    name: str
    count: int = 0
    money: dict[str, Decimal] = field(default_factory=dict)
    unpriced: int = 0
    """How many of them have no amount."""

    def add(self, row: Row) -> None:
        """Count findings that have everything in common."""
        self.count += row["count"]
        self.unpriced += row["unpriced"]
        if row["amount"] is not None:
            currency = row["currency"] or "?"
            self.money[currency] = self.money.get(currency, Decimal()) + row["amount"]


@dataclass(frozen=True, slots=True)
class Summary:
    """Everything that a report shows beside the findings themselves."""

    total: Sum
    by_age: Sequence[Sum]
    by_partner: Sequence[Sum]
    by_job: Sequence[Sum]
    by_cause: Sequence[Sum]
    by_owner: Sequence[Sum]


def aged(row: Row, now: datetime) -> dict[str, Any]:
    """Add how long the finding has been true, or was until it closed, and what it is about."""
    until = row["closed_at"] or now
    seconds = max(0, round((until - row["since"].astimezone(UTC)).total_seconds()))
    told = {"about": about(row), "age": in_words(seconds), "age_seconds": seconds}
    return dict(row) | told


def in_words(seconds: int) -> str:
    """Return a time as a person reads it: 3d 4h, 4h 5m, 5m 6s."""
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    if days:
        return f"{days}d {hours}h"
    return f"{hours}h {minutes}m" if hours else f"{minutes}m {rest}s"


def summarise(rows: Sequence[Row]) -> Summary:
    """Add up findings that `aged` has seen."""
    ages = {name: at for at, (name, _) in enumerate(BUCKETS)}
    return add_up(
        [
            dict(row)
            | {
                "age": ages[bucket(row["age_seconds"])],
                "count": 1,
                "unpriced": row["amount"] is None,
            }
            for row in rows
        ]
    )


def add_up(rows: Sequence[Row]) -> Summary:
    """Add up groups of findings (`hub.ledger.findings.grouped` by `ENDS`)."""
    total = Sum("all")
    for row in rows:
        total.add(row)
    ages = {name: Sum(name) for name, _ in BUCKETS}
    for row in rows:
        ages[BUCKETS[row["age"]][0]].add(row)
    return Summary(
        total,
        tuple(ages.values()),
        _grouped(rows, lambda row: row["partner"] or "?"),
        _grouped(rows, lambda row: row["job"]),
        _grouped(rows, lambda row: f"{row['job']}: {row['cause']}"),
        _grouped(rows, lambda row: row["owner"] or "nobody"),
    )


def bucket(seconds: int) -> str:
    """Return the name of the bucket that an age falls into."""
    return next(name for name, end in BUCKETS if seconds < end.total_seconds())


def _grouped(rows: Iterable[Row], name_of: Callable[[Row], str]) -> tuple[Sum, ...]:
    sums: dict[str, Sum] = {}
    for row in rows:
        name = name_of(row)
        sums.setdefault(name, Sum(name)).add(row)
    return tuple(sorted(sums.values(), key=lambda each: (-_most(each), -each.count, each.name)))


def _most(each: Sum) -> Decimal:
    return max(each.money.values(), default=Decimal())


def as_json(summary: Summary) -> dict[str, Any]:
    """Return the sums as plain values."""
    return {
        "total": _plain(summary.total),
        "by_age": [_plain(each) for each in summary.by_age],
        "by_partner": [_plain(each) for each in summary.by_partner],
        "by_job": [_plain(each) for each in summary.by_job],
        "by_cause": [_plain(each) for each in summary.by_cause],
        "by_owner": [_plain(each) for each in summary.by_owner],
    }


def _plain(each: Sum) -> dict[str, Any]:
    return {
        "name": each.name, "count": each.count, "money": each.money, "unpriced": each.unpriced
    }  # fmt: skip
