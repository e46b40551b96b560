"""What the ledger knows of documents that are kept back."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.ledger.tables import document, hold
from hub.reconcile.change_without_order import Parked


async def parked(ledger: AsyncConnection) -> list[Parked]:
    """Return the changes that wait for their order now, the oldest first."""
    result = await ledger.execute(
        sa.select(
            hold.c.id,
            document.c.number,
            document.c.partner,
            document.c.connection,
            document.c.reference,
            hold.c.opened_at,
        )
        .join(document, document.c.id == hold.c.document_id)
        .where(hold.c.state == "open", hold.c.kind == "orphan")
        .order_by(hold.c.opened_at, hold.c.id)
    )
    return [
        Parked(row.id, row.number or "", row.partner, row.connection, row.opened_at, row.reference)
        for row in result
    ]
