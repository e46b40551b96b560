"""One process that delivers: ``python -m tests.support.deliver_process DATABASE_URL FOLDER KIND``.

Runs until it is told to stop (SIGTERM), or dies at the armed failpoint. KIND `journal`: effects are
lines of ``FOLDER/effects``; `folder`: files in ``FOLDER/outbox``.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

from hub.delivery.folder_client import FolderClient
from hub.delivery.role import DeliverRole
from hub.ledger.engine import open_engine
from tests.support.deliveries import LIMITS, JournalTarget, parts, spec

QUICK_LIMITS = LIMITS.model_copy(update={"timeout_seconds": 0.5})


async def main(url: str, folder: Path, kind: str) -> None:
    """Deliver until told to stop."""
    client = (
        JournalTarget(folder / "effects") if kind == "journal" else FolderClient(folder / "outbox")
    )
    engine, stop = open_engine(url), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await DeliverRole(spec(client, limits=QUICK_LIMITS), parts(engine)).run(stop)
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))
