"""Control numbers: ISA13 and GS06 of what we send, kept per (sender, receiver, usage).

A document keeps its number and moment over all attempts: a resend is the same interchange, byte for
byte where the mapping is the same. Numbers of a scope rise by one without holes and go from
999999999 back to 1 (X12 I12, element 28: nine digits at most).
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.base import Numbers
from hub.ledger.tables import control_counter, control_number

LAST = 999_999_999

_RETIRED = "#"
"""Stands between a key and the number that it no longer has."""


def key_of(reference: str, action: str, version: int) -> str:
    """Return under what a delivery's numbers are kept.

    Not the delivery's id: a replay, and the answer to a retransmission, is the same document to
    the partner and keeps its numbers.
    """
    return f"{reference}/{action}/{version}"


async def allocate(
    conn: AsyncConnection, scope: str, key: str, target: str, now: datetime
) -> Numbers:
    """Return the numbers of `key` in `scope`: the same as the first time, or the next ones.

    In the caller's transaction: rolled back, the number is free again. Callers of one scope wait
    for one another from here to their commit.
    """
    known = await _known(conn, scope, key)
    if known is not None:
        return known
    first = insert(control_counter).values(scope=scope, next=1).on_conflict_do_nothing()
    await conn.execute(first)
    counter = sa.select(control_counter.c.next).where(control_counter.c.scope == scope)
    number = (await conn.execute(counter.with_for_update())).scalar_one()
    # Somebody may have numbered the same key while the lock was awaited.
    known = await _known(conn, scope, key)
    if known is not None:
        return known
    await conn.execute(
        sa.update(control_counter)
        .where(control_counter.c.scope == scope)
        .values(next=1 if number >= LAST else number + 1)
    )
    await conn.execute(
        sa.insert(control_number).values(scope=scope, key=key, target=target, number=number, at=now)
    )
    return Numbers(interchange=number, group=number, at=now)


async def retire(conn: AsyncConnection, scope: str, key: str, number: int) -> None:
    """Let the next try of a document have a number of its own: its partner refused this one.

    The row stays, under a key that nothing is allocated for: late answers still find it.
    """
    await conn.execute(
        sa.update(control_number)
        .where(
            control_number.c.scope == scope,
            control_number.c.key == key,
            control_number.c.number == number,
        )
        .values(key=f"{key}{_RETIRED}{number}")
    )


async def _known(conn: AsyncConnection, scope: str, key: str) -> Numbers | None:
    found = await conn.execute(
        sa.select(control_number.c.number, control_number.c.at).where(
            control_number.c.scope == scope, control_number.c.key == key
        )
    )
    row = found.one_or_none()
    return None if row is None else Numbers(interchange=row.number, group=row.number, at=row.at)
