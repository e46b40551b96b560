"""What `crossdock map diff` costs a document: CPU time of this process and its workers.

    python -m tests.bench.map_diff [COUNT]

Stored 850s of twelve lines, a candidate that changes one field of every order. Wall-clock time says
little on a machine that others use; CPU time over two cores is what the promise is held to.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import resource
import sys
import tempfile
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.archive import Archive
from hub.clock import SystemClock
from hub.ledger.engine import migrate, open_engine
from hub.ledger.tables import receipt
from hub.mapping.files import shipped_mappings
from hub.mapping_changes.comparison import Store, candidate, compare
from hub.mapping_changes.stored import Chosen
from hub.mapping_changes.tally import Tally
from tests.bench import orders
from tests.bench.site import site
from tests.support.own_servers import OwnServers

PROMISED = 100_000
SECONDS = 300
CORES = 2


def spent() -> float:
    """CPU seconds of this process and of the workers that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


async def measured(count: int, folder: Path, url: str) -> dict[str, Any]:
    """Compare so many stored orders; return what it came to."""
    engine, archive = open_engine(url), Archive(folder / "archive")
    await migrate(engine)
    try:
        await _store(engine, archive, count)
        at = site(CORES)
        offered = candidate(at, _candidate(folder))
        tally, since = Tally(), Chosen(orders.RECEIVED_AT, offered.connections)
        before = spent()
        unreadable = await compare(Store(engine, archive), at, (offered, since), tally, _nobody)
        used = spent() - before
    finally:
        archive.close()
        await engine.dispose()
    milliseconds = used / count * 1000
    return {
        "documents": tally.documents,
        "different": tally.different,
        "unreadable": unreadable,
        "cpu_ms_per_document": round(milliseconds, 3),
        f"seconds_for_{PROMISED}_on_{CORES}_cores": round(milliseconds * PROMISED / 1000 / CORES),
        "promised_seconds": SECONDS,
    }


def _nobody(done: int) -> None:
    """Tell nobody of progress."""


def _candidate(folder: Path) -> Path:
    """Write a candidate: the 850's mapping, by which every order's number is another."""
    text = (shipped_mappings() / "x12" / "850.order.jsonata").read_text("utf-8")
    old, new = '"number": ', '"number": "X" & '
    if text.count(old) == 0:
        raise ValueError("the mapping of the 850 sets no number in these words")
    place = folder / "candidate" / "x12"
    place.mkdir(parents=True)
    (place / "850.order.jsonata").write_text(text.replace(old, new, 1), "utf-8")
    return place.parent


async def _store(engine: AsyncEngine, archive: Archive, count: int) -> None:
    rows = []
    bodies = [each.body for each in orders.receipts(0, count)]
    places = archive.keep(bodies, SystemClock().now())
    for each, place in zip(orders.receipts(0, count), places, strict=True):
        rows.append(
            {
                "id": each.id,
                "connection": each.connection,
                "partner": "acme",
                "delivery_id": each.delivery_id,
                "sha256": hashlib.sha256(each.body).hexdigest(),
                "size": len(each.body),
                "content_type": each.content_type,
                "facts": dict(each.facts),
                "archive": place,
                "received_at": each.received_at,
                "decided_at": each.received_at,
            }
        )
    async with engine.begin() as ledger:
        await ledger.execute(sa.insert(receipt), rows)


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    with tempfile.TemporaryDirectory(prefix="crossdock-map-diff-") as name:
        servers = OwnServers(Path(name))
        try:
            servers.start("postgres")
            url = servers.addresses.database_url
            found = asyncio.run(measured(count, Path(name), url))
        finally:
            servers.close()
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
