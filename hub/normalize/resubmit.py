"""Putting the receipts of replays into the INTAKE stream, where they take the normal way.

A person's command only says in the ledger what is to be replayed; whatever dies after that, the
receipt is stored by the next run of this job, and decided once (`hub/normalize/replay.py`).
"""

from __future__ import annotations

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from canonical.errors import Rejected
from hub.archive import Archive
from hub.clock import Clock
from hub.failpoints import reached
from hub.intake.store import ReceiptStore
from hub.ledger import dead_letters
from hub.normalize.replay import replay_id, replay_receipt

_BATCH = 200
_PATIENCE_SECONDS = 60.0
"""A stored receipt that is not decided by then is stored again: the stream may have lost it."""


class Resubmitter:
    """The job; one runner at a time among replicas."""

    def __init__(
        self, engine: AsyncEngine, archive: Archive, store: ReceiptStore, clock: Clock
    ) -> None:
        self._engine = engine
        self._archive = archive
        self._store = store
        self._clock = clock
        self._stored: dict[str, float] = {}
        self._log = structlog.get_logger("hub.resubmit")

    async def run(self) -> int:
        """Store the receipts of replays that are not on their way; return how many.

        Raises:
            Retryable: the stream takes nothing now.
        """
        async with self._engine.connect() as ledger:
            rows = await dead_letters.to_resubmit(ledger, _BATCH + len(self._stored))
        now = self._clock.monotonic()
        names = {replay_id(row["letter"], row["replays"]): row for row in rows}
        self._stored = {
            name: at
            for name, at in self._stored.items()
            if name in names and now - at < _PATIENCE_SECONDS
        }
        missing = [name for name in names if name not in self._stored][:_BATCH]
        for name in missing:
            await self._store_one(names[name])
            self._stored[name] = now
        return len(missing)

    async def _store_one(self, row: sa.RowMapping) -> None:
        try:
            body = await self._archive.fetch(row["archive"], row["sha256"])
        except Rejected as error:
            self._log.error("replay_without_bytes", letter=row["letter"], code=error.code)
            async with self._engine.begin() as ledger:
                await dead_letters.reopen(ledger, row["letter"])
            return
        await self._store.save(replay_receipt(row, body))
        reached("replay.stored")
