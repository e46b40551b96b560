"""Dead letters in the ledger: what replaying one from its receipt needs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.ledger.arrays import among
from hub.ledger.tables import dead_letter, document, letter_edit, receipt

SUPERSEDED = "superseded"
"""The state of a failed document that was replayed: another row stands for it now."""


async def lock_replaying(
    connection: AsyncConnection, letters: Iterable[str]
) -> Sequence[sa.RowMapping]:
    """Lock those of the letters that are being replayed, in the order of their ids."""
    result = await connection.execute(
        sa.select(dead_letter)
        .where(among(dead_letter.c.id, sorted(set(letters))), dead_letter.c.state == "replaying")
        .order_by(dead_letter.c.id)
        .with_for_update()
    )
    return result.mappings().all()


def _line(receipts: Iterable[str | None]) -> sa.CTE:
    """Return (last, id): each receipt, what it replays, what that replayed, back to the first."""
    mine = sa.select(receipt.c.id.label("last"), receipt.c.id.label("id"))
    line = mine.where(among(receipt.c.id, sorted({each for each in receipts if each}))).cte(
        "line", recursive=True
    )
    earlier = receipt.c.facts["replay_of"].astext
    return line.union(
        sa.select(line.c.last, earlier)
        .join(receipt, receipt.c.id == line.c.id)
        .where(earlier.is_not(None))
    )


async def documents_of(
    connection: AsyncConnection, receipts: Iterable[str | None]
) -> Sequence[sa.RowMapping]:
    """Return every document that came of these receipts, or of those that they replay.

    Columns: ``receipt_id`` (of the receipt given), ``id``, ``direction``, ``position``. Superseded
    documents are left out: others stand for them.
    """
    line = _line(receipts)
    columns = (document.c.id, document.c.direction, document.c.position)
    result = await connection.execute(
        sa.select(line.c.last.label("receipt_id"), *columns)
        .join(line, line.c.id == document.c.receipt_id)
        .where(document.c.state != SUPERSEDED)
    )
    return result.mappings().all()


async def letters_before(connection: AsyncConnection, receipts: Iterable[str | None]) -> list[str]:
    """Return the letters that these receipts replay, and those that came before them."""
    line = _line(receipts)
    told = receipt.c.facts["letter"].astext
    result = await connection.execute(
        sa.select(told).join(line, line.c.id == receipt.c.id).where(told.is_not(None))
    )
    return list(result.scalars())


async def close_replayed(
    connection: AsyncConnection, letters: Sequence[str], documents: Sequence[str], now: datetime
) -> None:
    """Close letters whose replays are decided; their failed documents are superseded."""
    if not letters:
        return
    await connection.execute(
        sa.update(document)
        .where(among(document.c.id, documents), document.c.state == "dead")
        .values(state=SUPERSEDED, settled_at=now)
    )
    await connection.execute(
        sa.update(dead_letter)
        .where(among(dead_letter.c.id, letters))
        .values(state="replayed", closed_at=now)
    )


async def to_resubmit(connection: AsyncConnection, limit: int) -> Sequence[sa.RowMapping]:
    """Return letters whose receipt is to go through the pipeline again, the oldest first.

    Columns: ``letter``, ``replays``, ``position``, and those of the receipt; ``archive`` and
    ``sha256`` are of the bytes that a person corrected, where somebody did.
    """
    edited = {"archive": letter_edit.c.edited_archive, "sha256": letter_edit.c.edited_sha256}
    columns = [
        sa.func.coalesce(edited[each.name], each).label(each.name) if each.name in edited else each
        for each in receipt.c
    ]
    named = (dead_letter.c.id.label("letter"), dead_letter.c.replays, dead_letter.c.position)
    correction = sa.and_(
        letter_edit.c.id == dead_letter.c.edit_id, letter_edit.c.state == "accepted"
    )
    result = await connection.execute(
        sa.select(*named, *columns)
        .join(receipt, receipt.c.id == dead_letter.c.receipt_id)
        .outerjoin(letter_edit, correction)
        .where(dead_letter.c.state == "replaying", dead_letter.c.delivery_id.is_(None))
        .order_by(dead_letter.c.opened_at, dead_letter.c.id)
        .limit(limit)
    )
    return result.mappings().all()


async def edited_of(connection: AsyncConnection, edit_id: str | None) -> tuple[str, str] | None:
    """Return place and sha256 of the bytes that a correction made; None: there is none."""
    if edit_id is None:
        return None
    columns = (letter_edit.c.edited_archive, letter_edit.c.edited_sha256)
    counts = letter_edit.c.id == edit_id, letter_edit.c.state == "accepted"
    row = (await connection.execute(sa.select(*columns).where(*counts))).first()
    return None if row is None else (row.edited_archive, row.edited_sha256)


async def reopen(connection: AsyncConnection, letter: str) -> None:
    """Open a letter again whose replay could not even begin."""
    await connection.execute(
        sa.update(dead_letter)
        .where(dead_letter.c.id == letter, dead_letter.c.state == "replaying")
        .values(state="open")
    )
