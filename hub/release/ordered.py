"""The order that a shipment or an invoice is for, as its customer knows it."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from canonical.errors import Rejected
from canonical.order import Order
from hub.ledger.tables import document
from hub.release.holds import order_in_force


async def ordered(connection: AsyncConnection, reference: str) -> Order | None:
    """Return the order of ours that has this reference, as its changes have left it.

    None: there is none, or more than one (a reference is 50 bits of a hash): then nothing of it may
    be told to anybody.
    """
    keys = sa.select(document.c.business_key).where(
        document.c.reference == reference,
        document.c.entity == "order",
        document.c.version.is_not(None),
    )
    found = list((await connection.execute(keys.distinct().limit(2))).scalars())
    if len(found) != 1:
        return None
    try:
        return await order_in_force(connection, found[0])
    except Rejected:
        return None
