"""Letting go of what is old and at rest: the bytes, the rows, the audit trail; each by its setting.

Everything of the ledger goes in one transaction with the row of the audit trail that says what
went. Files of the archive go after its commit: a run that dies in between finds them again.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from hub.archive import PRUNED, Archive
from hub.clock import Clock
from hub.ledger import audit, retention
from hub.ledger.interchanges import REUSED_AFTER
from hub.settings.model import Retention

_STATEMENT_TIMEOUT = "SET LOCAL statement_timeout = '30min'"
_TURN = "SELECT pg_advisory_xact_lock(hashtext('crossdock.prune'))"


@dataclass(frozen=True, slots=True)
class Wish:
    """Who prunes, why, and whether only to see what would go."""

    actor: str
    reason: str
    dry_run: bool = False


class Pruner:
    """Prunes one ledger and its archive as a site's settings say."""

    def __init__(
        self, engine: AsyncEngine, archive: Archive, settings: Retention, clock: Clock
    ) -> None:
        self._engine = engine
        self._archive = archive
        self._settings = settings
        self._clock = clock

    async def run(self) -> None:
        """Do what is due; the hub's own job."""
        await self.prune(Wish("crossdock", "retention"))

    async def prune(self, wish: Wish) -> dict[str, int]:
        """Let go of what the settings allow; return how much of each went, or would go.

        Raises:
            OSError: the archive's folder cannot be read or written.
        """
        async with self._engine.connect() as ledger:
            await ledger.exec_driver_sql(_STATEMENT_TIMEOUT)
            await ledger.exec_driver_sql(_TURN)
            found = await self._rows(ledger)
            packs = await self._packs(ledger)
            if self._settings.archive_days is not None:
                found["packs"] = len(packs)
            await self._note(ledger, wish, found)
            if wish.dry_run:
                await ledger.rollback()
                return found
            await ledger.commit()
        await asyncio.to_thread(self._archive.remove, packs)
        return found

    def _before(self, days: int) -> datetime:
        return self._clock.now() - timedelta(days=days)

    async def _rows(self, ledger: AsyncConnection) -> dict[str, int]:
        settings = self._settings
        found: dict[str, int] = {}
        if settings.documents_days is not None:
            found |= await retention.documents(ledger, self._before(settings.documents_days))
            before = self._clock.now() - REUSED_AFTER
            found["interchanges"] = await retention.interchanges(ledger, before)
        if settings.exchanges_days is not None:
            before = self._before(settings.exchanges_days)
            found["exchanges"] = await retention.exchanges(ledger, before)
        return found

    async def _packs(self, ledger: AsyncConnection) -> list[str]:
        """Return packs that are old and hold nothing of what is not at rest; their places go."""
        if self._settings.archive_days is None:
            return []
        last = self._before(self._settings.archive_days).astimezone(UTC).date()
        old = await asyncio.to_thread(self._archive.packs_until, last)
        going = sorted(set(old) - await retention.needed_packs(ledger))
        if going:
            await retention.forget_places(ledger, going, PRUNED)
        return going

    async def _note(self, ledger: AsyncConnection, wish: Wish, found: dict[str, int]) -> None:
        """Prune the audit trail, and write into it what went."""
        after: dict[str, object] = {name: count for name, count in found.items() if count}
        days = self._settings.audit_days
        if days is not None:
            cut = await audit.cut(ledger, self._before(days))
            found["audit"] = cut.rows
            if cut.rows:
                after["audit"] = {"upto": cut.head.seq, "hash": cut.head.hash, "rows": cut.rows}
        if after:
            entry = audit.Entry(wish.actor, audit.PRUNE, "ledger", wish.reason, None, after)
            await audit.append(ledger, entry, self._clock.now())
