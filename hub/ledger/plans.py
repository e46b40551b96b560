"""How PostgreSQL goes about the statements of the hot path.

The driver prepares each statement once, so that a plan made while a table was small is used when it
has grown: measured, a batch read the whole of two tables until the next ANALYZE. Two things
together leave nothing to choose: a subquery per value that no condition is moved into
(``CROSS JOIN LATERAL (... OFFSET 0)``), and no reading of a whole table where an index would do.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection


async def by_index(connection: AsyncConnection) -> None:
    """Look rows up by index until the transaction ends, whatever size a table had."""
    await connection.exec_driver_sql("SET LOCAL enable_seqscan = off")


async def for_many(connection: AsyncConnection, patience: timedelta) -> None:
    """Look rows up by index, and wait no longer for any lock, until the transaction ends.

    Who writes for many must not let all of them wait for one.
    """
    milliseconds = round(patience.total_seconds() * 1000)
    await connection.exec_driver_sql(_FOR_MANY, (str(milliseconds),))


_FOR_MANY = "SELECT set_config('enable_seqscan', 'off', true), set_config('lock_timeout', $1, true)"
