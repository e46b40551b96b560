"""The story of one document, told for a batch: read this first."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from canonical.errors import HubError
from canonical.order import Order
from connectors.base import Receipt
from hub.archive import Archive
from hub.clock import Clock
from hub.events import Event
from hub.failpoints import reached
from hub.ledger import inbox, keys, reference
from hub.ledger.customers import customers
from hub.ledger.plans import by_index
from hub.normalize import record
from hub.normalize.decide import REFERENCE_ENTITIES, Context, Decider
from hub.normalize.numbers import without_conflicts
from hub.normalize.plan import Admitted
from hub.normalize.replay import is_replay, replays_among, select
from hub.relay import Relay
from hub.release.asked import needed_by
from hub.release.holds import adopt_parked
from hub.seen import Seen
from hub.settings.customers import asking
from hub.settings.model import Site
from hub.telemetry.tracing import Tracing
from hub.workers.jobs import Failed, Normalized, NormalizeResult
from hub.workers.pool import WorkerPool

_PURCHASES_COUNT = timedelta(days=365)
"""How long the same PO number of a buyer through another channel counts as the same purchase."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the pipeline works with; the composition root (`hub/app.py`) builds it."""

    site: Site
    engine: AsyncEngine
    workers: WorkerPool
    relay: Relay
    archive: Archive
    seen: Seen
    clock: Clock
    tracing: Tracing


@dataclass(frozen=True, slots=True)
class Read:
    """A batch whose receipts are archived and read, each in its place."""

    receipts: Sequence[Receipt]
    results: Sequence[NormalizeResult]
    places: Sequence[str]
    """Where the archive keeps the bytes."""


@dataclass(frozen=True, slots=True)
class Decided:
    """A batch that is committed: the events to publish, the receipts that it was the first to see."""

    events: Sequence[Event]
    receipts: Sequence[Receipt]


