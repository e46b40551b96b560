"""Where each poll goes on, and the turn-taking of replicas."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.ledger.tables import poll_cursor


async def take_turn(connection: AsyncConnection, connection_name: str) -> bool:
    """Return whether this transaction is the only one that polls the connection now."""
    got = await connection.scalar(
        sa.select(sa.func.pg_try_advisory_xact_lock(sa.func.hashtext(f"poll:{connection_name}")))
    )
    return bool(got)


async def load(connection: AsyncConnection, name: str, flow: str) -> tuple[str, str]:
    """Return (cursor, delivery id of the last page); ("", "") before the first poll."""
    row = (
        await connection.execute(
            sa.select(poll_cursor.c.cursor, poll_cursor.c.last_delivery_id).where(
                poll_cursor.c.connection == name, poll_cursor.c.flow == flow
            )
        )
    ).first()
    return (row.cursor, row.last_delivery_id) if row else ("", "")


async def save(
    connection: AsyncConnection, key: tuple[str, str], page: tuple[str, str], now: datetime
) -> None:
    """Store where (connection, flow) goes on, once (cursor, delivery id) is safely taken in."""
    values = {"cursor": page[0], "last_delivery_id": page[1], "updated_at": now}
    await connection.execute(
        insert(poll_cursor)
        .values(connection=key[0], flow=key[1], **values)
        .on_conflict_do_update(index_elements=["connection", "flow"], set_=values)
    )
