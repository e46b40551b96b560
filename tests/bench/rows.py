"""A ledger of any size, written by PostgreSQL itself: what 10 million documents and theirs look like.

A purchase is eight documents: the order and its 997, the shipment and its 997, the invoice, two
messages of the carrier, and the 997 that the warehouse answers; six deliveries; and, of a few in a
hundred, a hold, a dead letter, a finding. Arrivals are spread evenly over the days up to `NOW`, so
the newest purchases have not shipped yet; few customers send most of them. A batch of purchases is
written at a time, so that rows lie on disk in the order in which a hub would have written them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg

from tests.bench.rows_sent import LAST, ONCE, RECONCILED, TABLES
from tests.bench.rows_words import FACTS, PURCHASES

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
"""When the ledger was written; who asks it something asks at this moment."""
PER_PURCHASE = 8
PARTNERS = 40
_BATCH = 5000
_RUNS = 25_000
"""Of each job: one every five minutes, over a window of three months."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How large a ledger is."""

    documents: int
    days: int = 730
    """Over how long its documents came."""

    @property
    def purchases(self) -> int:
        """How many purchases it holds."""
        return self.documents // PER_PURCHASE


async def fill(ledger: asyncpg.Connection, shape: Shape, told: Callable[[str], None]) -> None:
    """Write the rows of an empty ledger; indexes are made anew afterwards, statistics too.

    Args:
        ledger: outside of any transaction.
        shape: how large.
        told: is called with what is being done.
    """
    made = await _indexes(ledger)
    await _bare(ledger, made)
    await ledger.execute("SET synchronous_commit = off")
    await ledger.execute(PURCHASES)
    for statement in ONCE:
        await ledger.execute(statement, NOW, PARTNERS)
    await ledger.execute(RECONCILED, NOW, min(_RUNS, shape.purchases // 50))
    for first in range(1, shape.purchases + 1, _BATCH):
        last = min(first + _BATCH - 1, shape.purchases)
        async with ledger.transaction():
            await ledger.execute("TRUNCATE purchase")
            await ledger.execute(FACTS, first, last, shape.purchases, NOW, shape.days, PARTNERS)
            for statement in TABLES:
                await ledger.execute(statement, NOW)
        if first // _BATCH % 20 == 0:
            told(f"{last:,} of {shape.purchases:,} purchases")
    await ledger.execute("DROP TABLE purchase")
    await _dressed(ledger, made, told)
    for statement in LAST:
        await ledger.execute(statement, NOW)
    told("statistics")
    await ledger.execute("VACUUM (ANALYZE)")
    await ledger.execute("CHECKPOINT")


async def _indexes(ledger: asyncpg.Connection) -> list[tuple[str, str, str, bool]]:
    """Return (table, index, how it is made, whether it is a constraint's) of all there are."""
    found = await ledger.fetch(
        "SELECT i.indrelid::regclass::text AS of, i.indexrelid::regclass::text AS name,"
        " coalesce(pg_get_constraintdef(c.oid), pg_get_indexdef(i.indexrelid)) AS how,"
        " c.oid IS NOT NULL AS bound FROM pg_index AS i"
        " JOIN pg_class AS t ON t.oid = i.indrelid AND t.relnamespace = 'public'::regnamespace"
        " LEFT JOIN pg_constraint AS c ON c.conindid = i.indexrelid AND c.contype IN ('p', 'u')"
        " WHERE t.relname <> 'alembic_version' ORDER BY 1, 2"
    )
    return [(row["of"], row["name"], row["how"], row["bound"]) for row in found]


async def _bare(ledger: asyncpg.Connection, made: list[tuple[str, str, str, bool]]) -> None:
    for table, name, _, bound in made:
        how = f"ALTER TABLE {table} DROP CONSTRAINT {name}" if bound else f"DROP INDEX {name}"
        await ledger.execute(how)


async def _dressed(
    ledger: asyncpg.Connection,
    made: list[tuple[str, str, str, bool]],
    told: Callable[[str], None],
) -> None:
    await ledger.execute("SET maintenance_work_mem = '1GB'")
    for table, name, how, bound in made:
        told(f"index {name}")
        await ledger.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {how}" if bound else how)
    await ledger.execute("RESET maintenance_work_mem")
