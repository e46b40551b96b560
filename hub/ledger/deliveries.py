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

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.ledger.arrays import among
from hub.ledger.delivery_rows import Claim, Claimed, DeliveryRow, DocumentRow, Tries, Wanted
from hub.ledger.tables import attempt, delivery, document, pause

WAITING_BEHIND = "waiting_behind"
WAITING_FOR_TARGET = "waiting_for_target"
WAITING = (WAITING_BEHIND, WAITING_FOR_TARGET)
_RECHECK, _LONGEST_RECHECK = timedelta(minutes=10), timedelta(hours=1)
"""Settling wakes what waits; this only heals what was changed by other means. Twenty thousand that
waited for a target that was down came due every half a minute, and stood before what was fresh."""
_WINDOW = 4
"""Rows looked at for every row wanted: some of them wait, some share a key."""


_DELIVERY_FIELDS = tuple(field.name for field in fields(DeliveryRow))
_DOCUMENT_FIELDS = tuple(field.name for field in fields(DocumentRow))
_ANY = 2**31 - 1


def _texts(name: str) -> sa.BindParameter[Any]:
    kind: sa.types.TypeEngine[Any] = ARRAY(sa.Text)
    return sa.bindparam(name, type_=kind)


def _due(state: str, clock: sa.Column[datetime], *, yields: bool) -> sa.Select[*tuple[Any, ...]]:
    """Select what is due of one state, live or replayed: each state has an index range of its own.

    What is replayed passes no other filter in vain: replay jobs make few letters due at a time.
    """
    columns = [delivery.c[name] for name in _DELIVERY_FIELDS]
    mine = pause.c.target == sa.bindparam("target")
    paused = sa.exists().where(mine, pause.c.until > sa.bindparam("now"))
    return (
        sa.select(*columns, clock.label("due_at"))
        .where(
            delivery.c.target == sa.bindparam("target"),
            delivery.c.state == state,
            clock <= sa.bindparam("now"),
            delivery.c.business_key != sa.all_(_texts("busy")),
            delivery.c.attempts <= sa.bindparam("tried"),
            delivery.c.yields == sa.literal_column(str(yields).lower()),
            sa.not_(paused),
        )
        .order_by(clock)
        .limit(sa.bindparam("most_yielding" if yields else "most", type_=sa.Integer))
        .with_for_update(skip_locked=True)
    )


def _all_due() -> sa.Select[*tuple[Any, ...]]:
    kinds = (
        ("pending", delivery.c.next_at),
        ("in_doubt", delivery.c.next_at),
        ("in_doubt", delivery.c.claimed_until),
        ("in_flight", delivery.c.claimed_until),
    )
    parts = [
        _due(state, clock, yields=yields).cte(f"due{i}{'y' * yields}")
        for i, (state, clock) in enumerate(kinds)
        for yields in (False, True)
    ]
    rows = sa.union_all(*(sa.select(part) for part in parts)).subquery()
    # Rows of one order that two processes lock at once are judged by one of them: each would see
    # the other's as they were before.
    name = sa.func.concat(rows.c.target, " ", rows.c.reference)
    turn = sa.func.pg_try_advisory_xact_lock(sa.func.hashtextextended(name, 0))
    return sa.select(rows, turn.label("turn")).order_by(rows.c.yields, rows.c.due_at, rows.c.id)


def made_good(row: sa.FromClause) -> sa.ColumnElement[bool]:
    """Whether `row` is dead or given up, and was delivered on another occasion."""
    other = delivery.alias()
    elsewhere = sa.exists().where(
        other.c.document_id == row.c.document_id,
        other.c.target == row.c.target,
        other.c.action == row.c.action,
        other.c.state == "delivered",
    )
    return sa.and_(row.c.state.in_(("dead", "cancelled")), elsewhere)


def at_rest_for_good(row: sa.FromClause) -> sa.ColumnElement[bool]:
    """Whether `row` stands in nobody's way: at rest, or dead and made good on another occasion."""
    return sa.or_(row.c.state.in_(("delivered", "cancelled")), made_good(row))


