"""Findings in the ledger: opened once, seen again at every run, closed when the other side knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.ids import derived_id
from hub.ledger.tables import finding


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


async def open_or_refresh(
    connection: AsyncConnection, job: str, seen: Seen, now: datetime
) -> sa.RowMapping:
    """Open a finding for the subject, or refresh the one that is open; return its row."""
    fresh = {
        "amount": seen.amount,
        "currency": seen.currency,
        "details": seen.details,
        "last_seen_at": now,
    }
    statement = insert(finding).values(
        id=derived_id("finding", job, seen.subject, now.isoformat()),
        job=job,
        subject=seen.subject,
        state="open",
        cause=seen.cause,
        remedy=seen.remedy,
        since=seen.since,
        opened_at=now,
        **fresh,
    )
    result = await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["job", "subject"],
            index_where=finding.c.state != "closed",
            set_=fresh,
        ).returning(finding)
    )
    row: sa.RowMapping = result.mappings().one()
    return row


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


async def listing(
    connection: AsyncConnection, *, job: str | None = None, state: str | None = None
) -> Sequence[sa.RowMapping]:
    """Return findings, the oldest first."""
    statement = sa.select(finding).order_by(finding.c.since)
    if job is not None:
        statement = statement.where(finding.c.job == job)
    if state is not None:
        statement = statement.where(finding.c.state == state)
    return list((await connection.execute(statement)).mappings())
