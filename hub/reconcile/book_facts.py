"""The hub's own books: received documents by day, partner and state, and whether that is borne out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.ledger.slices import DOCUMENTS, FEW, slices
from hub.reconcile.double_entry import Entry

_EXAMPLES = 5

# Each kind of evidence is one look into an index, and only where the state asks for it.
BOOKS = """
SELECT d.partner, d.state, b.borne_out, count(*) AS documents, sum(d.amount) AS amount,
    array_agg(DISTINCT d.currency) FILTER (WHERE d.currency IS NOT NULL) AS currencies,
    (array_agg(d.id ORDER BY d.id))[1:5] AS examples
FROM (
    SELECT * FROM document WHERE created_at >= $1 AND created_at < $2
        AND direction = 'in' AND state <> 'superseded' OFFSET 0) AS d
CROSS JOIN LATERAL (
    SELECT EXISTS (SELECT FROM receipt WHERE id = d.receipt_id) AND CASE d.state
        WHEN 'held' THEN EXISTS (
            SELECT FROM hold WHERE hold.document_id = d.id AND hold.state = 'open')
        WHEN 'dead' THEN EXISTS (
            SELECT FROM dead_letter WHERE dead_letter.document_id = d.id)
        WHEN 'accepted' THEN d.created_at > $3 OR EXISTS (
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
        begins = datetime.combine(day, time(), UTC)
        groups: dict[tuple[str, str, bool], _Group] = {}
        whole = begins, begins + timedelta(days=1)
        async for part in slices(connection, DOCUMENTS, whole, most=FEW):
            for row in await connection.exec_driver_sql(BOOKS, (*part, stuck_before)):
                groups.setdefault((row.partner, row.state, row.borne_out), _Group()).add(row)
        found += [group.entry(day, *key) for key, group in sorted(groups.items())]
    return found


@dataclass(slots=True)
class _Group:
    """What the slices of a day say of documents with the same partner, state and evidence."""

    count: int = 0
    amount: Decimal | None = None
    currencies: set[str] = field(default_factory=set)
    examples: list[str] = field(default_factory=list)

    def add(self, row: sa.Row[Any]) -> None:
        """Take in what one slice says."""
        self.count += row.documents
        if row.amount is not None:
            self.amount = row.amount + (self.amount or Decimal())
        self.currencies |= set(row.currencies or ())
        self.examples += row.examples

    def entry(self, day: date, partner: str, state: str, borne_out: bool) -> Entry:  # noqa: FBT001
        """Return what the books say of the day."""
        currency = next(iter(self.currencies)) if len(self.currencies) == 1 else None
        examples = tuple(sorted(self.examples)[:_EXAMPLES])
        return Entry(day, partner, state, borne_out, self.count, self.amount, currency, examples)