def _behind(mine: sa.FromClause, other: sa.FromClause) -> sa.ColumnElement[bool]:
    """Whether `other` must be settled before `mine` may be called.

    An earlier version of the same business key, or the same thing on another occasion that was
    asked for first.
    """
    earlier = sa.and_(other.c.version < mine.c.version, sa.not_(at_rest_for_good(other)))
    first = sa.tuple_(other.c.created_at, other.c.id) < sa.tuple_(mine.c.created_at, mine.c.id)
    twin = sa.and_(
        other.c.document_id == mine.c.document_id,
        other.c.action == mine.c.action,
        other.c.state == "pending",
        first,
    )
    return sa.and_(
        other.c.business_key == mine.c.business_key,
        other.c.target == mine.c.target,
        other.c.id != mine.c.id,
        sa.or_(earlier, twin),
    )


def _has_the_turn(mine: sa.FromClause, other: sa.FromClause) -> sa.ColumnElement[bool]:
    """Whether `other` is under way for the same order (our reference) at the same target.

    What is done to one order takes turns, whichever process does it: a target may not be able to
    take a shipment while it changes the order.
    """
    return sa.and_(
        other.c.reference == mine.c.reference,
        other.c.target == mine.c.target,
        other.c.id != mine.c.id,
        other.c.state.in_(("in_flight", "in_doubt")),
    )


def _all_obstacles() -> sa.Select[*tuple[Any, ...]]:
    mine, other, before = delivery.alias("mine"), delivery.alias("other"), delivery.alias("before")
    earlier = sa.select(other.c.id).where(_behind(mine, other)).order_by(other.c.version).limit(1)
    busy = sa.select(other.c.id).where(_has_the_turn(mine, other)).limit(1)
    blocker = sa.func.coalesce(earlier.scalar_subquery(), busy.scalar_subquery())
    ready = sa.exists().where(
        before.c.document_id == mine.c.document_id,
        before.c.target == mine.c.after_target,
        before.c.state == "delivered",
    )
    return sa.select(
        mine.c.id,
        blocker.label("blocker"),
        sa.case((sa.not_(ready), mine.c.after_target)).label("awaited"),
    ).where(mine.c.id == sa.any_(_texts("ids")))


def _taking() -> sa.Select[*tuple[Any, ...]]:
    """Take deliveries and select their documents, in one statement."""
    was_waiting = delivery.c.code.in_(WAITING)
    taken = (
        sa.update(delivery)
        .where(delivery.c.id == sa.any_(_texts("ids")))
        .values(
            state=sa.case((delivery.c.state == "in_doubt", "in_doubt"), else_="in_flight"),
            claim_token=sa.bindparam("token"),
            claimed_until=sa.bindparam("until"),
            next_at=None,
            code=sa.case((was_waiting, None), else_=delivery.c.code),
            place=sa.case((was_waiting, None), else_=delivery.c.place),
        )
        .returning(delivery.c.id)
        .cte("taken")
    )
    documents = sa.select(*(document.c[name] for name in _DOCUMENT_FIELDS))
    return documents.where(document.c.id == sa.any_(_texts("documents"))).add_cte(taken)


# Built once: putting these together costs more than running them.
_DUE = _all_due()
_OBSTACLES = _all_obstacles()
_TAKE = _taking()


def again_at(name: str, created_at: datetime, now: datetime) -> datetime:
    """Return when to look again at a delivery that waits for another one, if nothing wakes it.

    The longer it has waited, the later; spread by its id, as thousands may come to wait at once.
    """
    waited = min(max(_RECHECK, now - created_at), _LONGEST_RECHECK)
    return now + waited * (0.5 + zlib.crc32(name.encode()) / 2**32)


async def claim(conn: AsyncConnection, wanted: Wanted, now: datetime) -> Claimed:
    """Claim due deliveries that nothing stands in the way of.

    The rows are locked first and judged by a second statement: what was settled while the lock
    was awaited is seen, so that no waking is lost (READ COMMITTED).
    """
    locked, taken = await _lock_due(conn, wanted, now)
    if not locked:
        return Claimed(waiting=taken)
    obstacles = await _obstacles(conn, locked)
    chosen = _choose((row for row in locked if row.id not in obstacles), wanted)
    claims = await _take(conn, chosen, wanted)
    if obstacles:
        await _park(conn, [row for row in locked if row.id in obstacles], obstacles, now)
    return Claimed(claims, len(obstacles) + taken)


