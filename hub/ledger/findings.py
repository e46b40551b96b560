"""Findings in the ledger: opened once, seen again at every run, closed when the other side knows.

States: ``open``; ``healing`` while a remedy is under way; ``accepted`` once a person said that it may
stay as it is (it is still seen, and closes when it is gone); ``closed``. Codes:
``finding_unknown``, ``finding_ambiguous``, ``id_too_short``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from canonical.errors import Rejected
from hub.ids import derived_id
from hub.ledger import bulk
from hub.ledger.tables import finding

SHORTEST = 8
"""Characters of an id that name a finding, as tables show them."""

_WHOLE = 36
_GROUPS = ("partner", "job", "cause", "owner", "currency")
_FRESH = (
    "reference", "partner", "cause", "remedy", "amount", "currency", "details", "last_seen_at",
)  # fmt: skip
_REFRESH = "ON CONFLICT (job, subject) WHERE state <> 'closed' DO UPDATE SET " + ", ".join(
    f"{name} = excluded.{name}" for name in _FRESH
)
_AT_ONCE = 500
_PAGE = 1000
"""Rows of one statement: tens of thousands at once kept others waiting for a quarter of a second."""
_WRITTEN = "id, subject, state, redrives, opened_at"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a job saw of one subject at this run."""

    subject: str
    since: datetime
    cause: str
    remedy: str
    amount: Decimal | None
    currency: str | None
    details: dict[str, str]
    partner: str = ""
    reference: str | None = None
    owner: str = ""


async def record(
    connection: AsyncConnection, job: str, seen: Sequence[Seen], now: datetime
) -> dict[str, sa.Row[Any]]:
    """Open a finding for each subject, or refresh the one that is open.

    Returns:
        By subject: ``id``, ``subject``, ``state``, ``redrives``, ``opened_at``.
    """
    rows = [
        {
            "id": derived_id("finding", job, each.subject, now.isoformat()),
            "job": job,
            "subject": each.subject,
            "reference": each.reference,
            "partner": each.partner,
            "owner": each.owner,
            "state": "open",
            "cause": each.cause,
            "remedy": each.remedy,
            "amount": each.amount,
            "currency": each.currency,
            "details": orjson.dumps(each.details).decode(),
            "since": each.since,
            "opened_at": now,
            "last_seen_at": now,
        }
        for each in {each.subject: each for each in seen}.values()
    ]
    written: dict[str, sa.Row[Any]] = {}
    for first in range(0, len(rows), _AT_ONCE):
        some = rows[first : first + _AT_ONCE]
        for row in await bulk.insert(
            connection, finding, some, conflict=_REFRESH, returning=_WRITTEN
        ):
            written[row.subject] = row
    return written


async def close_unseen(connection: AsyncConnection, job: str, now: datetime) -> int:
    """Close the job's findings that this run did not see again; return how many."""
    result = await connection.execute(
        sa.update(finding)
        .where(finding.c.job == job, finding.c.state != "closed", finding.c.last_seen_at < now)
        .values(state="closed", closed_at=now)
        .returning(finding.c.id)
    )
    return len(result.all())


async def mark_healing(connection: AsyncConnection, finding_id: str) -> None:
    """Note that a remedy is under way."""
    await connection.execute(
        sa.update(finding)
        .where(finding.c.id == finding_id)
        .values(state="healing", redrives=finding.c.redrives + 1)
    )


async def give_back(connection: AsyncConnection, finding_id: str) -> None:
    """Note that no remedy helped: it is for a person."""
    await connection.execute(
        sa.update(finding)
        .where(finding.c.id == finding_id, finding.c.state == "healing")
        .values(state="open")
    )


