"""How long it takes to find one row of the audit trail that was tampered with: `make audit-chain`.

    python -m tests.bench.audit_chain [--rows 1000000]

A trail of as many rows on a PostgreSQL of its own; then one row is edited, deleted, two are swapped,
the end is cut off, each undone again: the row that `audit.verify` names, and its seconds, on the
clock and of this process's processor time. All of it is promised within 60 s.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.ledger import audit
from hub.ledger.engine import migrate, open_engine
from tests.support.own_servers import OwnServers

_SHARE = 2000
_AT = datetime(2026, 11, 21, tzinfo=UTC)


async def fill(engine: AsyncEngine, rows: int) -> None:
    """Write the trail, as acts do."""
    for first in range(0, rows, _SHARE):
        entries = [
            audit.Entry(
                "ann",
                "dead_letter.replay",
                f"letter-{n:07}",
                "the customer was created",
                {"state": "open", "delivery": "dead"},
                {"state": "replaying", "delivery": "pending"},
            )
            for n in range(first, min(first + _SHARE, rows))
        ]
        async with engine.begin() as ledger:
            await audit.append_all(ledger, entries, _AT)


TAMPERING: dict[str, tuple[str, ...]] = {
    "untouched": (),
    "edited": ("UPDATE audit SET reason = 'other' WHERE seq = :at",),
    "deleted": ("DELETE FROM audit WHERE seq = :at",),
    "swapped": (
        "UPDATE audit SET seq = -1 WHERE seq = :at",
        "UPDATE audit SET seq = :at WHERE seq = :after",
        "UPDATE audit SET seq = :after WHERE seq = -1",
    ),
    "cut off": ("DELETE FROM audit WHERE seq > :last",),
}
"""What is done to the trail, late in it."""


async def found(engine: AsyncEngine, statements: tuple[str, ...], rows: int) -> dict[str, Any]:
    """Tamper, verify, undo."""
    places = {"at": rows * 9 // 10, "after": rows * 9 // 10 + 1, "last": rows - 3}
    async with engine.connect() as ledger, ledger.begin() as transaction:
        for statement in statements:
            await ledger.execute(sa.text(statement), places)
        began, used = time.monotonic(), time.process_time()
        broken = await audit.verify(ledger)
        took, used = time.monotonic() - began, time.process_time() - used
        await transaction.rollback()
    told = {"seconds": round(took, 1), "cpu_seconds": round(used, 1)}
    return told | ({"row": broken.seq, "why": broken.why} if broken else {"row": None})


async def measured(rows: int, url: str) -> dict[str, Any]:
    """Fill, and verify after each kind of tampering."""
    engine = open_engine(url)
    await migrate(engine)
    await fill(engine, rows)
    told = {name: await found(engine, each, rows) for name, each in TAMPERING.items()}
    await engine.dispose()
    return {"rows": rows} | told


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    asked.add_argument("--rows", type=int, default=1_000_000)
    rows = asked.parse_args().rows
    with tempfile.TemporaryDirectory(prefix="crossdock-audit-") as name:
        servers = OwnServers(Path(name))
        try:
            servers.start("postgres")
            told = asyncio.run(measured(rows, servers.addresses.database_url))
        finally:
            servers.close()
    sys.stdout.write(json.dumps(told, indent=2) + "\n")


if __name__ == "__main__":
    main()
