"""The statements of the hot path: that they are bounded, and cost no more as the ledger grows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.ledger import bulk, keys
from hub.ledger.engine import open_engine
from hub.ledger.tables import document, outbox
from tests.support.waiting import wait_for

NOW = datetime(2026, 5, 5, tzinfo=UTC)


@pytest.fixture
async def engine(database: str) -> AsyncIterator[AsyncEngine]:
    opened = open_engine(database)
    yield opened
    await opened.dispose()


def accepted(number: int) -> dict[str, Any]:
    """One order in force."""
    return {
        "id": f"d-{number}",
        "direction": "in",
        "connection": "acme-edi",
        "partner": "acme",
        "entity": "order",
        "flow": "850",
        "business_key": f"order/acme/{number}/",
        "content_id": f"content-{number}",
        "version": 1,
        "purpose": "original",
        "verdict": "accept",
        "state": "accepted",
        "po_key": f"C1|{number}",
        "canonical": '{"a": 1}',
        "created_at": NOW,
    }


async def test_rows_are_copied_in_the_callers_transaction(engine: AsyncEngine) -> None:
    async with engine.begin() as ledger:
        await bulk.copy(ledger, document, [accepted(n) for n in range(3)])
        await ledger.rollback()
    async with engine.begin() as ledger:
        await bulk.copy(ledger, document, [accepted(7)])
    async with engine.connect() as ledger:
        (row,) = (await ledger.execute(sa.select(document))).mappings()
    assert (row["id"], row["canonical"], row["created_at"]) == ("d-7", {"a": 1}, NOW)


async def test_bytes_survive_the_copy(engine: AsyncEngine) -> None:
    rows = [
        {"event_id": "e-1", "subject": "s", "payload": bytes(range(256)), "traceparent": None},
    ]
    async with engine.begin() as ledger:
        await bulk.copy(ledger, outbox, rows)
        (row,) = (await ledger.execute(sa.select(outbox))).mappings()
    assert (row["payload"], row["traceparent"]) == (bytes(range(256)), None)


async def test_a_row_that_is_there_already_is_refused_by_the_copy(engine: AsyncEngine) -> None:
    async with engine.begin() as ledger:
        await bulk.copy(ledger, document, [accepted(7)])
    with pytest.raises(asyncpg.UniqueViolationError):
        async with engine.begin() as ledger:
            await bulk.copy(ledger, document, [accepted(7)])


async def test_more_names_than_the_server_has_locks_are_guarded(engine: AsyncEngine) -> None:
    async with engine.begin() as ledger:
        await keys.guard(ledger, (f"name-{n}" for n in range(50_000)))


@pytest.mark.parametrize("count", [1, 5000])
async def test_whoever_guards_a_name_keeps_others_of_that_name_waiting(
    engine: AsyncEngine, count: int
) -> None:
    names = [f"name-{n}" for n in range(count)]
    told: list[str] = []

    async def second() -> None:
        async with engine.begin() as ledger:
            await keys.guard(ledger, ["name-0"])
            told.append("second")

    async with engine.begin() as ledger:
        await keys.guard(ledger, names)
        waiting = asyncio.create_task(second())
        await _somebody_waits(engine)
        told.append("first")
    await waiting
    assert told == ["first", "second"]


async def test_looking_for_twins_reads_no_order_that_is_none(engine: AsyncEngine) -> None:
    async with engine.begin() as ledger:
        await bulk.copy(ledger, document, [accepted(n) for n in range(3000)])
    asked = range(2900, 3100)
    async with engine.connect() as ledger:
        for _ in range(8):  # the fifth execution on may take another plan
            by_content, by_purchase = await keys.purchases(
                ledger, (f"content-{n}" for n in asked), (f"C1|{n}" for n in asked), NOW
            )
        assert len(by_content) == len(by_purchase) == 100
        fetched = await ledger.scalar(
            sa.text(
                "SELECT pg_stat_get_xact_tuples_fetched(c.oid) + "
                "pg_stat_get_xact_tuples_returned(c.oid) "
                "FROM pg_class AS c WHERE c.relname = 'document'"
            )
        )
    assert fetched is not None
    assert fetched <= 8 * 2 * 100


async def _somebody_waits(engine: AsyncEngine) -> None:
    query = sa.text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")

    async def waits() -> bool:
        async with engine.connect() as ledger:
            return bool(await ledger.scalar(query))

    await wait_for(waits)