class Pipeline:
    """From receipts to published documents, in three stages: read, decide, publish."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._known = reference.Known()
        self._asking = asking(parts.site.routes, parts.site.connections)

    async def normalize(self, receipts: Sequence[Receipt]) -> None:
        """Take a batch of receipts all the way.

        May be called again with the same receipts: what was committed is not done twice.
        """
        await self.publish(await self.decide(await self.read(receipts)))

    async def read(self, receipts: Sequence[Receipt]) -> Read:
        """Archive, decode, map, validate and identify: nothing that anybody else can see."""
        parts, bodies = self._parts, [receipt.body for receipt in receipts]
        results, places = await asyncio.gather(
            parts.workers.normalize(receipts),
            parts.archive.store(bodies, parts.clock.now()),
        )
        return Read(receipts, results, places)

    async def decide(self, read: Read) -> Decided:
        """Decide what was read and write all that follows, in one transaction."""
        parts, now = self._parts, self._parts.clock.now()
        with parts.tracing.batch("normalize", read.receipts):
            async with parts.engine.begin() as ledger:
                await by_index(ledger)
                admitted = await self._admit(ledger, read)
                decider = Decider(await self._context(ledger, admitted, now))
                for each in admitted:
                    decider.decide(each)
                plan = decider.plan()
                await record.write(ledger, plan, now)
                plan.events.extend(await adopt_parked(ledger, plan.adopted, parts.site, now))
                reached("normalize.before_commit")
            reached("normalize.after_commit")
        parts.tracing.counted(plan.documents)
        return Decided(plan.events, [each.receipt for each in admitted])

    async def publish(self, decided: Decided) -> None:
        """Publish what was committed; what does not get through is left to the relay's loop."""
        await self._parts.relay.publish(decided.events)
        # Only who calls is answered early: a file repeated is owed its answer again.
        await self._parts.seen.remember([r for r in decided.receipts if self._is_call(r)])

    async def suspect(self, name: str) -> int:
        """Note that a message is about to be decided alone; return how often it was before."""
        async with self._parts.engine.begin() as ledger:
            return await inbox.suspect(ledger, name, self._parts.clock.now())

    async def acquit(self, name: str) -> None:
        """Forget a suspicion: the message was decided and nobody died."""
        async with self._parts.engine.begin() as ledger:
            await inbox.acquit(ledger, name)

    async def quarantine(self, receipt: Receipt, error: HubError) -> None:
        """Set one receipt aside as a dead letter, with its bytes, because `error` stops it."""
        parts, now = self._parts, self._parts.clock.now()
        failed = Failed(0, "", receipt.flow, None, "decode", error, answered=False)
        result = NormalizeResult((failed,), ())
        places = await parts.archive.store([receipt.body], now)
        async with parts.engine.begin() as ledger:
            admitted = await self._admit(ledger, Read([receipt], [result], places))
            decider = Decider(_no_context(parts.site, now))
            for each in admitted:
                decider.decide(each)
            await record.write(ledger, decider.plan(), now)
        await parts.relay.publish(decider.plan().events)

    async def _admit(self, ledger: AsyncConnection, read: Read) -> list[Admitted]:
        """Write the inbox rows; keep only the receipts that nobody has decided before."""
        rows = {
            receipt.id: self._receipt_row(receipt, place)
            for receipt, place in zip(read.receipts, read.places, strict=True)
        }
        bytes_of = {key: (row["connection"], row["sha256"]) for key, row in rows.items()}
        firsts = await inbox.first_with_same_bytes(ledger, bytes_of.values())
        new = await inbox.admit(ledger, list(rows.values()))
        replays = await replays_among(ledger, (r for r in read.receipts if r.id in new))
        checked = await without_conflicts(
            ledger, zip(read.receipts, read.results, strict=True), new
        )
        admitted: dict[str, Admitted] = {}
        seen_here: dict[tuple[str, str], str] = {}
        for receipt, result in zip(read.receipts, read.results, strict=True):
            if receipt.id not in new or receipt.id in admitted:
                continue
            replay = replays.get(receipt.id)
            if replay is None and is_replay(receipt):
                continue  # nobody waits for it any more
            same = bytes_of[receipt.id]
            first = firsts.get(same) or seen_here.setdefault(same, receipt.id)
            admitted[receipt.id] = Admitted(
                receipt,
                select(result, replay) if replay else checked.get(receipt.id, result),
                partner=self._partner(receipt),
                trace_id=self._parts.tracing.trace_id(receipt),
                traceparent=receipt.facts.get("traceparent"),
                same_as=None if first == receipt.id else first,
                polled=self._polled(receipt),
                replay=replay,
            )
        repeats = {a.receipt.id: a.same_as for a in admitted.values() if a.same_as and not a.replay}
        await inbox.mark_duplicates(ledger, repeats)
        return list(admitted.values())

    def _receipt_row(self, receipt: Receipt, place: str) -> dict[str, Any]:
        return {
            "id": receipt.id,
            "connection": receipt.connection,
            "partner": self._partner(receipt),
            "delivery_id": receipt.delivery_id,
            "sha256": hashlib.sha256(receipt.body).hexdigest(),
            "size": len(receipt.body),
            "content_type": receipt.content_type,
            "flow": receipt.flow,
            "facts": orjson.dumps(dict(receipt.facts)).decode(),
            "archive": place,
            "trace_id": self._parts.tracing.trace_id(receipt),
            "received_at": receipt.received_at,
            "decided_at": self._parts.clock.now(),
        }

    def _partner(self, receipt: Receipt) -> str:
        connection = self._parts.site.connections.get(receipt.connection)
        return connection.partner if connection else "unknown"

    def _is_call(self, receipt: Receipt) -> bool:
        connection = self._parts.site.connections.get(receipt.connection)
        return connection is not None and connection.transport.kind == "webhook"

    def _polled(self, receipt: Receipt) -> bool:
        connection = self._parts.site.connections.get(receipt.connection)
        return connection is not None and connection.transport.kind == "poll"

    async def _context(
        self, ledger: AsyncConnection, admitted: Sequence[Admitted], now: datetime
    ) -> Context:
        """Lock the keys of the batch and read everything that deciding depends on."""
        pairs = [
            (each, document)
            for each in admitted
            for document in each.result.documents
            if isinstance(document, Normalized)
        ]
        orders = [document for _, document in pairs if document.entity == Order.entity]
        contents = [order.content_id for order in orders]
        purchases = [order.po_key for order in orders if order.po_key]
        await keys.guard(ledger, contents + purchases)
        heads = await keys.lock(
            ledger,
            (doc.business_key for _, doc in pairs if doc.entity not in REFERENCE_ENTITIES),
            now,
        )
        by_content, by_purchase = await keys.purchases(
            ledger, contents, purchases, now - _PURCHASES_COUNT
        )
        snapshots = [
            (each.receipt.connection, doc.entity, doc.number or "")
            for each, doc in pairs
            if doc.entity in REFERENCE_ENTITIES
        ]
        needed = needed_by(asked for each in admitted for asked in each.asked.values())
        source = self._parts.site.control_points.reference
        return Context(
            site=self._parts.site,
            now=now,
            heads=heads,
            by_content=by_content,
            by_purchase=by_purchase,
            references=await reference.stamps(ledger, snapshots),
            view=await reference.view(ledger, source, needed, self._known),
            customers=await customers(ledger, self._ordered_by(doc for _, doc in pairs)),
        )

    def _ordered_by(self, documents: Iterable[Normalized]) -> set[str]:
        """The references of the orders whose customer has to be known; orders ask for none."""
        return {
            document.reference_number
            for document in documents
            if document.reference_number and document.entity in self._asking
        }


def _no_context(site: Site, now: datetime) -> Context:
    """Return the context of a batch that holds no readable document."""
    return Context(site, now, {}, {}, {}, {}, view=reference.EMPTY)
