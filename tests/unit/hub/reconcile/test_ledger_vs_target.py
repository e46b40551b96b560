"""Does the target hold just what we delivered."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from hub.reconcile import ledger_vs_target as job
from hub.reconcile.ledger_vs_target import Delivered, Effect, Statement, total


@pytest.fixture
def month(now: datetime) -> Statement:
    return Statement("bc", "create_order", now - timedelta(days=30), now)


def ours(at: datetime | None, name: str = "SO-1", reference: str = "XD1", **more: Any) -> Delivered:
    return Delivered(name, reference, at=at, partner="acme", **more)


def causes(found: list[Any]) -> list[str]:
    return [each.cause for each in found]


def test_both_sides_the_same_give_nothing_and_the_same_count_and_hash(
    month: Statement, now: datetime
) -> None:
    mine = [ours(now), ours(now, "SO-2", "XD2")]
    theirs = [Effect("SO-2", "XD2"), Effect("SO-1", "XD1")]
    assert job.find(month, mine, theirs) == []
    assert total(mine) == total(theirs)
    assert total(mine) != total(mine[:1])


def test_totals_name_ours_as_the_list_does_and_leave_out_what_it_does_not_cover(
    month: Statement, now: datetime
) -> None:
    mine = [
        ours(now, "id-1", "XD1", number="SO-1"),
        ours(now, "SO-2", "XD2"),
        ours(now - timedelta(days=60), "SO-3", "XD3"),
        ours(None, "SO-4", "XD4"),
    ]
    for theirs in (
        [Effect("SO-2", "XD2"), Effect("SO-1", "XD1")],
        [Effect("SO-1"), Effect("SO-2")],
    ):
        left, right = job.totals(month, mine, theirs)
        assert left == right == total(theirs)
        assert left.count == 2
    left, right = job.totals(month, mine, [Effect("SO-1"), Effect("SO-9")])
    assert left.count == right.count
    assert left.sha256 != right.sha256


def test_what_only_one_side_has_is_found(month: Statement, now: datetime) -> None:
    found = job.find(month, [ours(now)], [Effect("SO-9", None, amount=Decimal(7))])
    assert sorted(causes(found)) == sorted([job.MISSING, job.UNKNOWN])
    assert {each.subject for each in found} == {
        "target/bc/create_order/SO-1", "target/bc/create_order/SO-9",
    }  # fmt: skip


@pytest.mark.parametrize(
    "entry",
    [
        Effect("SO-1", sha256="b"),
        Effect("SO-1", amount=Decimal(9), currency="USD"),
        Effect("SO-1", amount=Decimal(10), currency="EUR"),
    ],
    ids=["hash", "amount", "currency"],
)
def test_another_content_or_amount_is_found(month: Statement, now: datetime, entry: Effect) -> None:
    mine = ours(now, sha256="a", amount=Decimal(10), currency="USD")
    assert causes(job.find(month, [mine], [entry])) == [job.DIFFERENT]


@pytest.mark.parametrize(
    "entry", [Effect("SO-1"), Effect("1001"), Effect("other", "XD1")],
    ids=["id", "number", "reference"],
)  # fmt: skip
def test_the_targets_id_its_number_or_our_reference_is_enough(
    month: Statement, now: datetime, entry: Effect
) -> None:
    assert job.find(month, [ours(now, number="1001")], [entry]) == []


def test_what_is_under_way_or_outside_of_the_time_need_not_be_listed(
    month: Statement, now: datetime
) -> None:
    before = ours(now - timedelta(days=60), "SO-3", "XD3")
    assert job.find(month, [ours(None), before], []) == []
    assert job.find(month, [ours(None, "")], [Effect("SO-1", "XD1")]) == []
