"""Replay jobs in the ledger: a few bounded statements in the caller's transaction.

A job's items are its letters in the order in which they go. Item states: ``waiting``, ``begun``,
``ended``; a letter is in at most one unfinished item, which a unique index sees to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.ledger.arrays import among
from hub.ledger.deliveries import WAITING
from hub.ledger.tables import dead_letter, delivery, replay_item, replay_job

Row = Mapping[str, Any]

CANCELLED = "cancelled"
NOT_BEGUN = "not_begun"
OVER = {"cancelled": CANCELLED, "stopped": NOT_BEGUN, "refused": NOT_BEGUN}
"""States in which nothing more of a job begins -> what what has not begun has come to."""
WORKING = ("canary", "running", *OVER)
"""States in which a job that has not ended has something to do or to follow."""
MOST_ENDED = 5000
"""Items that one statement ends: a job of 100,000 is cancelled at once, and tidied up in steps."""

# Written out, and not bound: PostgreSQL takes a partial index only for words that it can see.
_UNFINISHED = replay_item.c.state != sa.literal_column("'ended'")


async def choose(connection: AsyncConnection, job_id: str, chosen: sa.Select[Any]) -> int:
    """Write the items of a job; letters that wait in another job are left out. Return how many.

    Args:
        connection: inside a transaction.
        job_id: the job's.
        chosen: selects `dead_letter` rows, limited and in order.
    """
    letters = chosen.subquery()
    order = sa.func.row_number().over(order_by=(letters.c.opened_at, letters.c.id))
    again = letters.c.delivery_id.is_(None)
    rows = sa.select(
        sa.literal(job_id),
        order,
        letters.c.id,
        sa.func.coalesce(letters.c.business_key, letters.c.id),
        sa.case((again, ""), else_=sa.func.coalesce(letters.c.target, "")),
        sa.literal("waiting"),
    )
    names = ["job_id", "seq", "letter_id", "lane", "target", "state"]
    result = await connection.execute(
        insert(replay_item).from_select(names, rows).on_conflict_do_nothing()
    )
    return result.rowcount


async def mark_canary(connection: AsyncConnection, job_id: str, count: int) -> None:
    """Mark the first so many items as the ones that go before all others."""
    first = (
        sa.select(replay_item.c.seq)
        .where(replay_item.c.job_id == job_id)
        .order_by(replay_item.c.seq)
        .limit(count)
    )
    await connection.execute(
        sa.update(replay_item)
        .where(replay_item.c.job_id == job_id, replay_item.c.seq.in_(first))
        .values(canary=True)
    )


async def worth(connection: AsyncConnection, job_id: str) -> tuple[dict[str, str], list[str]]:
    """Return what a job's letters are worth, by currency, and the targets they go to."""
    result = await connection.execute(
        sa.select(dead_letter.c.currency, sa.func.sum(dead_letter.c.amount))
        .join(replay_item, replay_item.c.letter_id == dead_letter.c.id)
        .where(replay_item.c.job_id == job_id, dead_letter.c.amount.is_not(None))
        .group_by(dead_letter.c.currency)
        .order_by(dead_letter.c.currency)
    )
    money = {currency or "": format(amount.normalize(), "f") for currency, amount in result}
    found = await connection.execute(
        sa.select(replay_item.c.target).where(replay_item.c.job_id == job_id).distinct()
    )
    return money, sorted(found.scalars())


async def unfinished(connection: AsyncConnection) -> Sequence[str]:
    """Return the ids of the jobs with something to do, the oldest first."""
    result = await connection.execute(
        sa.select(replay_job.c.id)
        .where(replay_job.c.ended_at.is_(None), replay_job.c.state.in_(WORKING))
        .order_by(replay_job.c.requested_at)
    )
    return result.scalars().all()


async def lock(connection: AsyncConnection, job_id: str, *, wait: bool = True) -> Row | None:
    """Lock a job until the transaction ends; None: there is none, or somebody else has it."""
    query = sa.select(replay_job).where(replay_job.c.id == job_id)
    row = (await connection.execute(query.with_for_update(skip_locked=not wait))).mappings().first()
    return None if row is None else dict(row)