def _choose(rows: Iterable[DeliveryRow], wanted: Wanted) -> list[DeliveryRow]:
    """Return the first of each business key and of each order, the live ones first."""
    chosen: list[DeliveryRow] = []
    taken: set[tuple[str, str]] = set()
    yielding = wanted.most_yielding
    for row in rows:
        marks = {("key", row.business_key), ("order", row.reference)}
        room = len(chosen) < wanted.limit and (yielding > 0 or not row.yields)
        if room and not marks & taken:
            chosen.append(row)
            taken |= marks
            yielding -= row.yields
    return chosen


async def _lock_due(
    conn: AsyncConnection, wanted: Wanted, now: datetime
) -> tuple[list[DeliveryRow], int]:
    """Lock what is due, leaving out what others have locked.

    Returns:
        The rows, and how many more belong to orders that another process is claiming just now.

    """
    found = await conn.execute(
        _DUE,
        {
            "target": wanted.target,
            "now": now,
            "busy": list(wanted.busy),
            "tried": 0 if wanted.fresh_only else _ANY,
            "most": wanted.limit * _WINDOW,
            "most_yielding": wanted.most_yielding * _WINDOW,
        },
    )
    rows = list(found.mappings())
    ours = [row for row in rows if row["turn"]]
    locked = [DeliveryRow(**{name: row[name] for name in _DELIVERY_FIELDS}) for row in ours]
    return locked, len(rows) - len(ours)


async def _obstacles(
    conn: AsyncConnection, rows: Sequence[DeliveryRow]
) -> dict[str, tuple[str, str]]:
    """Return, for each row that must wait, the waiting code and what it waits for.

    What is in doubt passed here before its call and is never held back from asking.
    """
    fresh = [row.id for row in rows if row.state != "in_doubt"]
    obstacles = {}
    for row in await conn.execute(_OBSTACLES, {"ids": fresh}):
        if row.blocker is not None:
            obstacles[row.id] = (WAITING_BEHIND, row.blocker)
        elif row.awaited is not None:
            obstacles[row.id] = (WAITING_FOR_TARGET, row.awaited)
    return obstacles


async def _take(
    conn: AsyncConnection, rows: Sequence[DeliveryRow], wanted: Wanted
) -> tuple[Claim, ...]:
    if not rows:
        return ()
    values = {
        "ids": [row.id for row in rows],
        "documents": [row.document_id for row in rows],
        "token": wanted.token,
        "until": wanted.until,
    }
    found = await conn.execute(_TAKE, values)
    documents = {row["id"]: DocumentRow(**row) for row in found.mappings()}
    tries = await _tries(conn, [row.id for row in rows if row.attempts])
    return tuple(
        Claim(row, wanted.token, documents.get(row.document_id), tries.get(row.id, Tries()))
        for row in rows
    )


async def _park(
    conn: AsyncConnection,
    rows: Sequence[DeliveryRow],
    obstacles: Mapping[str, tuple[str, str]],
    now: datetime,
) -> None:
    await conn.execute(
        sa.update(delivery)
        .where(delivery.c.id == sa.bindparam("which"))
        .values(
            state="pending",
            code=sa.bindparam("why"),
            place=sa.bindparam("behind"),
            next_at=sa.bindparam("again"),
            claim_token=None,
            claimed_until=None,
        ),
        [
            {
                "which": row.id,
                "why": obstacles[row.id][0],
                "behind": obstacles[row.id][1],
                "again": again_at(row.id, row.created_at, now),
            }
            for row in rows
        ],
    )


async def _tries(conn: AsyncConnection, ids: Sequence[str]) -> dict[str, Tries]:
    if not ids:
        return {}
    outcome, count = attempt.c.outcome, sa.func.count()
    last = attempt.alias("last")
    died = sa.func.coalesce(sa.func.max(last.c.n), 0)
    was_dead = last.c.delivery_id == attempt.c.delivery_id, last.c.outcome == "dead"
    replayed_from = sa.select(died).where(*was_dead).correlate(attempt).scalar_subquery()
    found = await conn.execute(
        sa.select(
            attempt.c.delivery_id,
            sa.func.min(attempt.c.started_at).label("first_at"),
            count.filter(outcome.in_(("retry", "deferred", "in_doubt"))).label("failures"),
            count.filter(outcome == "ask_failed").label("asks"),
            count.filter(attempt.c.ended_at.is_(None)).label("deaths"),
        )
        .where(among(attempt.c.delivery_id, ids), attempt.c.n > replayed_from)
        .group_by(attempt.c.delivery_id)
    )
    return {
        row.delivery_id: Tries(row.first_at, row.failures, row.asks, row.deaths) for row in found
    }
