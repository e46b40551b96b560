"""Finished runs of reconciliation jobs, and the targets' own lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.ledger import bulk
from hub.ledger.arrays import among
from hub.ledger.tables import reconcile_run, statement, statement_entry


async def last(
    connection: AsyncConnection, jobs: Sequence[str], *, sweep: bool
) -> dict[str, datetime]:
    """Return when each job last began a run that it finished; of sweeps only, or of all."""
    return {row["job"]: row["started_at"] for row in await newest(connection, jobs, sweep=sweep)}


async def finished(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Keep a finished run."""
    await connection.execute(insert(reconcile_run).values(**row).on_conflict_do_nothing())


async def newest(
    connection: AsyncConnection, jobs: Sequence[str], *, sweep: bool = False
) -> Sequence[sa.RowMapping]:
    """Return the last run of each of these jobs: of sweeps only, or of all."""
    names = sa.literal(list(jobs), ARRAY(sa.Text))
    asked = sa.func.unnest(names).table_valued("job", name="asked").render_derived()
    runs = sa.select(reconcile_run).where(reconcile_run.c.job == asked.c.job)
    if sweep:
        runs = runs.where(reconcile_run.c.sweep)
    # A look into the key for each: there is a row for every five minutes of three months.
    last = runs.order_by(reconcile_run.c.started_at.desc()).limit(1).lateral("newest")
    query = sa.select(*last.c).select_from(asked.join(last, sa.true()))
    return (await connection.execute(query)).mappings().all()


async def forget(connection: AsyncConnection, jobs: Sequence[str], before: datetime) -> None:
    """Delete runs of some jobs that began before a moment."""
    old = among(reconcile_run.c.job, jobs), reconcile_run.c.started_at < before
    await connection.execute(sa.delete(reconcile_run).where(*old))


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
