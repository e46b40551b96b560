"""Whether an order has been shipped, in part or whole."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.ledger.tables import document

_NEVER = ("rejected", "duplicate", "superseded")
"""States of a shipment's document that say that it counts for nothing."""


async def shipped(connection: AsyncConnection, document_id: str) -> bool:
    """Return whether a shipment of the purchase that a document is about is on record."""
    mine, other = document.alias("mine"), document.alias("other")
    same = sa.exists().where(
        mine.c.id == document_id,
        other.c.po_key == mine.c.po_key,
        other.c.entity == "shipment",
        other.c.state.not_in(_NEVER),
    )
    return bool(await connection.scalar(sa.select(same)))
