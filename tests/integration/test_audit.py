"""The audit trail: any row that is edited, deleted, moved or cut off is named."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.ledger import audit
from hub.ledger.engine import open_engine

NOW = datetime(2026, 5, 5, tzinfo=UTC)


@pytest.fixture
async def engine(database: str) -> AsyncIterator[AsyncEngine]:
    opened = open_engine(database)
    yield opened
    await opened.dispose()


async def act(engine: AsyncEngine, number: int) -> None:
    async with engine.begin() as ledger:
        await audit.append(ledger, audit.Entry("ann", "test", f"doc-{number}", "why"), NOW)


async def tampered(engine: AsyncEngine, *statements: str) -> audit.Broken | None:
    """Let three things be done, the audit trail be tampered with, and verify it."""
    for number in range(3):
        await act(engine, number)
    async with engine.begin() as ledger:
        for statement in statements:
            await ledger.exec_driver_sql(statement)
    async with engine.connect() as ledger:
        return await audit.verify(ledger)


async def test_an_empty_and_an_untouched_chain_hold(engine: AsyncEngine) -> None:
    async with engine.connect() as ledger:
        assert await audit.verify(ledger) is None
        assert await audit.head(ledger) == audit.Head()
    assert await tampered(engine) is None


@pytest.mark.parametrize(
    ("statement", "seq"),
    [
        ("UPDATE audit SET reason = 'other' WHERE seq = 2", 2),
        ("DELETE FROM audit WHERE seq = 1", 1),
        ("DELETE FROM audit WHERE seq = 2", 2),
        ("DELETE FROM audit WHERE seq = 3", 3),  # the tail
        ("DELETE FROM audit WHERE seq >= 2", 2),
        ("DELETE FROM audit", 1),
        ("UPDATE audit_head SET seq = 2", 2),
        ("UPDATE audit_head SET hash = 'x'", 3),
        ("DELETE FROM audit_head", 4),
    ],
)
async def test_a_row_that_was_edited_deleted_or_cut_off_is_named(
    engine: AsyncEngine, statement: str, seq: int
) -> None:
    broken = await tampered(engine, statement)
    assert broken is not None
    assert broken.seq == seq


async def test_acts_at_the_same_time_make_one_chain(engine: AsyncEngine) -> None:
    await asyncio.gather(*(act(engine, number) for number in range(20)))
    async with engine.connect() as ledger:
        assert await audit.verify(ledger) is None
        assert (await audit.head(ledger)).seq == 20


async def test_a_head_that_was_kept_outside_tells_another_history(engine: AsyncEngine) -> None:
    await tampered(engine)
    async with engine.connect() as ledger:
        kept = await audit.head(ledger)
    async with engine.begin() as ledger:
        await ledger.exec_driver_sql("DELETE FROM audit")
        await ledger.exec_driver_sql("DELETE FROM audit_head")
    for number in range(2, 5):
        await act(engine, number)
    async with engine.connect() as ledger:
        assert await audit.verify(ledger) is None  # the limit: both tables can be rewritten
        assert await audit.head(ledger) != kept


async def test_what_was_done_to_one_thing_is_found_without_reading_the_whole_trail(
    engine: AsyncEngine,
) -> None:
    rows = (
        "INSERT INTO audit (seq, at, actor, action, subject, reason, previous_hash, hash) "
        "SELECT n, now(), 'ann', 'test', 'd-' || n, 'why', '', '' FROM generate_series(1, 5000) AS n"
    )
    one = sa.text("EXPLAIN SELECT actor FROM audit WHERE subject = 'd-7' ORDER BY seq")
    async with engine.begin() as ledger:
        await ledger.exec_driver_sql(rows)
        await ledger.exec_driver_sql("ANALYZE audit")
        plan = (await ledger.execute(one)).scalars().all()
    assert "ix_audit_subject" in "\n".join(plan)
