"""The audit trail: what people did, as a chain in which every row hashes the one before.

Where the chain ends is kept in a row of its own: rows cut off its end are missed. The limit:
who can write both tables can write another history; only an anchor outside the database, such as
the head printed by `crossdock ledger audit` and kept elsewhere, tells that.

Old rows may be pruned: the chain then begins behind the last that went, whose number and hash stand
in a row of its own (``ledger.prune``). Whoever cuts off the beginning without such a row is told of.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.ledger.tables import audit, audit_head

_FIRST = "0" * 64

PRUNE = "ledger.prune"
"""The action of the row that says what was pruned; ``after.audit`` is where the chain now begins."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One act: who did what to which thing, why, and what it was before and after."""

    actor: str
    action: str
    subject: str
    reason: str
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """Where the chain ends: its newest row. ``0`` and zeros before the first."""

    seq: int = 0
    hash: str = _FIRST


@dataclass(frozen=True, slots=True)
class Broken:
    """The first row at which the chain does not hold."""

    seq: int
    why: str


@dataclass(frozen=True, slots=True)
class Cut:
    """What was pruned of the chain: how many rows, and the last of them."""

    rows: int = 0
    head: Head = Head()


async def append(connection: AsyncConnection, entry: Entry, now: datetime) -> None:
    """Add one row to the chain, inside the transaction of the act itself."""
    await append_all(connection, [entry], now)


async def append_all(connection: AsyncConnection, entries: Sequence[Entry], now: datetime) -> None:
    """Add rows to the chain in their order: one turn at its end, however many there are."""
    if not entries:
        return
    await connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('crossdock.audit'))"))
    last = await head(connection)
    rows = []
    for entry in entries:
        row = {"seq": last.seq + 1, "at": now, **asdict(entry), "previous_hash": last.hash}
        last = Head(last.seq + 1, _hash(row))
        rows.append(row | {"hash": last.hash})
    await connection.execute(sa.insert(audit), rows)
    end = {"seq": last.seq, "hash": last.hash}
    await connection.execute(
        insert(audit_head)
        .values(id=1, **end)
        .on_conflict_do_update(index_elements=["id"], set_=end)
    )


async def head(connection: AsyncConnection) -> Head:
    """Return where the chain ends, as it was last written."""
    row = (await connection.execute(sa.select(audit_head.c.seq, audit_head.c.hash))).first()
    return Head(row.seq, row.hash) if row else Head()


async def verify(connection: AsyncConnection) -> Broken | None:
    """Walk the chain to its head; None: no row was edited, deleted, moved or cut off.

    People may act meanwhile: what is read of the head before and after is what bounds the chain.
    """
    written, end = await head(connection), await _start(connection)
    result = await connection.stream(sa.select(audit).order_by(audit.c.seq))
    async for row in result.mappings():
        why = _wrong(row, end, written)
        if why:
            return Broken(end.seq + 1, why)
        end = Head(row["seq"], row["hash"])
    if not written.seq <= end.seq <= (await head(connection)).seq:
        return Broken(end.seq + 1, "the chain does not end where it was last written")
    return None


async def cut(connection: AsyncConnection, before: datetime) -> Cut:
    """Delete the rows from before a moment; the caller appends the row that says so.

    The newest row stays, whatever its age: the chain never becomes empty.
    """
    await connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('crossdock.audit'))"))
    younger = sa.select(sa.func.min(audit.c.seq)).where(audit.c.at >= before).scalar_subquery()
    newest = sa.select(sa.func.max(audit.c.seq)).scalar_subquery()
    last = (
        await connection.execute(
            sa.select(audit.c.seq, audit.c.hash)
            .where(audit.c.seq < sa.func.coalesce(younger, newest))
            .order_by(audit.c.seq.desc())
            .limit(1)
        )
    ).first()
    if last is None:
        return Cut()
    gone = await connection.execute(sa.delete(audit).where(audit.c.seq <= last.seq))
    return Cut(gone.rowcount, Head(last.seq, last.hash))


async def _start(connection: AsyncConnection) -> Head:
    """Return behind which row the chain begins: the one that the newest pruning names."""
    result = await connection.execute(
        sa.select(audit.c.after["audit"])
        .where(audit.c.action == PRUNE, audit.c.after["audit"].is_not(None))
        .order_by(audit.c.seq.desc())
        .limit(1)
    )
    said = result.scalar()
    return Head(said["upto"], said["hash"]) if said else Head()


def _wrong(row: sa.RowMapping, end: Head, written: Head) -> str:
    """Return what is wrong with a row behind `end`; "" if nothing is."""
    if row["seq"] != end.seq + 1:
        return "a row is missing"
    if row["previous_hash"] != end.hash:
        return "the row does not follow the one before it"
    if row["hash"] != _hash(dict(row)):
        return "the row was edited"
    if row["seq"] == written.seq and row["hash"] != written.hash:
        return "the row is not the one that was last written"
    return ""


def _hash(row: dict[str, Any]) -> str:
    fields = ("seq", "actor", "action", "subject", "reason", "before", "after", "previous_hash")
    text = orjson.dumps(
        [row["at"].isoformat(), *(row[name] for name in fields)], option=orjson.OPT_SORT_KEYS
    )
    return hashlib.sha256(text).hexdigest()
