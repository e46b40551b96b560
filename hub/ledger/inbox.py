"""The inbox: which receipts this ledger has decided, and what it knew before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.ledger import bulk
from hub.ledger.tables import receipt
from hub.ledger.tables import suspect as suspects

Row = Mapping[str, Any]

_FIRSTS = """
SELECT w.connection, w.sha256, r.id
FROM unnest($1::text[], $2::text[]) AS w(connection, sha256) CROSS JOIN LATERAL (
    SELECT id FROM receipt
    WHERE receipt.connection = w.connection AND receipt.sha256 = w.sha256
    ORDER BY decided_at, id LIMIT 1) AS r
"""


async def admit(connection: AsyncConnection, rows: Sequence[Row]) -> set[str]:
    """Write receipt rows; return the ids that were not decided before.

    A receipt that NATS redelivers (its acknowledgement was lost) is not among them: everything
    that came of it was committed together with its row.
    """
    ordered = sorted(rows, key=lambda row: str(row["id"]))
    written = await bulk.insert(
        connection, receipt, ordered, conflict="ON CONFLICT (id) DO NOTHING", returning="id"
    )
    return {row.id for row in written}


async def first_with_same_bytes(
    connection: AsyncConnection, pairs: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], str]:
    """Return the oldest receipt so far for each (connection, sha256) that has one.

    Asked before the receipts of a batch are admitted, so that none of them finds itself.
    """
    wanted = sorted(set(pairs))
    if not wanted:
        return {}
    result = await connection.exec_driver_sql(
        _FIRSTS, ([c for c, _ in wanted], [s for _, s in wanted])
    )
    return {(row.connection, row.sha256): row.id for row in result}


async def mark_duplicates(connection: AsyncConnection, firsts: Mapping[str, str]) -> None:
    """Note on each receipt which earlier one it repeats."""
    if firsts:
        await connection.exec_driver_sql(
            "UPDATE receipt SET duplicate_of = w.first "
            "FROM unnest($1::text[], $2::text[]) AS w(id, first) WHERE receipt.id = w.id",
            (list(firsts), list(firsts.values())),
        )


async def count_redelivery(connection: AsyncConnection, receipt_id: str, sha256: str) -> bool:
    """Count one more delivery of a decided receipt; False: the ledger knows no such receipt."""
    result = await connection.execute(
        sa.update(receipt)
        .where(receipt.c.id == receipt_id, receipt.c.sha256 == sha256)
        .values(redeliveries=receipt.c.redeliveries + 1)
        .returning(receipt.c.id)
    )
    return result.first() is not None


async def suspect(connection: AsyncConnection, name: str, now: datetime) -> int:
    """Count one more time that a message is in hand alone; return the times before this one."""
    row = insert(suspects).values(message=name, times=1, at=now)
    result = await connection.execute(
        row.on_conflict_do_update(
            index_elements=["message"], set_={"times": suspects.c.times + 1, "at": now}
        ).returning(suspects.c.times)
    )
    return int(result.scalar_one()) - 1


async def acquit(connection: AsyncConnection, name: str) -> None:
    """Forget that a message was ever suspected."""
    await connection.execute(sa.delete(suspects).where(suspects.c.message == name))
