"""A span of time cut so that about as many rows came in each slice, however large the ledger is.

A statement over a slice reads a bounded number of rows; one over a window of three months reads
them all, holds what it found in memory, and keeps whoever waits for it waiting. Slices begin with
their first moment and end before their last; rows of one moment are never parted.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

MOST = 2000
"""Rows of a slice that lie side by side."""
FEW = 500
"""Rows of a slice for each of which something is looked up elsewhere: ids are spread all over."""

# When the rows come that a slice ends before, each from an index: $1 and $2 are the span, $3 counts.
DOCUMENTS = """
SELECT created_at FROM document WHERE created_at > $1 AND created_at < $2
ORDER BY created_at OFFSET $3::int LIMIT 1
"""
RECEIVED = """
SELECT received_at FROM receipt WHERE received_at > $1 AND received_at < $2
ORDER BY received_at OFFSET $3::int LIMIT 1
"""
DELIVERED = """
SELECT settled_at FROM delivery WHERE settled_at > $1 AND settled_at < $2
    AND action = $4::text AND state = 'delivered'
ORDER BY settled_at OFFSET $3::int LIMIT 1
"""
CONFIRMED = """
SELECT at FROM confirmation WHERE at > $1 AND at < $2 ORDER BY at OFFSET $3::int LIMIT 1
"""
INTERCHANGES = """
SELECT received_at FROM interchange WHERE received_at > $1 AND received_at < $2 AND scope = $4::text
ORDER BY received_at OFFSET $3::int LIMIT 1
"""

_NEXT = timedelta(microseconds=1)


def upto(moment: datetime) -> datetime:
    """Return the end of a span that has this moment in it: the ledger's clock has microseconds."""
    return moment + _NEXT


async def slices(
    ledger: AsyncConnection,
    ends: str,
    span: tuple[datetime, datetime],
    *more: str,
    most: int = MOST,
) -> AsyncIterator[tuple[datetime, datetime]]:
    """Yield the slices of a span, the oldest first; none where it is empty.

    Args:
        ledger: a connection.
        ends: `DOCUMENTS`, `RECEIVED`, `DELIVERED`, `CONFIRMED` or `INTERCHANGES`.
        span: from its first moment on until before its last.
        more: which rows, where `ends` asks for it: an action, or a scope.
        most: rows of a slice, more or less.
    """
    since, until = span
    while since < until:
        found = await ledger.exec_driver_sql(ends, (since, until, most, *more))
        end = found.scalar() or until
        yield since, end
        since = end
