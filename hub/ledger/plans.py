"""How PostgreSQL goes about the statements of the hot path.

The driver prepares each statement once, so that a plan made while a table was small is used when it
has grown: measured, a batch read the whole of two tables until the next ANALYZE. Two things
together leave nothing to choose: a subquery per value that no condition is moved into
(``CROSS JOIN LATERAL (... OFFSET 0)``), and no reading of a whole table where an index would do.
"""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection


async def by_index(connection: AsyncConnection) -> None:
    """Look rows up by index until the transaction ends, whatever size a table had."""
    await connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
