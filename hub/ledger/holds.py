"""Holds in the ledger: finding, locking and closing them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from canonical.errors import Rejected
from hub.ledger.tables import document, hold, receipt

_COLUMNS = (
    hold,
    document.c.entity,
    document.c.connection,
    document.c.partner,
    document.c.number,
    document.c.amount,
    document.c.currency,
)


async def listing(
    connection: AsyncConnection, *, state: str = "open", limit: int = 100
) -> Sequence[sa.RowMapping]:
    """Return holds in a state with the main facts of their documents, oldest first."""
    result = await connection.execute(
        sa.select(*_COLUMNS)
        .join(document, document.c.id == hold.c.document_id)
        .where(hold.c.state == state)
        .order_by(hold.c.opened_at, hold.c.id)
        .limit(limit)
    )
    return result.mappings().all()


async def find(connection: AsyncConnection, name: str) -> sa.RowMapping:
    """Return one hold by its id, the start of its id, or the number of its document.

    Raises:
        Rejected: ``hold_unknown`` or ``hold_ambiguous``.
    """
    result = await connection.execute(
        sa.select(*_COLUMNS)
        .join(document, document.c.id == hold.c.document_id)
        .where(hold.c.id.in_(sa.union(*_named(name))))
        .order_by(hold.c.state != "open", hold.c.opened_at)
    )
    rows = result.mappings().all()
    if not rows:
        raise Rejected("hold_unknown", name, "no hold has this id or document number")
    still_open = [row for row in rows if row["state"] == "open"]
    if len(still_open) > 1:
        raise Rejected("hold_ambiguous", name, "several open holds match; give the hold's id")
    return still_open[0] if still_open else rows[0]


def _named(name: str) -> Iterator[sa.Select[tuple[str]]]:
    """Yield what finds the ids of holds by name; each an index answers, an OR over both none."""
    yield sa.select(hold.c.id).where(hold.c.id.startswith(name, autoescape=True))
    whose = sa.select(document.c.id).where(document.c.number == name)
    yield sa.select(hold.c.id).where(hold.c.document_id.in_(whose))


async def lock_open(connection: AsyncConnection, hold_id: str) -> sa.RowMapping:
    """Lock an open hold and its document.

    Raises:
        Rejected: ``hold_unknown``, or ``hold_closed`` where somebody was faster.
    """
    found = (
        (await connection.execute(sa.select(hold).where(hold.c.id == hold_id).with_for_update()))
        .mappings()
        .first()
    )
    if found is None:
        raise Rejected("hold_unknown", hold_id, "no hold has this id")
    if found["state"] != "open":
        raise Rejected("hold_closed", hold_id, f"the hold is already {found['state']}")
    return found


async def key_of(connection: AsyncConnection, hold_id: str) -> str:
    """Return the business key that a hold is about; "" where there is no such hold."""
    key = await connection.scalar(sa.select(hold.c.business_key).where(hold.c.id == hold_id))
    return str(key or "")


async def becomes(
    connection: AsyncConnection, hold_id: str, kind: str, reason: Mapping[str, str]
) -> None:
    """Note that an open hold waits for something else now."""
    await connection.execute(
        sa.update(hold).where(hold.c.id == hold_id).values(kind=kind, reasons=[dict(reason)])
    )


async def close(
    connection: AsyncConnection, hold_id: str, values: dict[str, Any], now: datetime
) -> None:
    """Close a hold with its state, resolution, actor and reason."""
    await connection.execute(
        sa.update(hold).where(hold.c.id == hold_id).values(**values, closed_at=now)
    )


async def parked(
    connection: AsyncConnection, keys: Iterable[str], kinds: Sequence[str]
) -> Sequence[sa.RowMapping]:
    """Return open holds of these business keys and kinds, in the order of their sequences."""
    result = await connection.execute(
        sa.select(hold.c.id, hold.c.business_key)
        .join(document, document.c.id == hold.c.document_id)
        .where(
            hold.c.business_key == sa.any_(sa.cast(list(keys), ARRAY(sa.Text))),
            hold.c.kind.in_(kinds),
            hold.c.state == "open",
        )
        .outerjoin(receipt, receipt.c.id == document.c.receipt_id)
        # What has no number of its sender's goes in the order in which it came.
        .order_by(
            document.c.sequence,
            hold.c.opened_at,
            receipt.c.received_at,
            receipt.c.id,
            document.c.position,
        )
    )
    return list(result.mappings())
