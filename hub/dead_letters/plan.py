"""What a replay would do, without doing it: the target is asked, the mapping is tried.

Codes, beside those of `ask`, the mapping and the codec: ``document_missing``, ``receipt_missing``
(the ledger lost what the letter is about), ``render_failed`` (a bug: the detail names its type).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from canonical.errors import HubError, Rejected, Retryable
from connectors.base import Numbers
from hub.archive import Archive
from hub.clock import Clock, SystemClock
from hub.dead_letters import letters
from hub.dead_letters.ask import Targets, ask, compare
from hub.dead_letters.replay import may_be_there
from hub.delivery.outbound import NOTHING, outbound, unnumbered
from hub.delivery.parts import Rendered, Renderer, TargetSpec
from hub.ledger import dead_letters
from hub.ledger.arrays import among
from hub.ledger.control_numbers import key_of
from hub.ledger.delivery_rows import DeliveryRow, DocumentRow
from hub.ledger.shipped import shipped
from hub.ledger.tables import (
    attempt,
    control_counter,
    control_number,
    delivery,
    document,
    hold,
    receipt,
)
from hub.normalize.replay import replay_of, replay_receipt, select
from hub.workers.jobs import Failed, Normalized
from hub.workers.pool import WorkerPool

Letter = Mapping[str, Any]

STILL_OPEN = "answer_still_open"
"""A client's code for: not there, but a lost request may still be at work."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a replay of one letter would meet."""

    id: str
    stage: str
    target: str | None
    number: str | None
    at_target: str = ""
    """``not_there``, ``there`` or ``unknown``; "" where no target is concerned."""
    same: str = ""
    """Of what is there: ``identical``, ``different``, or "" where the target cannot tell."""
    different: Sequence[str] = field(default_factory=tuple)
    """The places where the target has something else; values only in `dlq diff`."""
    warnings: Sequence[str] = field(default_factory=tuple)
    """``order_shipped``: a change to an order that has a shipment is usually refused."""
    mapping: str = ""
    """``would_pass`` or ``would_fail``, tried with the mappings as they are now."""
    code: str = ""
    where: str = ""
    detail: str = ""
    """Why the mapping would fail, or what it would make."""
    external_id: str = ""
    """The target's own id of what is there."""
    ask_code: str = ""
    ask_detail: str = ""
    """Why the target's answer is not known."""
    mapping_version: str | None = None
    """The mapping that was tried."""
    waiting: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    """What waits for it."""

    def row(self) -> dict[str, Any]:
        """Return it as a row to print."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A delivery as it would be sent now."""

    row: DeliveryRow
    of: DocumentRow
    target: TargetSpec | None
    unreachable: HubError | None
    """Why the target cannot be built."""
    rendered: Rendered
    found: Forecast
    """Whether the mapping passed."""


