"""Claiming deliveries: a few statements in the caller's transaction.

The ledger is the queue. A row that is not at rest has exactly one of two clocks:

==========  =================  =============================================================
state       clock              means
==========  =================  =============================================================
pending     ``next_at``        may be claimed from then on
in_flight   ``claimed_until``  claimed; the target has not been called
in_doubt    ``claimed_until``  a call is under way, or its process died
in_doubt    ``next_at``        the answer was lost: the target is to be asked from then on
==========  =================  =============================================================

``delivered``, ``dead`` and ``cancelled`` are at rest. Every claim has a token; whoever comes back
with a token that is no longer the row's is refused (`settlements`). Waiting codes: ``waiting_behind`` (`place`: the delivery in the
way), ``waiting_for_target`` (`place`: the target).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.ledger.delivery_rows import Claim, Claimed, DeliveryRow, DocumentRow, Tries, Wanted
from hub.ledger.tables import attempt, delivery, document

WAITING_BEHIND = "waiting_behind"
WAITING_FOR_TARGET = "waiting_for_target"
WAITING = (WAITING_BEHIND, WAITING_FOR_TARGET)
_RECHECK = timedelta(seconds=30)
"""Settling wakes what waits; this only heals what was changed by other means."""
_WINDOW = 4
"""Rows looked at for every row wanted: some of them wait, some share a key."""


async def claim(conn: AsyncConnection, wanted: Wanted, now: datetime) -> Claimed:
    """Claim due deliveries that nothing stands in the way of.

    The rows are locked first and judged by a second statement: what was settled while the lock
    was awaited is seen, so that no waking is lost (READ COMMITTED).
    """
    locked = await _lock_due(conn, wanted, now)
    if not locked:
        return Claimed()
    obstacles = await _obstacles(conn, locked)
    chosen: dict[str, DeliveryRow] = {}
    for row in locked:
        if row.id not in obstacles and len(chosen) < wanted.limit:
            chosen.setdefault(row.business_key, row)
    if chosen:
        await _take(conn, list(chosen.values()), wanted)
    if obstacles:
        await _park(conn, obstacles, now)
    return Claimed(await _claims(conn, list(chosen.values()), wanted.token), len(obstacles))


async def _lock_due(conn: AsyncConnection, wanted: Wanted, now: datetime) -> list[DeliveryRow]:
    """Lock what is due, each kind by its own index range, leaving out what others have locked."""
    kinds = [
        _due("pending", delivery.c.next_at, wanted, now),
        _due("in_doubt", delivery.c.next_at, wanted, now),
        _due("in_doubt", delivery.c.claimed_until, wanted, now),
        _due("in_flight", delivery.c.claimed_until, wanted, now),
    ]
    parts = [kind.cte(f"due{i}") for i, kind in enumerate(kinds)]
    rows = sa.union_all(*(sa.select(part) for part in parts)).subquery()
    found = await conn.execute(sa.select(rows).order_by(rows.c.due_at, rows.c.id))
    names = [field.name for field in fields(DeliveryRow)]
    return [DeliveryRow(**{name: row[name] for name in names}) for row in found.mappings()]


def _due(
    state: str, clock: sa.Column[datetime], wanted: Wanted, now: datetime
) -> sa.Select[*tuple[Any, ...]]:
    columns = [delivery.c[field.name] for field in fields(DeliveryRow)]
    query = sa.select(*columns, clock.label("due_at")).where(
        delivery.c.target == wanted.target, delivery.c.state == state, clock <= now
    )
    if wanted.busy:
        query = query.where(delivery.c.business_key.not_in(wanted.busy))
    if wanted.fresh_only:
        query = query.where(delivery.c.attempts == 0)
    limit = wanted.limit * _WINDOW
    return query.order_by(clock).limit(limit).with_for_update(skip_locked=True)


def at_rest_for_good(row: sa.FromClause) -> sa.ColumnElement[bool]:
    """Whether `row` stands in nobody's way: at rest, or dead and made good on another occasion."""
    other = delivery.alias()
    made_good = sa.exists().where(
        other.c.document_id == row.c.document_id,
        other.c.target == row.c.target,
        other.c.action == row.c.action,
        other.c.state == "delivered",
    )
    return sa.or_(
        row.c.state.in_(("delivered", "cancelled")), sa.and_(row.c.state == "dead", made_good)
    )


