"""The outbox: events that are committed and not yet acknowledged by NATS."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.ledger.tables import outbox


async def take(
    connection: AsyncConnection, stream: str, limit: int, *, older_than: float
) -> Sequence[sa.RowMapping]:
    """Lock the oldest rows that no other relay holds; they stay locked until the commit.

    Args:
        connection: inside the transaction that will also `forget` them.
        stream: how their subjects begin.
        limit: most rows.
        older_than: seconds; younger rows are still being published by those who wrote them.
    """
    age = sa.func.clock_timestamp() - timedelta(seconds=older_than)
    result = await connection.execute(
        sa.select(outbox.c.event_id, outbox.c.subject, outbox.c.payload, outbox.c.traceparent)
        .where(outbox.c.written_at <= age, outbox.c.subject.startswith(stream))
        .order_by(outbox.c.seq)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(result.mappings())


async def forget(connection: AsyncConnection, event_ids: Sequence[str]) -> None:
    """Delete exactly these events: never a range, which could hold another replica's rows."""
    await connection.exec_driver_sql(
        "DELETE FROM outbox WHERE event_id = ANY($1::text[])", (list(event_ids),)
    )


async def waiting(connection: AsyncConnection) -> int:
    """Return how many events wait to be published."""
    return int(await connection.scalar(sa.select(sa.func.count()).select_from(outbox)) or 0)
