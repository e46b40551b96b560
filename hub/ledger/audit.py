"""The audit trail: what people did, as a chain in which every row hashes the one before."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.ledger.tables import audit

_FIRST = "0" * 64


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
class Broken:
    """The first row at which the chain does not hold."""

    seq: int
    why: str


async def append(connection: AsyncConnection, entry: Entry, now: datetime) -> None:
    """Add one row to the chain, inside the transaction of the act itself."""
    await connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('crossdock.audit'))"))
    last = (
        await connection.execute(
            sa.select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)
        )
    ).first()
    row = {
        "seq": last.seq + 1 if last else 1,
        "at": now,
        "actor": entry.actor,
        "action": entry.action,
        "subject": entry.subject,
        "reason": entry.reason,
        "before": entry.before,
        "after": entry.after,
        "previous_hash": last.hash if last else _FIRST,
    }
    await connection.execute(sa.insert(audit).values(**row, hash=_hash(row)))


async def verify(connection: AsyncConnection) -> Broken | None:
    """Walk the chain; None: no row was edited, deleted or moved."""
    previous, expected = _FIRST, 1
    result = await connection.stream(sa.select(audit).order_by(audit.c.seq))
    async for row in result.mappings():
        if row["seq"] != expected:
            return Broken(expected, "a row is missing")
        if row["previous_hash"] != previous:
            return Broken(expected, "the row does not follow the one before it")
        if row["hash"] != _hash(dict(row)):
            return Broken(expected, "the row was edited")
        previous, expected = row["hash"], expected + 1
    return None


def _hash(row: dict[str, Any]) -> str:
    fields = ("seq", "actor", "action", "subject", "reason", "before", "after", "previous_hash")
    text = orjson.dumps(
        [row["at"].isoformat(), *(row[name] for name in fields)], option=orjson.OPT_SORT_KEYS
    )
    return hashlib.sha256(text).hexdigest()