def _behind(mine: sa.FromClause, other: sa.FromClause) -> sa.ColumnElement[bool]:
    """Whether `other` must be settled before `mine` may be called.

    An earlier version of the same business key; or the same thing on another occasion that is
    under way or was asked for first: two of them never run at once.
    """
    earlier = sa.and_(other.c.version < mine.c.version, sa.not_(at_rest_for_good(other)))
    first = sa.tuple_(other.c.created_at, other.c.id) < sa.tuple_(mine.c.created_at, mine.c.id)
    twin = sa.and_(
        other.c.document_id == mine.c.document_id,
        other.c.action == mine.c.action,
        other.c.id != mine.c.id,
        sa.or_(
            other.c.state.in_(("in_flight", "in_doubt")),
            sa.and_(other.c.state == "pending", first),
        ),
    )
    return sa.and_(
        other.c.business_key == mine.c.business_key,
        other.c.target == mine.c.target,
        sa.or_(earlier, twin),
    )


async def _obstacles(
    conn: AsyncConnection, rows: Sequence[DeliveryRow]
) -> dict[str, tuple[str, str]]:
    """Return, for each row that must wait, the waiting code and what it waits for.

    What is in doubt passed here before its call and is never held back from asking.
    """
    mine, other, before = delivery.alias("mine"), delivery.alias("other"), delivery.alias("before")
    blocker = (
        sa.select(other.c.id).where(_behind(mine, other)).order_by(other.c.version).limit(1)
    ).scalar_subquery()
    ready = sa.exists().where(
        before.c.document_id == mine.c.document_id,
        before.c.target == mine.c.after_target,
        before.c.state == "delivered",
    )
    fresh = [row.id for row in rows if row.state != "in_doubt"]
    found = await conn.execute(
        sa.select(
            mine.c.id,
            blocker.label("blocker"),
            sa.case((sa.not_(ready), mine.c.after_target)).label("awaited"),
        ).where(mine.c.id.in_(fresh))
    )
    obstacles = {}
    for row in found:
        if row.blocker is not None:
            obstacles[row.id] = (WAITING_BEHIND, row.blocker)
        elif row.awaited is not None:
            obstacles[row.id] = (WAITING_FOR_TARGET, row.awaited)
    return obstacles


async def _take(conn: AsyncConnection, rows: Sequence[DeliveryRow], wanted: Wanted) -> None:
    was_waiting = delivery.c.code.in_(WAITING)
    await conn.execute(
        sa.update(delivery)
        .where(delivery.c.id.in_([row.id for row in rows]))
        .values(
            state=sa.case((delivery.c.state == "in_doubt", "in_doubt"), else_="in_flight"),
            claim_token=wanted.token,
            claimed_until=wanted.until,
            next_at=None,
            code=sa.case((was_waiting, None), else_=delivery.c.code),
            place=sa.case((was_waiting, None), else_=delivery.c.place),
        )
    )


async def _park(
    conn: AsyncConnection, obstacles: dict[str, tuple[str, str]], now: datetime
) -> None:
    await conn.execute(
        sa.update(delivery)
        .where(delivery.c.id == sa.bindparam("which"))
        .values(
            state="pending",
            code=sa.bindparam("why"),
            place=sa.bindparam("behind"),
            next_at=now + _RECHECK,
            claim_token=None,
            claimed_until=None,
        ),
        [{"which": which, "why": why, "behind": on} for which, (why, on) in obstacles.items()],
    )


async def _claims(
    conn: AsyncConnection, rows: Sequence[DeliveryRow], token: str
) -> tuple[Claim, ...]:
    if not rows:
        return ()
    columns = [document.c[field.name] for field in fields(DocumentRow)]
    wanted = document.c.id.in_([row.document_id for row in rows])
    found = (await conn.execute(sa.select(*columns).where(wanted))).mappings()
    documents = {row["id"]: DocumentRow(**row) for row in found}
    tries = await _tries(conn, [row.id for row in rows if row.attempts])
    return tuple(
        Claim(row, token, documents.get(row.document_id), tries.get(row.id, Tries()))
        for row in rows
    )


async def _tries(conn: AsyncConnection, ids: Sequence[str]) -> dict[str, Tries]:
    if not ids:
        return {}
    outcome, count = attempt.c.outcome, sa.func.count()
    found = await conn.execute(
        sa.select(
            attempt.c.delivery_id,
            sa.func.min(attempt.c.started_at).label("first_at"),
            count.filter(outcome.in_(("retry", "in_doubt"))).label("failures"),
            count.filter(outcome == "ask_failed").label("asks"),
            count.filter(attempt.c.ended_at.is_(None)).label("deaths"),
        )
        .where(attempt.c.delivery_id.in_(ids))
        .group_by(attempt.c.delivery_id)
    )
    return {
        row.delivery_id: Tries(row.first_at, row.failures, row.asks, row.deaths) for row in found
    }
