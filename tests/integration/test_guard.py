"""Guarding names: twins wait for one another, and no batch is too large for PostgreSQL's locks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from hub.ledger import keys
from hub.ledger.engine import open_engine

MANY = [f"name {i}" for i in range(60_000)]
"""Far more than the lock table of a PostgreSQL with its default settings has room for."""


@pytest.fixture
async def engine(database: str) -> AsyncIterator[AsyncEngine]:
    opened = open_engine(database)
    yield opened
    await opened.dispose()


async def locks_of(connection: AsyncConnection) -> int:
    """Count the advisory locks that this transaction holds."""
    count = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
    return int(await connection.scalar(sa.text(count)) or 0)


async def test_a_batch_of_any_size_takes_no_more_locks_than_there_are_buckets(
    engine: AsyncEngine,
) -> None:
    async with engine.begin() as ledger:
        await keys.guard(ledger, MANY)
        assert await locks_of(ledger) == 1024


async def test_nobody_passes_who_guards_one_of_the_same_names(engine: AsyncEngine) -> None:
    async with engine.connect() as first, engine.connect() as second:
        await keys.guard(first, ["a", "shared", "b"])
        await second.execute(sa.text("SET lock_timeout = '100ms'"))
        with pytest.raises(sa.exc.DBAPIError, match="lock timeout"):
            await keys.guard(second, ["shared"])
        await second.rollback()
        await first.rollback()
        await keys.guard(second, ["shared"])


async def test_batches_that_share_names_in_other_orders_do_not_deadlock(
    engine: AsyncEngine,
) -> None:
    async def work(names: list[str]) -> None:
        async with engine.begin() as ledger:
            await keys.guard(ledger, names)

    async with asyncio.timeout(30):
        async with asyncio.TaskGroup() as group:
            for names in (MANY, MANY[::-1], MANY[1000:3000], MANY[:2000:-1]):
                group.create_task(work(names))


async def test_no_names_need_no_lock(engine: AsyncEngine) -> None:
    async with engine.begin() as ledger:
        await keys.guard(ledger, [])
        assert await locks_of(ledger) == 0
