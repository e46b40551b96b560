"""The statements of the hot path: that they are bounded, and cost no more as the ledger grows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from hub.ledger import bulk, inbox, keys, reference
from hub.ledger.customers import customers
from hub.ledger.engine import open_engine
from hub.ledger.plans import by_index
from hub.ledger.reference_view import Needed
from hub.ledger.tables import document, outbox, receipt
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


async def test_a_batch_reads_no_table_whole_however_it_has_grown(engine: AsyncEngine) -> None:
    async with engine.begin() as ledger:
        await by_index(ledger)
        await statements_of_a_batch(ledger, "first")
        await ledger.exec_driver_sql("ANALYZE")  # it knows by now how small its tables are
        for n in range(8):  # from the sixth execution on a plan is kept
            await statements_of_a_batch(ledger, f"small-{n}")
        await bulk.copy(ledger, document, [accepted(n) for n in range(3000)])
        await bulk.insert(ledger, receipt, [received(f"r-{n}") for n in range(3000)])
        await keys.lock(ledger, (f"order/acme/{n}/" for n in range(3000)), NOW)
        before = await tuples_read(ledger)
        await statements_of_a_batch(ledger, "large")
        assert await tuples_read(ledger) - before < 50


async def statements_of_a_batch(ledger: AsyncConnection, name: str) -> None:
    """Run what `Pipeline.decide` runs for one order."""
    await inbox.first_with_same_bytes(ledger, [("acme-edi", name)])
    assert await inbox.admit(ledger, [received(name)]) == {name}
    await keys.guard(ledger, [name])
    heads = await keys.lock(ledger, [name], NOW)
    await keys.purchases(ledger, [name], [name], NOW)
    await reference.stamps(ledger, [("bc", "item", name)])
    await reference.view(ledger, "bc", Needed(frozenset({name}), frozenset({name})))
    await customers(ledger, [name])  # of what is for an order
    heads[name].version = 1
    await keys.save(ledger, heads, NOW)
    await bulk.copy(ledger, document, [accepted(0) | {"id": name, "business_key": name}])


def received(name: str) -> dict[str, Any]:
    """One receipt."""
    return {
        "id": name,
        "connection": "acme-edi",
        "partner": "acme",
        "delivery_id": name,
        "sha256": name,
        "size": 1,
        "content_type": "application/edi-x12",
        "archive": "",
        "received_at": NOW,
        "decided_at": NOW,
    }


async def tuples_read(ledger: AsyncConnection) -> int:
    """Count the rows that this transaction has read, by reading whole tables and by index."""
    query = """
        SELECT sum(pg_stat_get_xact_tuples_returned(oid) + pg_stat_get_xact_tuples_fetched(oid))
        FROM pg_class WHERE relname = ANY(:names)"""
    names = ["document", "receipt", "key_head", "reference"]
    return int(await ledger.scalar(sa.text(query), {"names": names}) or 0)


async def _somebody_waits(engine: AsyncEngine) -> None:
    query = sa.text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")

    async def waits() -> bool:
        async with engine.connect() as ledger:
            return bool(await ledger.scalar(query))

    await wait_for(waits)
