"""What ran since when, and what changed before a moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.ledger.tables import audit, deployment

SHORTLY = timedelta(days=1)
"""How long before a failure a change may lie that is told with it."""

_MOST = 200
_ACTS = ("map.", "config.", "partner.", "contract.")
"""What people do that changes how documents are treated."""
_NEWEST_ACTS = 2000


@dataclass(frozen=True, slots=True)
class Change:
    """Something that was other than before, from `at` on."""

    at: datetime
    what: str


async def note(
    connection: AsyncConnection, version: str, parts: Mapping[str, str], now: datetime
) -> bool:
    """Write what runs now, unless it is what ran before; return whether it was written."""
    await connection.execute(
        sa.text("SELECT pg_advisory_xact_lock(hashtext('crossdock.deployed'))")
    )
    query = sa.select(deployment.c.version, deployment.c.parts)
    last = (await connection.execute(query.order_by(deployment.c.seq.desc()).limit(1))).first()
    if last is not None and (last.version, last.parts) == (version, dict(parts)):
        return False
    await connection.execute(
        sa.insert(deployment).values(at=now, version=version, parts=dict(parts))
    )
    return True


async def changes(connection: AsyncConnection, since: datetime, until: datetime) -> list[Change]:
    """Return what changed between two moments, the newest first: deployments and people's acts."""
    found = [*await _deployed(connection, since, until), *await _acts(connection, since, until)]
    return sorted(found, key=lambda change: change.at, reverse=True)


async def _deployed(connection: AsyncConnection, since: datetime, until: datetime) -> list[Change]:
    columns = (deployment.c.seq, deployment.c.at, deployment.c.version, deployment.c.parts)
    within = sa.select(*columns).where(deployment.c.at > since, deployment.c.at <= until)
    result = await connection.execute(within.order_by(deployment.c.seq.desc()).limit(_MOST))
    rows: Sequence[Any] = list(reversed(result.all()))
    if not rows:
        return []
    before = sa.select(*columns).where(deployment.c.seq < rows[0].seq)
    first = (await connection.execute(before.order_by(deployment.c.seq.desc()).limit(1))).first()
    earlier = [first, *rows] if first is not None else rows  # nothing is new about the very first
    return [Change(new.at, what) for old, new in pairwise(earlier) for what in _differing(old, new)]


def _differing(old: Any, new: Any) -> list[str]:
    said = [] if old.version == new.version else [f"crossdock {old.version} -> {new.version}"]
    for name in sorted(old.parts.keys() | new.parts.keys()):
        before, after = old.parts.get(name), new.parts.get(name)
        if before != after:
            word = "added" if before is None else "removed" if after is None else "changed"
            said.append(f"{name} {word}")
    return said


async def _acts(connection: AsyncConnection, since: datetime, until: datetime) -> list[Change]:
    newest = (
        sa.select(audit.c.at, audit.c.action, audit.c.subject, audit.c.actor)
        .order_by(audit.c.seq.desc())
        .limit(_NEWEST_ACTS)
        .subquery()
    )
    kinds = sa.or_(*(newest.c.action.startswith(kind) for kind in _ACTS))
    query = sa.select(newest).where(newest.c.at > since, newest.c.at <= until, kinds)
    return [
        Change(row.at, f"{row.action} {row.subject} by {row.actor}")
        for row in await connection.execute(query)
    ]