async def listing(
    connection: AsyncConnection, *, limit: int | None = None, **given: str | None
) -> Sequence[sa.RowMapping]:
    """Return findings, the oldest first.

    Args:
        connection: to the ledger.
        limit: how many at most; None: all.
        given: what a column must be; None: anything.
    """
    order = sa.tuple_(finding.c.since, finding.c.id)
    asked = _where(sa.select(finding).order_by(finding.c.since, finding.c.id), given)
    found: list[sa.RowMapping] = []
    while limit is None or len(found) < limit:
        most = _PAGE if limit is None else min(_PAGE, limit - len(found))
        page = asked.where(order > (found[-1].since, found[-1].id)) if found else asked
        rows = (await connection.execute(page.limit(most))).mappings().all()
        found += rows
        if len(rows) < most:
            break
    return found


async def grouped(
    connection: AsyncConnection, ages: Sequence[timedelta], now: datetime, **given: str | None
) -> Sequence[sa.RowMapping]:
    """Count findings and add their money up by what they have in common.

    Args:
        connection: to the ledger.
        ages: where one group of ages ends and the next begins, the youngest first.
        now: open findings are as old as they are at this moment.
        given: as of `listing`.

    Returns:
        ``partner``, ``job``, ``cause``, ``owner``, ``currency``, ``age`` (which of the groups, from
        0 on), ``count``, ``amount``, ``unpriced`` (how many have no amount).
    """
    until = sa.func.coalesce(finding.c.closed_at, sa.literal(now, sa.DateTime(timezone=True)))
    seconds = sa.func.round(sa.func.extract("epoch", until - finding.c.since))
    ends = sa.literal([each.total_seconds() for each in ages], ARRAY(sa.Numeric))
    count, amount = sa.func.count(), finding.c.amount
    asked = sa.select(
        *(finding.c[name] for name in _GROUPS),
        sa.func.width_bucket(seconds, ends).label("age"),
        count.label("count"),
        sa.func.sum(amount).label("amount"),
        count.filter(amount.is_(None)).label("unpriced"),
    ).group_by(*(finding.c[name] for name in _GROUPS), sa.text("age"))
    rows: Sequence[sa.RowMapping] = (
        (await connection.execute(_where(asked, given))).mappings().all()
    )
    return rows


def _where(asked: sa.Select[Any], given: Mapping[str, str | None]) -> sa.Select[Any]:
    for name, value in given.items():
        if value is not None:
            asked = asked.where(finding.c[name] == value)
    return asked


async def one(connection: AsyncConnection, name: str) -> sa.RowMapping:
    """Return a finding, open or closed, by its id or the start of it.

    Raises:
        Rejected: ``finding_unknown``, ``finding_ambiguous`` or ``id_too_short``.
    """
    asked = sa.select(finding).where(_named(name)).limit(2)
    return _only(name, (await connection.execute(asked)).mappings().all())


async def lock(connection: AsyncConnection, name: str) -> sa.RowMapping:
    """Lock a finding that is not closed, by its id or the start of it.

    Raises:
        Rejected: ``finding_unknown``, ``finding_ambiguous`` or ``id_too_short``.
    """
    result = await connection.execute(
        sa.select(finding)
        .where(_named(name), finding.c.state != "closed")
        .limit(2)
        .with_for_update()
    )
    return _only(name, result.mappings().all())


def _named(name: str) -> sa.ColumnElement[bool]:
    if len(name) < SHORTEST:
        raise Rejected("id_too_short", name, f"give at least {SHORTEST} characters")
    begins = finding.c.id.startswith(name, autoescape=True)
    return finding.c.id == name if len(name) == _WHOLE else begins


def _only(name: str, rows: Sequence[sa.RowMapping]) -> sa.RowMapping:
    if not rows:
        raise Rejected("finding_unknown", name, "no open finding has this id")
    if len(rows) > 1:
        raise Rejected("finding_ambiguous", name, "several findings match; give more of the id")
    return rows[0]


async def write(connection: AsyncConnection, finding_id: str, **values: str) -> None:
    """Set columns of a finding."""
    await connection.execute(sa.update(finding).where(finding.c.id == finding_id).values(**values))
