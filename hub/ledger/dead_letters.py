"""Dead letters in the ledger: what replaying one from its receipt needs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.ledger.tables import dead_letter, document, receipt

SUPERSEDED = "superseded"
"""The state of a failed document that was replayed: another row stands for it now."""


async def lock_replaying(
    connection: AsyncConnection, letters: Iterable[str]
) -> Sequence[sa.RowMapping]:
    """Lock those of the letters that are being replayed, in the order of their ids."""
    result = await connection.execute(
        sa.select(dead_letter)
        .where(dead_letter.c.id.in_(sorted(set(letters))), dead_letter.c.state == "replaying")
        .order_by(dead_letter.c.id)
        .with_for_update()
    )
    return result.mappings().all()


async def documents_of(
    connection: AsyncConnection, receipts: Iterable[str]
) -> Sequence[sa.RowMapping]:
    """Return (receipt_id, id, direction, position) of every document of these receipts."""
    columns = (document.c.receipt_id, document.c.id, document.c.direction, document.c.position)
    result = await connection.execute(
        sa.select(*columns).where(document.c.receipt_id.in_(sorted(set(receipts))))
    )
    return result.mappings().all()


async def close_replayed(
    connection: AsyncConnection, letters: Sequence[str], documents: Sequence[str], now: datetime
) -> None:
    """Close letters whose replays are decided; their failed documents are superseded."""
    if not letters:
        return
    await connection.execute(
        sa.update(document)
        .where(document.c.id.in_(documents), document.c.state == "dead")
        .values(state=SUPERSEDED, settled_at=now)
    )
    await connection.execute(
        sa.update(dead_letter)
        .where(dead_letter.c.id.in_(letters))
        .values(state="replayed", closed_at=now)
    )


async def to_resubmit(connection: AsyncConnection, limit: int) -> Sequence[sa.RowMapping]:
    """Return letters whose receipt is to go through the pipeline again, the oldest first.

    Columns: ``letter``, ``replays``, ``position``, and those of the receipt.
    """
    result = await connection.execute(
        sa.select(
            dead_letter.c.id.label("letter"), dead_letter.c.replays, dead_letter.c.position, receipt
        )
        .join(receipt, receipt.c.id == dead_letter.c.receipt_id)
        .where(dead_letter.c.state == "replaying", dead_letter.c.delivery_id.is_(None))
        .order_by(dead_letter.c.opened_at, dead_letter.c.id)
        .limit(limit)
    )
    return result.mappings().all()


async def reopen(connection: AsyncConnection, letter: str) -> None:
    """Open a letter again whose replay could not even begin."""
    await connection.execute(
        sa.update(dead_letter)
        .where(dead_letter.c.id == letter, dead_letter.c.state == "replaying")
        .values(state="open")
    )
