"""`crossdock rebuild`: publishes again what the ledger knows and the streams lack.

Safe at any time and any number of times, beside a running hub too: what a stream holds is left
alone, ids are the same as at first, and nothing that a target does follows from an event (the
ledger's delivery rows are the queue; events only wake). What NATS alone knew is not here: receipts
that were accepted and not decided.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from nats.aio.client import Client
from sqlalchemy.ext.asyncio import AsyncEngine

from canonical.envelope import VERBS
from hub.events import Event
from hub.ledger.tables import dead_letter, document, hold, reference
from hub.publisher import MAX_BATCH, Publisher
from hub.rebuild import events
from hub.rebuild.stored import stored
from hub.topology import CANONICAL, DEAD


@dataclass(slots=True)
class Rebuilt:
    """What became of the events of one stream."""

    stream: str
    known: int = 0
    """Events that the ledger knows."""
    there: int = 0
    """Of them, those that the stream held already."""
    published: int = 0


@dataclass(frozen=True, slots=True)
class Rebuilder:
    """Publishes from a ledger into its streams, which are there."""

    engine: AsyncEngine
    client: Client
    publisher: Publisher
    partners: Mapping[str, str]
    """Connection -> partner."""

    async def run(self, since: datetime, *, act: bool = True) -> list[Rebuilt]:
        """Fill CANONICAL and DEAD.

        Args:
            since: only documents recorded or released from then on; snapshots and open dead
                letters are published whatever their age.
            act: False: only count.

        Raises:
            Retryable: ``nats_unavailable``, ``stream_full``: repeat it.
            nats.errors.Error: NATS does not answer.
        """
        return [
            await self._fill(Rebuilt(CANONICAL), self._canonical(since), act=act),
            await self._fill(Rebuilt(DEAD), self._letters(), act=act),
        ]

    async def _fill(self, done: Rebuilt, source: AsyncIterator[Event], *, act: bool) -> Rebuilt:
        there, batch = await stored(self.client, done.stream), list[Event]()
        async for event in source:
            done.known += 1
            if event.event_id in there:
                done.there += 1
                continue
            there.add(event.event_id)
            batch.append(event)
            if len(batch) >= MAX_BATCH:
                await self._publish(done, batch, act=act)
        await self._publish(done, batch, act=act)
        return done

    async def _publish(self, done: Rebuilt, batch: list[Event], *, act: bool) -> None:
        if act and batch:
            await self.publisher.publish([event.outgoing() for event in batch])
        done.published += len(batch) if act else 0
        batch.clear()

    async def _canonical(self, since: datetime) -> AsyncIterator[Event]:
        """Yield snapshots first, as documents are checked against them; then documents in order."""
        entities = [name for name in VERBS if name in ("customer", "item", "inventory")]
        known = sa.select(reference).where(
            reference.c.entity.in_(entities), reference.c.connection.in_(list(self.partners))
        )
        async for row in self._rows(known.order_by(reference.c.seen_at)):
            yield events.of_snapshot(row, self.partners[row["connection"]])
        async for row in self._rows(_in_force(since)):
            yield events.of_document(row, row["told_at"])

    async def _letters(self) -> AsyncIterator[Event]:
        waiting = dead_letter.c.state.in_(("open", "replaying"))
        letters = sa.select(dead_letter).where(waiting).order_by(dead_letter.c.opened_at)
        async for row in self._rows(letters):
            yield events.of_letter(row)

    async def _rows(self, statement: sa.Select[Any]) -> AsyncIterator[sa.RowMapping]:
        async with self.engine.connect() as ledger:
            async for row in (await ledger.stream(statement)).mappings():
                yield row


def _in_force(since: datetime) -> sa.Select[Any]:
    """Select documents that were published: in force, and neither held nor refused by a person."""
    released = (
        sa.select(sa.func.max(hold.c.closed_at))
        .where(hold.c.document_id == document.c.id, hold.c.state == "released")
        .scalar_subquery()
    )
    told_at = sa.func.coalesce(released, document.c.created_at).label("told_at")
    later = sa.select(hold.c.document_id).where(
        hold.c.state == "released", hold.c.closed_at >= since
    )
    return (
        sa.select(document, told_at)
        .where(
            document.c.direction == "in",
            document.c.version.is_not(None),
            document.c.state.in_(("accepted", "delivered", "dead")),
            document.c.canonical.is_not(None),
            document.c.entity.in_(list(VERBS)),
            sa.or_(document.c.created_at >= since, document.c.id.in_(later)),
        )
        .order_by("told_at", document.c.version, document.c.id)
    )