@dataclass(frozen=True, slots=True)
class Planner:
    """Plans letters; nothing that it does has an effect."""

    engine: AsyncEngine
    archive: Archive
    targets: Targets
    renderer: Renderer
    workers: WorkerPool
    clock: Clock = field(default_factory=SystemClock)

    async def plan(self, letter: Letter) -> Forecast:
        """Return what a replay of the letter would meet.

        Args:
            letter: a row of `letters.listing`.
        """
        blank = Forecast(letter["id"], letter["stage"], letter["target"], letter.get("number"))
        try:
            if letter["delivery_id"] is None:
                return await self._from_receipt(letter, blank)
            return await self._delivery(letter)
        except HubError as error:
            return _would_fail(blank, error)

    async def prepare(self, letter: Letter) -> Prepared:
        """Return a delivery as it would be sent now, and its target.

        Raises:
            Rejected: ``document_missing``; the mapping's or the codec's refusal is in `found`.
        """
        blank = Forecast(letter["id"], letter["stage"], letter["target"], letter.get("number"))
        async with self.engine.connect() as ledger:
            sent = await _row(ledger, delivery, letter["delivery_id"])
            source = await _row(ledger, document, letter["document_id"])
        if sent is None or source is None:
            raise Rejected("document_missing", letter["id"], "the ledger has lost what it is about")
        row = DeliveryRow(**{each.name: sent[each.name] for each in fields(DeliveryRow)})
        of = DocumentRow(**{each.name: source[each.name] for each in fields(DocumentRow)})
        target, unreachable = self._target(row.target)
        rendered, found = await self._render(row, of, target, blank)
        return Prepared(row, of, target, unreachable, rendered, found)

    async def _delivery(self, letter: Letter) -> Forecast:
        ready = await self.prepare(letter)
        async with self.engine.connect() as ledger:
            waiting = await letters.waiting(ledger, letter)
        found = replace(ready.found, waiting=waiting, warnings=await self._warnings(ready.of))
        if ready.target is None:
            return found if ready.unreachable is None else _unknown(found, ready.unreachable)
        return await self._asked(ready.target, ready.row, ready.rendered, found)

    async def _asked(
        self, target: TargetSpec, row: DeliveryRow, rendered: Rendered, found: Forecast
    ) -> Forecast:
        sending = outbound(row, target, rendered)
        try:
            there = await ask(target, sending)
        except HubError as error:
            if error.code == STILL_OPEN and await self._is_over(row.id, error):
                return replace(found, at_target="not_there")
            return _unknown(found, error)
        if there is None:
            return replace(found, at_target="not_there")
        known = replace(found, at_target="there", external_id=there.external_id)
        differ = None if found.mapping != "would_pass" else await compare(target, sending)
        if differ is None:
            return known
        places = tuple(each.where for each in differ)
        return replace(known, same="different" if places else "identical", different=places)

    async def _is_over(self, delivery_id: str, error: HubError) -> bool:
        """Whether no request of the delivery can be at work any more.

        A client that has just been built cannot know it; the ledger does. Every try was answered,
        or the last one is longer ago than the client would wait (its `retry_after`).
        """
        async with self.engine.connect() as ledger:
            if not await ledger.scalar(sa.select(may_be_there(sa.literal(delivery_id)))):
                return True
            last = sa.func.max(sa.func.coalesce(attempt.c.ended_at, attempt.c.started_at))
            at = await ledger.scalar(sa.select(last).where(attempt.c.delivery_id == delivery_id))
        wait = error.retry_after if isinstance(error, Retryable) else None
        if at is None or wait is None:
            return False
        passed: timedelta = self.clock.now() - at
        return passed.total_seconds() > wait

    async def _warnings(self, of: DocumentRow) -> tuple[str, ...]:
        if of.entity != "order_change":
            return ()
        async with self.engine.connect() as ledger:
            return ("order_shipped",) if await shipped(ledger, of.id) else ()

    def _target(self, name: str) -> tuple[TargetSpec | None, HubError | None]:
        try:
            return self.targets.get(name), None
        except HubError as error:
            return None, error

    async def _render(
        self, row: DeliveryRow, of: DocumentRow, target: TargetSpec | None, blank: Forecast
    ) -> tuple[Rendered, Forecast]:
        """Map and encode it as the courier would, under numbers that nobody takes."""
        async with self.engine.connect() as ledger:
            numbers = await _numbers(ledger, target.control_scope if target else None, row)
        try:
            rendered = await self.renderer.render(row, of, numbers)
        except HubError as error:
            return NOTHING, _would_fail(blank, error)
        except Exception as error:  # a bug there must not end the plan of all other letters
            failed = Rejected("render_failed", "", type(error).__name__)
            return NOTHING, _would_fail(blank, failed)
        version = rendered.mapping_version
        return rendered, replace(blank, mapping="would_pass", mapping_version=version)

    async def _from_receipt(self, letter: Letter, blank: Forecast) -> Forecast:
        async with self.engine.connect() as ledger:
            row = await _row(ledger, receipt, letter["receipt_id"])
            earlier = await dead_letters.documents_of(ledger, [letter["receipt_id"]])
            edited = await dead_letters.edited_of(ledger, letter["edit_id"])
        if row is None:
            raise Rejected("receipt_missing", letter["id"], "the ledger has no such receipt")
        place, sha256 = edited or (row["archive"], row["sha256"])
        body = await asyncio.to_thread(self.archive.read, place, sha256)
        named = {key: letter[key] for key in ("position", "replays")} | {"letter": letter["id"]}
        again = replay_receipt({**row, **named}, body)
        (result,) = await self.workers.normalize([again])
        made = select(result, replay_of(letter, earlier)).documents
        for item in made:
            if isinstance(item, Failed):
                tried = replace(blank, mapping_version=item.mapping_version)
                return _would_fail(tried, item.error)
        return await self._passed([each for each in made if isinstance(each, Normalized)], blank)

    async def _passed(self, made: Sequence[Normalized], blank: Forecast) -> Forecast:
        async with self.engine.connect() as ledger:
            parked = await _parked(ledger, [each.business_key for each in made])
        found = replace(blank, mapping="would_pass", waiting=parked)
        if not made:
            return found
        detail = "; ".join(f"{each.entity} {each.number or ''}".rstrip() for each in made)
        version = made[0].mapping_version
        return replace(found, detail=detail, number=made[0].number, mapping_version=version)


def _unknown(found: Forecast, error: HubError) -> Forecast:
    return replace(found, at_target="unknown", ask_code=error.code, ask_detail=error.detail)


def _would_fail(found: Forecast, error: HubError) -> Forecast:
    code, where, detail = error.code, error.where, error.detail
    return replace(found, mapping="would_fail", code=code, where=where, detail=detail)


async def _numbers(ledger: AsyncConnection, scope: str | None, row: DeliveryRow) -> Numbers:
    """Return the control numbers it has, or those that it would get if it were sent now."""
    if scope is None:
        return unnumbered(row)
    key = key_of(row.reference, row.action, row.version)
    mine = control_number.c.scope == scope, control_number.c.key == key
    known = (await ledger.execute(sa.select(control_number).where(*mine))).first()
    if known is not None:
        return Numbers(known.number, known.number, known.at)
    counter = sa.select(control_counter.c.next).where(control_counter.c.scope == scope)
    number = await ledger.scalar(counter) or 1
    return Numbers(number, number, row.created_at)


async def _parked(ledger: AsyncConnection, keys: Sequence[str]) -> list[dict[str, Any]]:
    """Return the changes that are parked until an original under one of the keys arrives."""
    result = await ledger.execute(
        sa.select(document.c.entity, document.c.number, document.c.version)
        .join(hold, hold.c.document_id == document.c.id)
        .where(among(hold.c.business_key, keys), hold.c.kind == "orphan", hold.c.state == "open")
        .order_by(document.c.sequence)
    )
    return [dict(row) for row in result.mappings()]


async def _row(ledger: AsyncConnection, table: sa.Table, row_id: str | None) -> Letter | None:
    found = await ledger.execute(sa.select(table).where(table.c.id == row_id))
    row = found.mappings().first()
    return None if row is None else dict(row)
