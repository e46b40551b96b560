"""What transports must remember of one message: AS2 receipts, and files about to be renamed.

A row is written before the effect that it guards: of two calls with one Message-ID, one wins, and
the other is answered with what the first was answered with.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.ledger.tables import attempt, exchange


class Key(NamedTuple):
    """Which message: of a connection, ``in`` or ``out``, by Message-ID or file name."""

    connection: str
    direction: str
    name: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A stored receipt: its headers and its bytes."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Exchange:
    """A message as it was first seen, and its receipt if there is one."""

    sha256: str
    subject: str
    answer: Answer | None
    answered_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Owed:
    """A receipt that is to be sent to an address."""

    key: Key
    url: str
    answer: Answer
    attempts: int
    """Tries so far, this one included."""


def _is(key: Key) -> sa.ColumnElement[bool]:
    return sa.and_(
        exchange.c.connection == key.connection,
        exchange.c.direction == key.direction,
        exchange.c.name == key.name,
    )


async def begin(
    connection: AsyncConnection, key: Key, sha256: str, subject: str, now: datetime
) -> Exchange:
    """Note a message, unless it is known; return what is known of it then."""
    row = {**key._asdict(), "sha256": sha256, "subject": subject, "created_at": now}
    await connection.execute(insert(exchange).values(**row).on_conflict_do_nothing())
    found = await find(connection, key)
    if found is None:
        raise LookupError("a row that was just written is gone")
    return found


async def find(connection: AsyncConnection, key: Key) -> Exchange | None:
    """Return what is known of a message."""
    row = (await connection.execute(sa.select(exchange).where(_is(key)))).mappings().first()
    if row is None:
        return None
    return Exchange(
        row["sha256"], row["subject"], _answer(row), row["answered_at"], row["created_at"]
    )


async def deaths(connection: AsyncConnection, delivery_id: str) -> int:
    """Return how often a delivery was given up so far: what is tried after that is a replay."""
    ended = attempt.c.delivery_id == delivery_id, attempt.c.outcome == "dead"
    query = sa.select(sa.func.count()).select_from(attempt).where(*ended)
    return (await connection.execute(query)).scalar_one()


def _answer(row: Mapping[Any, Any]) -> Answer | None:
    return None if row["answer"] is None else Answer(row["headers"] or {}, bytes(row["answer"]))


async def answer(connection: AsyncConnection, key: Key, given: Answer, now: datetime) -> Answer:
    """Store a receipt, unless there is one; return the one that counts."""
    values = {"headers": dict(given.headers), "answer": given.body, "answered_at": now}
    done = await connection.execute(
        sa.update(exchange).where(_is(key), exchange.c.answer.is_(None)).values(**values)
    )
    if done.rowcount:
        return given
    found = await find(connection, key)
    return given if found is None or found.answer is None else found.answer


async def owe(connection: AsyncConnection, key: Key, url: str, now: datetime) -> None:
    """Let the stored receipt be sent to an address, from now on."""
    values = {"owed_to": url, "attempts": 0, "next_at": now, "code": None}
    await connection.execute(sa.update(exchange).where(_is(key)).values(**values))


class Room(NamedTuple):
    """How many receipts may be taken: in all, of one connection, and of which ones none."""

    total: int
    each: int
    busy: Collection[str]


async def take_due(
    connection: AsyncConnection, now: datetime, until: datetime, room: Room
) -> Sequence[Owed]:
    """Take receipts that are due; nobody else takes them before `until`."""
    identity = (exchange.c.connection, exchange.c.direction, exchange.c.name)
    wanted = exchange.c.next_at <= now, exchange.c.answer.is_not(None)
    turn = sa.func.row_number().over(
        partition_by=exchange.c.connection, order_by=exchange.c.next_at
    )
    ranked = (
        sa.select(*identity, turn.label("turn"))
        .where(*wanted, exchange.c.connection.not_in(list(room.busy)))
        .subquery()
    )
    first = sa.select(ranked.c.connection, ranked.c.direction, ranked.c.name).where(
        ranked.c.turn <= room.each
    )
    due = (
        sa.select(*identity)
        .where(*wanted, sa.tuple_(*identity).in_(first))
        .order_by(exchange.c.next_at)
        .limit(room.total)
        .with_for_update(skip_locked=True)
    )
    taken = await connection.execute(
        sa.update(exchange)
        .where(sa.tuple_(*identity).in_(due))
        .values(next_at=until, attempts=exchange.c.attempts + 1)
        .returning(exchange)
    )
    return [
        Owed(
            Key(row["connection"], row["direction"], row["name"]),
            row["owed_to"],
            Answer(row["headers"] or {}, bytes(row["answer"])),
            row["attempts"],
        )
        for row in taken.mappings()
    ]


async def settle(
    connection: AsyncConnection, key: Key, next_at: datetime | None, code: str | None
) -> None:
    """Note how a try to send a receipt ended: when it is next tried (None: never) and why."""
    await connection.execute(sa.update(exchange).where(_is(key)).values(next_at=next_at, code=code))


async def forget(connection: AsyncConnection, key: Key) -> None:
    """Forget a message: what its row guarded did not happen."""
    await connection.execute(sa.delete(exchange).where(_is(key)))
