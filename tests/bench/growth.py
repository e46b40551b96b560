"""What a ledger of 10 million documents costs those who ask it: `make growth`.

python -m tests.bench.growth fill --folder /tmp/growth --documents 10000000
python -m tests.bench.growth ask --folder /tmp/growth [--only NAME,NAME] [--times 7] [--cold]
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
from rich.console import Console

from hub.ledger.engine import migrate, open_engine
from hub.servers.supervisor import EmbeddedServers
from hub.settings.model import Servers
from tests.bench.growth_ask import PROMISED_MS, asked, forget, merge, show, write
from tests.bench.growth_watch import Told
from tests.bench.rows import Shape, fill

_ONLY_POSTGRES = Servers.model_validate(
    {"nats_url": "nats://127.0.0.1:9", "redis_url": "redis://127.0.0.1:9/0"}
)


@asynccontextmanager
async def ledger_at(folder: Path) -> AsyncIterator[str]:
    """Run the PostgreSQL of a folder as a hub does; yields its URL."""
    async with EmbeddedServers(folder, _ONLY_POSTGRES) as addresses:
        yield addresses.database_url


async def filled(folder: Path, shape: Shape) -> None:
    """Make a ledger of a shape in a folder, with the server's stock settings but for its log."""
    async with ledger_at(folder) as url:
        engine = open_engine(url)
        await migrate(engine)
        await engine.dispose()
        connection = await asyncpg.connect(url)
        begun = time.monotonic()
        try:
            await connection.execute("ALTER SYSTEM SET max_wal_size = '2GB'")
            await connection.execute("SELECT pg_reload_conf()")
            await fill(
                connection, shape, lambda word: _say(f"{time.monotonic() - begun:6.0f} s  {word}")
            )
            await connection.execute("ALTER SYSTEM RESET max_wal_size")
            for row in await connection.fetch(
                "SELECT relname, reltuples::bigint AS rows, pg_total_relation_size(oid) AS bytes"
                " FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
                " AND reltuples > 0 ORDER BY 3 DESC"
            ):
                _say(f"{row['relname']:16} {row['rows']:>12,} rows {row['bytes'] / 1e6:>8,.0f} MB")
        finally:
            await connection.close()


async def answered(folder: Path, given: argparse.Namespace) -> int:
    """Ask the ledger of a folder everything; return 1 where something is too slow."""
    first: list[Told] = []
    if given.cold:
        forget(folder)
        async with ledger_at(folder) as url:
            first = await asked(url, given.only, 1, _say, minutes=0)
    async with ledger_at(folder) as url:
        told = await asked(url, given.only, given.times, _say, minutes=given.minutes)
    merge(told, first)
    slow = show(told, Console(width=200))
    write(told, Path("bench/growth.json"))
    _say(f"{len(told)} statements, {slow} slower than {PROMISED_MS:.0f} ms")
    return int(slow > 0)


def _say(word: str) -> None:
    sys.stdout.write(word + "\n")
    sys.stdout.flush()


def main() -> None:
    """Do what was asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    does = parser.add_subparsers(dest="does", required=True)
    writes = does.add_parser("fill")
    writes.add_argument("--folder", type=Path, required=True)
    writes.add_argument("--documents", type=int, default=10_000_000)
    writes.add_argument("--days", type=int, default=730)
    asks = does.add_parser("ask")
    asks.add_argument("--folder", type=Path, required=True)
    asks.add_argument("--only", help="what has this in its name")
    asks.add_argument("--times", type=int, default=7)
    asks.add_argument("--minutes", type=float, help="at most so long for a job")
    asks.add_argument("--cold", action="store_true", help="first once with nothing in memory")
    given = parser.parse_args()
    if given.does == "fill":
        asyncio.run(filled(given.folder, Shape(given.documents, given.days)))
    else:
        sys.exit(asyncio.run(answered(given.folder, given)))


if __name__ == "__main__":
    main()
