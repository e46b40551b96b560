"""Where each poll goes on."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.ledger.tables import poll_cursor


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
