"""Orders that came before the ERP was read: judged again, and by nobody's hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hub.clock import SystemClock
from hub.ledger.tables import audit, delivery, document, hold, outbox
from hub.release import holds
from hub.release.judging import FIRST, JudgeAgain, waiting
from hub.servers.addresses import Addresses
from tests.support.ledgers import SITE, Dock, change, dock, normalized, order


class Later(SystemClock):
    """The machine's clock, so much later."""

    def __init__(self, by: timedelta = timedelta()) -> None:
        self._by = by

    def now(self) -> datetime:
        return super().now() + self._by


NOW, LATER = Later(), Later(timedelta(minutes=2))
"""Within a first poll, and when it has ended."""


@pytest.fixture
async def at(addresses: Addresses, tmp_path: Path) -> AsyncIterator[Dock]:
    async with dock(addresses, tmp_path) as opened:
        yield opened


def judging(at: Dock, clock: SystemClock = NOW) -> JudgeAgain:
    return JudgeAgain(at.engine, SITE, clock)


def codes(row: Any) -> list[str]:
    return sorted({reason["code"] for reason in row["reasons"]})


async def test_an_order_that_came_too_early_goes_on_once_the_erp_was_read(at: Dock) -> None:
    await at.take_in(normalized("order", order("PO-1")))
    (held,) = await at.rows(hold)
    assert codes(held) == ["reference_not_read"]
    assert await judging(at).run() == 0
    assert await at.rows(hold) == [held]
    await at.stock()
    events = len(await at.rows(outbox))
    assert await judging(at).run() == 1
    (held,) = await at.rows(hold)
    assert (held["state"], held["actor"], held["reason"]) == (
        "released", "crossdock", "the ERP has been read since",
    )  # fmt: skip
    assert {row["state"] for row in await at.rows(delivery)} == {"pending"}
    assert len(await at.rows(outbox)) == events + 1
    assert [row["action"] for row in await at.rows(audit)] == ["hold.release"]
    assert await judging(at).run() == 0


async def test_what_waited_behind_it_goes_with_it_and_each_once(at: Dock) -> None:
    await at.take_in(normalized("order", order("PO-1")))
    await at.take_in(normalized("order_change", change()))
    await at.stock()
    assert await judging(at).run() == 1
    assert {row["state"] for row in await at.rows(hold)} == {"released"}
    asked = [row for row in await at.rows(document) if row["number"] == "PO-1"]
    assert {row["entity"]: row["version"] for row in asked} == {"order": 1, "order_change": 2}


async def test_what_is_wrong_stays_held_with_the_reasons_found_now(at: Dock) -> None:
    await at.take_in(normalized("order", order("PO-1")))
    await at.stock(item="another")
    assert await judging(at).run() == 0
    (held,) = await at.rows(hold)
    assert codes(held) == ["reference_not_read"]  # the next page may have the item
    assert await judging(at, LATER).run() == 0
    (held,) = await at.rows(hold)
    assert held["state"] == "open"
    assert "item_unknown" in codes(held)
    assert "reference_not_read" not in codes(held)
    (row,) = [each for each in await at.rows(document) if each["state"] == "held"]
    assert row["code"] == held["reasons"][0]["code"]
    (entry,) = await at.rows(audit)
    assert (entry["action"], entry["actor"]) == ("hold.judge", "crossdock")
    assert await judging(at, LATER).run() == 0
    assert len(await at.rows(audit)) == 1


async def test_what_is_no_matter_of_reference_data_still_waits_for_a_person(at: Dock) -> None:
    await at.take_in(normalized("order", order("PO-1")))
    again = order("PO-1", quantity="7")
    await at.take_in(normalized("order", again))
    await at.stock()
    assert await judging(at, LATER).run() == 1
    (conflict,) = [row for row in await at.rows(hold) if row["kind"] == "conflict"]
    assert conflict["state"] == "open"
    assert codes(conflict) == ["conflict"]


async def test_more_of_them_than_are_read_at_once_are_all_judged(
    at: Dock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.release.judging._BATCH", 2)
    for number in range(5):
        await at.take_in(normalized("order", order(f"PO-{number}", str(number + 1))))
    await at.stock()
    assert await judging(at).run() == 5
    assert {row["state"] for row in await at.rows(hold)} == {"released"}


async def test_a_person_who_was_faster_is_not_contradicted(at: Dock) -> None:
    await at.take_in(normalized("order", order("PO-1")))
    (held,) = await at.rows(hold)
    await at.stock()
    act = holds.Act("ann", "not ours", NOW.now())
    async with at.engine.begin() as ledger:
        await holds.reject(ledger, held["id"], act, SITE)
    assert await judging(at).run() == 0
    (held,) = await at.rows(hold)
    assert (held["state"], held["actor"]) == ("rejected", "ann")


async def test_holds_of_long_ago_are_not_read_again_and_again(at: Dock) -> None:
    await at.take_in(normalized("order", order("PO-1")))
    async with at.engine.begin() as ledger:
        await ledger.exec_driver_sql(
            "INSERT INTO hold (id, document_id, business_key, kind, reasons, state, opened_at) "
            "SELECT 'old-' || n, 'd-' || n, 'k-' || n, 'control_point', "
            """'[{"code": "reference_not_read"}]', 'released', now() - n * interval '1 minute' """
            "FROM generate_series(1, 20000) AS n"
        )
    async with at.engine.begin() as ledger:
        await ledger.exec_driver_sql("ANALYZE hold")
    async with at.engine.connect() as ledger:
        assert len(await waiting(ledger, FIRST)) == 1
        read = sa.text(
            "SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables "
            "WHERE relname = 'hold'"
        )
        assert (await ledger.scalar(read) or 0) < 100
