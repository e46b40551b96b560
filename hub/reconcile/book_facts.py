"""The hub's own books: received documents by day, partner and state, and whether that is borne out."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.reconcile.double_entry import Entry

# Each kind of evidence is one look into an index, and only where the state asks for it.
BOOKS = """
SELECT d.partner, d.state, b.borne_out, count(*) AS documents, sum(d.amount) AS amount,
    CASE WHEN count(DISTINCT d.currency) = 1 THEN max(d.currency) END AS currency,
    (array_agg(d.id ORDER BY d.id))[1:5] AS examples
FROM (
    SELECT * FROM document WHERE created_at >= $1::date::timestamp AT TIME ZONE 'UTC'
        AND created_at < ($1::date + 1)::timestamp AT TIME ZONE 'UTC'
        AND direction = 'in' AND state <> 'superseded' OFFSET 0) AS d
CROSS JOIN LATERAL (
    SELECT EXISTS (SELECT FROM receipt WHERE id = d.receipt_id) AND CASE d.state
        WHEN 'held' THEN EXISTS (
            SELECT FROM hold WHERE hold.document_id = d.id AND hold.state = 'open')
        WHEN 'dead' THEN EXISTS (
            SELECT FROM dead_letter WHERE dead_letter.document_id = d.id)
        WHEN 'accepted' THEN d.created_at > $2 OR EXISTS (
            SELECT FROM delivery WHERE delivery.document_id = d.id
                AND delivery.state IN ('pending', 'in_flight', 'in_doubt'))
        WHEN 'delivered' THEN NOT EXISTS (
            SELECT FROM delivery AS o WHERE o.document_id = d.id AND o.occasion = ''
                AND o.state <> 'delivered' AND NOT EXISTS (
                    SELECT FROM delivery AS g WHERE g.document_id = d.id AND g.target = o.target
                        AND g.action = o.action AND g.state = 'delivered'))
        ELSE true END AS borne_out OFFSET 0) AS b
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""

_OPEN = "SELECT right(subject, 10)::date FROM finding WHERE job = $1 AND state <> 'closed'"


async def entries(
    connection: AsyncConnection, job: str, days: tuple[date, date], stuck_before: datetime
) -> list[Entry]:
    """Return the books of these days, and of the days with an open finding.

    Args:
        connection: to the ledger.
        job: whose open findings name days too.
        days: the first and the last.
        stuck_before: what was accepted earlier and has nothing under way is lost sight of.
    """
    first, last = days
    looked = {first + timedelta(days=n) for n in range((last - first).days + 1)}
    looked |= set((await connection.exec_driver_sql(_OPEN, (job,))).scalars())
    found: list[Entry] = []
    for day in sorted(looked):
        rows = (await connection.exec_driver_sql(BOOKS, (day, stuck_before))).all()
        found += [_entry(day, row) for row in rows]
    return found


def _entry(day: date, row: sa.Row[Any]) -> Entry:
    return Entry(
        day,
        row.partner,
        row.state,
        row.borne_out,
        row.documents,
        row.amount,
        row.currency,
        tuple(row.examples),
    )
