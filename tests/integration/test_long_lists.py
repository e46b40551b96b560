"""Lists longer than the protocol can count: what a statement asks for never depends on a batch."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from hub.ledger import dead_letters, reference, settlements
from hub.ledger.engine import open_engine
from hub.ledger.faults import is_passing
from hub.ledger.reference_view import Needed

NOW = datetime(2026, 5, 5, tzinfo=UTC)
MANY = [f"n-{i}" for i in range(40_000)]
"""More than the 32,767 arguments of one statement."""


@pytest.fixture
async def engine(database: str) -> AsyncIterator[AsyncEngine]:
    opened = open_engine(database)
    yield opened
    await opened.dispose()


@pytest.fixture
async def ledger(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    async with engine.begin() as connection:
        yield connection


async def test_one_batch_may_need_any_number_of_items(ledger: AsyncConnection) -> None:
    view = await reference.view(ledger, "bc", Needed(frozenset(MANY), frozenset(MANY)))
    assert (view.items, view.customers) == ({}, {})


async def test_any_number_of_letters_and_receipts_is_looked_up_at_once(
    ledger: AsyncConnection,
) -> None:
    assert await dead_letters.lock_replaying(ledger, MANY) == []
    assert await dead_letters.documents_of(ledger, MANY) == []
    await dead_letters.close_replayed(ledger, MANY, MANY, NOW)


async def test_any_number_of_leases_is_renewed_at_once(ledger: AsyncConnection) -> None:
    await settlements.renew(ledger, MANY, NOW)


async def test_too_many_arguments_are_no_passing_fault(ledger: AsyncConnection) -> None:
    with pytest.raises(sa.exc.SQLAlchemyError) as caught:
        await ledger.execute(sa.select(sa.literal("x").in_(MANY)))
    assert not is_passing(caught.value)


async def test_a_connection_that_the_server_ended_is_a_passing_fault(engine: AsyncEngine) -> None:
    async with engine.connect() as mine, engine.connect() as other:
        backend = await mine.scalar(sa.select(sa.func.pg_backend_pid()))
        await other.execute(sa.select(sa.func.pg_terminate_backend(backend)))
        with pytest.raises(sa.exc.DBAPIError) as caught:
            await mine.execute(sa.select(1))
    assert is_passing(caught.value)