async def change(connection: AsyncConnection, job_id: str, **values: Any) -> None:
    """Write a job's new values."""
    await connection.execute(
        sa.update(replay_job).where(replay_job.c.id == job_id).values(**values)
    )


async def begun(connection: AsyncConnection, job_id: str) -> Sequence[sa.RowMapping]:
    """Return the items that are on their way."""
    result = await connection.execute(
        sa.select(replay_item).where(
            replay_item.c.job_id == job_id, _UNFINISHED, replay_item.c.state == "begun"
        )
    )
    return result.mappings().all()


async def next_items(
    connection: AsyncConnection, job: Row, target: str, busy: Sequence[str], limit: int
) -> list[Row]:
    """Return the next items to one target, the oldest first, at most one of each lane.

    Args:
        connection: to the ledger.
        job: its row; in state ``canary`` only canaries go.
        target: "" for what goes through the pipeline again.
        busy: lanes of which an item is on its way.
        limit: at most so many.
    """
    lanes = sa.literal(list(busy), ARRAY(sa.Text))
    wanted = [
        replay_item.c.job_id == job["id"],
        _UNFINISHED,
        replay_item.c.state == "waiting",
        replay_item.c.target == target,
        replay_item.c.lane != sa.all_(lanes),
    ]
    if job["state"] == "canary":
        wanted.append(replay_item.c.canary)
    query = sa.select(replay_item).where(*wanted).order_by(replay_item.c.seq).limit(limit * 4)
    first: dict[str, Row] = {}
    for row in (await connection.execute(query)).mappings():
        first.setdefault(row["lane"], dict(row))
    return list(first.values())[:limit]


async def is_behind(connection: AsyncConnection, target: str, since: datetime) -> bool:
    """Whether something live is due at a target since then, and nobody has come to it."""
    waits = delivery.c.code.in_(WAITING)
    due = (delivery.c.target == target, delivery.c.state == "pending", delivery.c.next_at <= since)
    live = (sa.not_(delivery.c.yields), sa.not_(sa.func.coalesce(waits, sa.false())))
    return bool(await connection.scalar(sa.select(sa.exists().where(*due, *live))))


async def mark_begun(
    connection: AsyncConnection, job_id: str, letters: Sequence[str], now: datetime
) -> None:
    """Say that the replays of these letters have begun."""
    await connection.execute(
        sa.update(replay_item)
        .where(replay_item.c.job_id == job_id, _UNFINISHED, among(replay_item.c.letter_id, letters))
        .values(state="begun", begun_at=now)
    )


async def end(
    connection: AsyncConnection, job_id: str, outcomes: Sequence[Row], now: datetime
) -> None:
    """Write the outcomes of items: rows with ``letter_id`` and the columns of an outcome."""
    names = ("letter_id", "outcome", "code", "place", "detail", "new_letter")
    arrays = [[row[name] for row in outcomes] for name in names]
    await connection.execute(
        sa.text(
            "UPDATE replay_item SET state = 'ended', outcome = t.outcome, code = t.code,"
            " place = t.place, detail = t.detail, new_letter = t.new_letter, ended_at = :now"
            " FROM unnest(cast(:a AS text[]), cast(:b AS text[]), cast(:c AS text[]),"
            " cast(:d AS text[]), cast(:e AS text[]), cast(:f AS text[]))"
            " AS t(letter_id, outcome, code, place, detail, new_letter)"
            " WHERE replay_item.job_id = :job AND replay_item.letter_id = t.letter_id"
            " AND replay_item.state <> 'ended'"
        ),
        dict(zip("abcdef", arrays, strict=True)) | {"job": job_id, "now": now},
    )


