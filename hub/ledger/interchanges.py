"""Which interchange numbers senders have used, with which bytes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.ledger import bulk
from hub.ledger.tables import interchange

REUSED_AFTER = timedelta(days=365)
"""A number that comes again after so long is a new one: counters wrap around and are reset."""

_OTHERS = """
SELECT i.connection, i.number, i.sha256, i.received_at
FROM unnest($1::text[], $2::bigint[]) AS w(connection, number)
JOIN interchange AS i ON i.connection = w.connection AND i.number = w.number
"""


class Used(NamedTuple):
    """A number as one interchange of a receipt uses it."""

    connection: str
    number: int
    sha256: str
    receipt_id: str
    received_at: datetime


class Gap(NamedTuple):
    """Numbers of a sender that have not come, although a higher one has."""

    connection: str
    first: int
    last: int
    since: datetime
    """When the higher one came."""


async def remember(ledger: AsyncConnection, used: Sequence[Used]) -> set[tuple[str, int, str]]:
    """Write down numbers that are used now; return those taken by other bytes.

    Returns:
        (receipt, number, hash of the bytes) of each interchange that must not be processed.
    """
    if not used:
        return set()
    rows = [each._asdict() for each in sorted(used)]
    await bulk.insert(
        ledger, interchange, rows, conflict="ON CONFLICT (connection, number) DO NOTHING"
    )
    result = await ledger.exec_driver_sql(
        _OTHERS, ([each.connection for each in used], [each.number for each in used])
    )
    known = {(row.connection, row.number): row for row in result}
    taken = set()
    for each in used:
        row = known[each.connection, each.number]
        if row.sha256 == each.sha256:
            continue
        if each.received_at - row.received_at < REUSED_AFTER:
            taken.add((each.receipt_id, each.number, each.sha256))
        else:
            await _take_over(ledger, each)
    return taken


async def _take_over(ledger: AsyncConnection, used: Used) -> None:
    await ledger.execute(
        sa.update(interchange)
        .where(interchange.c.connection == used.connection, interchange.c.number == used.number)
        .values(sha256=used.sha256, receipt_id=used.receipt_id, received_at=used.received_at)
    )


async def gaps(ledger: AsyncConnection, before: datetime, since: datetime) -> list[Gap]:
    """Return the numbers that are missing between two that came, oldest first.

    Args:
        ledger: a connection.
        before: a gap counts once the higher number came before this moment (the grace period).
        since: only gaps whose higher number came since then.
    """
    earlier = (
        sa.func.lag(interchange.c.number)
        .over(partition_by=interchange.c.connection, order_by=interchange.c.number)
        .label("earlier")
    )
    each = sa.select(interchange, earlier).subquery()
    result = await ledger.execute(
        sa.select(each)
        .where(
            each.c.number > each.c.earlier + 1,
            each.c.received_at <= before,
            each.c.received_at >= since,
        )
        .order_by(each.c.received_at, each.c.connection)
    )
    return [Gap(row.connection, row.earlier + 1, row.number - 1, row.received_at) for row in result]
