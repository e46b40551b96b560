"""However many events wait and files repeat, taking the next ones reads next to nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.ledger import inbox, outbox
from hub.ledger.engine import open_engine
from hub.ledger.plans import by_index

MANY = 50_000
_EVENTS = """
INSERT INTO outbox (event_id, subject, payload, written_at)
SELECT 'e-' || n, 'canonical.order.released', '{}', now() - interval '1 hour'
FROM generate_series(1, $1::int) AS n
"""
_LETTER = """
INSERT INTO outbox (event_id, subject, payload, written_at)
VALUES ('letter', 'dead.map.acme-edi', '{}', now() - interval '1 hour')
"""
_RECEIPTS = """
INSERT INTO receipt (id, connection, partner, delivery_id, sha256, size, content_type, archive,
    received_at, decided_at)
SELECT 'r-' || n, 'acme-edi', 'acme', 'd', 'same', 1, '', '', moment, moment
FROM (SELECT n, now() - n * interval '1 minute' AS moment FROM generate_series(1, $1::int) AS n) AS m
"""


@pytest.fixture
async def ledger(database: str) -> AsyncIterator[AsyncConnection]:
    engine = open_engine(database)
    async with engine.connect() as connection:
        yield connection
    await engine.dispose()


async def rows_read(ledger: AsyncConnection) -> int:
    """Count the rows that this transaction has read, by scans and by indexes."""
    await ledger.exec_driver_sql("SELECT pg_stat_clear_snapshot()")
    query = "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables"
    return int(await ledger.scalar(sa.text(query)) or 0)


@pytest.mark.parametrize(("stream", "taken"), [("dead.", ["letter"]), ("canonical.", ["e-1"])])
async def test_a_sweep_of_one_stream_does_not_read_what_waits_of_the_other(
    ledger: AsyncConnection, stream: str, taken: list[str]
) -> None:
    await ledger.exec_driver_sql(_EVENTS, (MANY,))
    await ledger.exec_driver_sql(_LETTER)
    await ledger.exec_driver_sql("ANALYZE outbox")
    await ledger.commit()
    events = await outbox.take(ledger, stream, 1, older_than=2)
    assert [event.event_id for event in events] == taken
    assert await rows_read(ledger) < 50
    await ledger.rollback()
    if stream == "dead.":
        await outbox.forget(ledger, taken)
        await ledger.commit()
        assert await outbox.take(ledger, stream, 500, older_than=2) == []  # as nearly always
        assert await rows_read(ledger) < 50


async def test_the_first_of_a_file_that_came_unchanged_for_weeks_is_found_at_once(
    ledger: AsyncConnection,
) -> None:
    await ledger.exec_driver_sql(_RECEIPTS, (MANY,))
    await ledger.exec_driver_sql("ANALYZE receipt")
    await ledger.commit()
    await by_index(ledger)
    same = ("acme-edi", "same")
    assert await inbox.first_with_same_bytes(ledger, [same]) == {same: f"r-{MANY}"}
    assert await rows_read(ledger) < 50
