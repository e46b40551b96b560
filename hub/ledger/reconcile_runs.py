"""Finished runs of reconciliation jobs, and the targets' own lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.ledger import bulk
from hub.ledger.tables import reconcile_run, statement, statement_entry


async def last(
    connection: AsyncConnection, jobs: Sequence[str], *, sweep: bool
) -> dict[str, datetime]:
    """Return when each job last began a run that it finished; of sweeps only, or of all."""
    result = await connection.execute(
        sa.select(reconcile_run.c.job, reconcile_run.c.started_at)
        .ext(distinct_on(reconcile_run.c.job))
        .where(reconcile_run.c.job.in_(jobs), sa.or_(reconcile_run.c.sweep, sa.literal(not sweep)))
        .order_by(reconcile_run.c.job, reconcile_run.c.started_at.desc())
    )
    return {row.job: row.started_at for row in result}


async def finished(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Keep a finished run."""
    await connection.execute(insert(reconcile_run).values(**row).on_conflict_do_nothing())


async def newest(connection: AsyncConnection) -> Sequence[sa.RowMapping]:
    """Return the last run of each job."""
    result = await connection.execute(
        sa.select(reconcile_run)
        .ext(distinct_on(reconcile_run.c.job))
        .order_by(reconcile_run.c.job, reconcile_run.c.started_at.desc())
    )
    return result.mappings().all()


async def forget(connection: AsyncConnection, before: datetime) -> None:
    """Delete runs that began before a moment."""
    await connection.execute(sa.delete(reconcile_run).where(reconcile_run.c.started_at < before))


async def take_statement(
    connection: AsyncConnection, header: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]
) -> None:
    """Put a target's list in the place of the one before.

    Args:
        connection: inside a transaction.
        header: columns of `statement`.
        entries: columns of `statement_entry` without ``target`` and ``action``.
    """
    key = {"target": header["target"], "action": header["action"]}
    for table in (statement_entry, statement):
        await connection.execute(
            sa.delete(table).where(*(table.c[name] == value for name, value in key.items()))
        )
    await connection.execute(sa.insert(statement).values(**header))
    await bulk.insert(connection, statement_entry, [key | dict(entry) for entry in entries])
