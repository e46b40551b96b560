"""Letting go of what is old and at rest: the bytes, the rows, the audit trail; each by its setting.

The ledger is pruned slice by slice, each in one transaction with the row of the audit trail that
says what went: however much is due, a run that is stopped has done part of it, and the next goes on.
Files of the archive go once no row names them: a run that dies in between finds them again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from hub.archive import PRUNED, Archive
from hub.clock import Clock
from hub.ledger import audit, retention
from hub.ledger.interchanges import REUSED_AFTER
from hub.settings.model import Retention


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
        found = self._nothing()
        async with self._engine.connect() as ledger:
            async for went in self._rows(ledger, only_count=wish.dry_run):
                for name, count in went.items():
                    found[name] += count
                await self._end(ledger, wish, went)
            packs = await self._packs(ledger, wish)
            cut = await self._cut(ledger)
            last = {"packs": len(packs), "audit": cut.rows}
            found |= {name: count for name, count in last.items() if name in found}
            await self._end(ledger, wish, {"packs": len(packs)}, cut)
        if not wish.dry_run:
            await asyncio.to_thread(self._archive.remove, packs)
        return found

    def _nothing(self) -> dict[str, int]:
        """Return 0 for everything that the settings let go."""
        settings = self._settings
        names = {
            "documents": settings.documents_days,
            "receipts": settings.documents_days,
            "control_numbers": settings.documents_days,
            "interchanges": settings.documents_days,
            "exchanges": settings.exchanges_days,
            "packs": settings.archive_days,
            "audit": settings.audit_days,
        }
        return {name: 0 for name, days in names.items() if days is not None}

    def _before(self, days: int) -> datetime:
        return self._clock.now() - timedelta(days=days)

    async def _rows(
        self, ledger: AsyncConnection, *, only_count: bool
    ) -> AsyncIterator[retention.Went]:
        """Let rows go; each time one transaction is to be ended."""
        settings = self._settings
        loose: dict[str, datetime] = {}
        if settings.documents_days is not None:
            before = self._before(settings.documents_days)
            async for went in retention.documents(ledger, before):
                yield went
            loose = {"control_numbers": before, "interchanges": self._clock.now() - REUSED_AFTER}
        if settings.exchanges_days is not None:
            loose["exchanges"] = self._before(settings.exchanges_days)
        for what, before in loose.items():
            async for went in retention.loose(ledger, what, before, only_count=only_count):
                yield went

    async def _packs(self, ledger: AsyncConnection, wish: Wish) -> list[str]:
        """Return packs that are old and hold nothing of what is not at rest; their places go."""
        if self._settings.archive_days is None:
            return []
        last = self._before(self._settings.archive_days).astimezone(UTC).date()
        old = await asyncio.to_thread(self._archive.packs_until, last)
        await retention.begin(ledger)
        going = sorted(set(old) - await retention.needed_packs(ledger))
        await ledger.rollback()
        if going and not wish.dry_run:
            async for _ in retention.forget_places(ledger, going, PRUNED):
                await ledger.commit()
        return going

    async def _cut(self, ledger: AsyncConnection) -> audit.Cut:
        """Prune the audit trail; it holds what people did, which is little."""
        if self._settings.audit_days is None:
            return audit.Cut()
        await retention.begin(ledger)
        return await audit.cut(ledger, self._before(self._settings.audit_days))

    async def _end(
        self,
        ledger: AsyncConnection,
        wish: Wish,
        went: retention.Went,
        cut: audit.Cut = audit.Cut(),  # noqa: B008  # frozen: nothing
    ) -> None:
        """Write into the audit trail what went, and end the transaction."""
        if wish.dry_run:
            await ledger.rollback()
            return
        after: dict[str, object] = {name: count for name, count in went.items() if count}
        if cut.rows:
            after["audit"] = {"upto": cut.head.seq, "hash": cut.head.hash, "rows": cut.rows}
        if after:
            entry = audit.Entry(wish.actor, audit.PRUNE, "ledger", wish.reason, None, after)
            await audit.append(ledger, entry, self._clock.now())
        await ledger.commit()
