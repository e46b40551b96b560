"""The audit trail: any row that is edited, deleted, moved or cut off is named."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.ledger import audit, audit_log
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


async def listed(engine: AsyncEngine, **chosen: Any) -> list[str]:
    """Who did what, the newest first."""
    asked = {"since": NOW - timedelta(days=30), "limit": 100, **chosen}
    async with engine.connect() as ledger:
        rows = await audit_log.log(ledger, audit_log.Chosen(**asked))
    return [f"{row['actor']} {row['action']} {row['subject']} {row['hold']}" for row in rows]


async def test_who_did_what_is_listed_the_newest_first_and_narrowed(engine: AsyncEngine) -> None:
    kept = {"hold": "h-7", "reasons": []}
    acts = (
        (40, audit.Entry("ann", "map.promote", "old", "why")),
        (9, audit.Entry("ann", "hold.release", "d-1", "why", kept, {"payload": "SECRET"})),
        (8, audit.Entry("bob", "dead_letter.replay", "l-1", "why")),
        (7, audit.Entry("bob", "holdings", "d-2", "why")),
    )
    async with engine.begin() as ledger:
        for days, entry in acts:
            await audit.append(ledger, entry, NOW - timedelta(days=days))
    release, replay, other = "ann hold.release d-1 h-7", "bob dead_letter.replay l-1 None", "bob holdings d-2 None"  # fmt: skip
    assert await listed(engine) == [other, replay, release]
    assert await listed(engine, limit=1) == [other]
    assert await listed(engine, since=NOW - timedelta(days=41), actor="ann") == [release, "ann map.promote old None"]  # fmt: skip
    assert await listed(engine, action="hold") == [release]
    assert await listed(engine, action="dead_letter.replay") == [replay]
    assert await listed(engine, subject="h-7") == await listed(engine, subject="d-1") == [release]
    assert await listed(engine, subject="%") == []
    async with engine.connect() as ledger:
        rows = await audit_log.log(ledger, audit_log.Chosen(NOW - timedelta(days=30), 100))
    assert "SECRET" not in str(rows)


async def test_the_list_reads_no_more_of_the_trail_than_its_days(engine: AsyncEngine) -> None:
    rows = (
        "INSERT INTO audit (seq, at, actor, action, subject, reason, previous_hash, hash) "
        "SELECT n, now() - n * interval '1 hour', 'ann', 'test', 'd-' || n, 'why', '', '' "
        "FROM generate_series(1, 5000) AS n"
    )
    chosen = audit_log.Chosen(datetime.now(UTC) - timedelta(days=1), 100, "bob")
    async with engine.begin() as ledger:
        await ledger.exec_driver_sql(rows)
        await ledger.exec_driver_sql("ANALYZE audit")
        assert await audit_log.log(ledger, chosen) == []
        plan = "\n".join((await ledger.execute(explained(audit_log.query(chosen)))).scalars())
    assert "ix_audit_at_seq" in plan
    assert "Index Cond: (at >=" in plan


def explained(query: sa.Select[Any]) -> sa.TextClause:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    text = query.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
    return sa.text(f"EXPLAIN {text}".replace(":", r"\:"))
