"""The outbox: events that are committed and not yet acknowledged by NATS.

An event about a document that the ledger holds is kept without its data, which is read from the
document when a relay takes it: with a copy of each order in it, the outbox made a fifth of all that
the server wrote. So a document that is corrected while its event waits has to be let go of first
(`keep_whole`), and none may be deleted (`hub/ledger/retention.py`).

An event that the broker will never take is set aside (`refused`) where people see it, and is tried
once more by each hub that starts: somebody may have given the broker more room.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.events import Event, with_data
from hub.ledger.tables import document, outbox

_KEEP_WHOLE = """
UPDATE outbox SET document_id = NULL, payload = substring(payload FOR octet_length(payload) - 1)
    || convert_to(',"data":' || document.canonical::text || '}', 'UTF8')
FROM document WHERE outbox.document_id = $1 AND document.id = $1
"""


_FEW = 5_000
"""Where more than so many wait, who comes later is behind: the loop has a backlog to work off."""
_BEHIND = """
WITH w AS (SELECT * FROM unnest($1::text[], $2::text[]) AS w(event_id, key)),
    first AS MATERIALIZED (
        SELECT seq, event_id, document_id FROM outbox
        WHERE refused IS NULL ORDER BY seq LIMIT $4::int)
SELECT w.event_id FROM w LEFT JOIN first AS own ON own.event_id = w.event_id
WHERE own.seq IS NULL OR EXISTS (
    SELECT 1 FROM document AS d JOIN first AS o ON o.document_id = d.id
    WHERE d.business_key = w.key AND o.seq < own.seq AND o.event_id <> ALL($3::text[]))
"""
_TURN = "SELECT pg_try_advisory_xact_lock(hashtext('relay:' || $1::text))"


async def take(
    connection: AsyncConnection, stream: str, limit: int, *, older_than: float
) -> list[Event]:
    """Lock the oldest events; they stay locked until the commit, and other relays get none.

    One relay at a time takes a stream's: two would publish later events of a key before earlier ones.

    Args:
        connection: inside the transaction that will also `forget` them.
        stream: how their subjects begin, a word of ours. It is written out, and not bound: only so
            is the index of the few letters seen to fit, and a backlog of 500,000 others not read.
        limit: most rows.
        older_than: seconds; younger rows are still being published by those who wrote them.
    """
    if not (await connection.exec_driver_sql(_TURN, (stream,))).scalar():
        return []
    age = sa.func.clock_timestamp() - timedelta(seconds=older_than)
    own = outbox.c.event_id, outbox.c.subject, outbox.c.payload, outbox.c.traceparent
    rows = await connection.execute(
        sa.select(*own, outbox.c.document_id, document.c.canonical)
        .select_from(outbox.outerjoin(document, document.c.id == outbox.c.document_id))
        .where(
            outbox.c.written_at <= age,
            outbox.c.subject.like(sa.literal_column(f"'{stream}%'")),
            outbox.c.refused.is_(None),
        )
        .order_by(outbox.c.seq)
        .limit(limit)
        .with_for_update(skip_locked=True, of=outbox)
    )
    return [
        Event(row["event_id"], row["subject"], _whole(row), row["traceparent"])
        for row in rows.mappings()
    ]


def _whole(row: sa.RowMapping) -> bytes:
    payload = bytes(row["payload"])
    if row["document_id"] is None:
        return payload
    return with_data(payload, orjson.dumps(row["canonical"]))


async def behind(
    connection: AsyncConnection, events: Sequence[Event], beside: Sequence[str]
) -> set[str]:
    """Return the ids of those events before which an older one of their key is to be published.

    Args:
        connection: to the ledger.
        events: of keys with versions.
        beside: ids of all that is published with them, in order.
    """
    pairs = [event.event_id for event in events], [event.key for event in events]
    rows = await connection.exec_driver_sql(_BEHIND, (*pairs, list(beside), _FEW))
    return {row.event_id for row in rows}


async def keep_whole(connection: AsyncConnection, document_id: str) -> None:
    """Give events that wait their own copy of a document, which is about to change."""
    await connection.exec_driver_sql(_KEEP_WHOLE, (document_id,))


async def forget(connection: AsyncConnection, event_ids: Sequence[str]) -> None:
    """Delete exactly these events: never a range, which could hold another replica's rows."""
    await connection.exec_driver_sql(
        "DELETE FROM outbox WHERE event_id = ANY($1::text[])", (list(event_ids),)
    )


async def set_aside(connection: AsyncConnection, event_ids: Sequence[str], code: str) -> None:
    """Take events out of every relay's way: they will never be published as they are."""
    await connection.exec_driver_sql(
        "UPDATE outbox SET refused = $2 WHERE event_id = ANY($1::text[])", (list(event_ids), code)
    )


async def try_again(connection: AsyncConnection) -> None:
    """Let what was set aside be tried once more."""
    await connection.execute(
        sa.update(outbox).where(outbox.c.refused.is_not(None)).values(refused=None)
    )


async def counts(connection: AsyncConnection) -> tuple[int, int]:
    """Return how many events wait to be published, and how many are set aside."""
    aside = sa.func.count(outbox.c.refused)
    row = (await connection.execute(sa.select(sa.func.count() - aside, aside))).one()
    return int(row[0]), int(row[1])