async def end_waiting(
    connection: AsyncConnection,
    job_id: str,
    outcome: tuple[str, str],
    now: datetime,
    lanes: Iterable[str] | None = None,
) -> int:
    """End what has not begun, with an outcome and a code: all of some lanes, or the next few.

    Without lanes no more than `MOST_ENDED` at once; return how many.
    """
    waiting = (replay_item.c.job_id == job_id, _UNFINISHED, replay_item.c.state == "waiting")
    query = sa.update(replay_item).where(*waiting)
    if lanes is None:
        some = sa.select(replay_item.c.seq).where(*waiting).limit(MOST_ENDED)
        # An array is made once, and its rows looked up; a join would be planned without statistics.
        query = query.where(replay_item.c.seq == sa.any_(sa.func.array(some.scalar_subquery())))
    else:
        query = query.where(among(replay_item.c.lane, lanes))
    values = {"state": "ended", "outcome": outcome[0], "code": outcome[1], "ended_at": now}
    return (await connection.execute(query.values(**values))).rowcount


async def waiting(connection: AsyncConnection, job_id: str) -> int:
    """Return how many items of a job have not begun."""
    wanted = (replay_item.c.job_id == job_id, _UNFINISHED, replay_item.c.state == "waiting")
    query = sa.select(sa.func.count()).select_from(replay_item).where(*wanted)
    return int(await connection.scalar(query) or 0)


async def free(connection: AsyncConnection, now: datetime) -> None:
    """End at once what waits in jobs that are over, so that other jobs may have its letters."""
    over = sa.select(replay_job.c.id, replay_job.c.state, replay_job.c.code).where(
        replay_job.c.ended_at.is_(None), replay_job.c.state.in_(OVER)
    )
    # Locked before their items, as every step of a job does.
    for job in await connection.execute(over.order_by(replay_job.c.id).with_for_update()):
        outcome = (OVER[job.state], job.code or "")
        while await end_waiting(connection, job.id, outcome, now):
            pass


def standing(job: sa.FromClause = replay_job) -> sa.ColumnElement[str]:
    """Return how an item of `job` stands: its outcome, or the state before it."""
    over = sa.case(OVER, value=job.c.state, else_=replay_item.c.state)
    unbegun = sa.case((replay_item.c.state == "waiting", over), else_=replay_item.c.state)
    return sa.func.coalesce(replay_item.c.outcome, unbegun)


async def counts(connection: AsyncConnection, job_ids: Sequence[str]) -> dict[str, dict[str, int]]:
    """Return for each job how many items there are of each outcome, or state before it."""
    told = (replay_item.c.job_id, replay_item.c.outcome, replay_item.c.state)
    items = (
        sa.select(*told, sa.func.count().label("how_many"))
        .where(among(replay_item.c.job_id, job_ids))
        .group_by(*told)
        .subquery()
    )
    states = await connection.execute(
        sa.select(items, replay_job.c.state.label("job")).join(
            replay_job, replay_job.c.id == items.c.job_id
        )
    )
    found: dict[str, dict[str, int]] = {job_id: {} for job_id in job_ids}
    for row in states:
        word = row.outcome or (
            OVER.get(row.job, row.state) if row.state == "waiting" else row.state
        )
        found[row.job_id][word] = found[row.job_id].get(word, 0) + row.how_many
    return found


async def has_unfinished(connection: AsyncConnection, job_id: str, *, canary: bool) -> bool:
    """Whether an item (a canary) of the job has not ended."""
    wanted = [replay_item.c.job_id == job_id, _UNFINISHED]
    if canary:
        wanted.append(replay_item.c.canary)
    return bool(await connection.scalar(sa.select(sa.exists().where(*wanted))))


async def failed_canaries(connection: AsyncConnection, job_id: str) -> int:
    """Return how many canaries ended otherwise than well."""
    wanted = (
        replay_item.c.job_id == job_id,
        replay_item.c.canary,
        replay_item.c.state == "ended",
        replay_item.c.outcome != "replayed",
    )
    query = sa.select(sa.func.count()).select_from(replay_item).where(*wanted)
    return int(await connection.scalar(query) or 0)


async def add(connection: AsyncConnection, row: Row) -> None:
    """Write a new job."""
    await connection.execute(sa.insert(replay_job).values(**row))
