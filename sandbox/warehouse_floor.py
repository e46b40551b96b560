"""The warehouse at work: takes 940 files from the hub's outbox, leaves 945 and 997 files for it.

A file that was read moves to an archive of the warehouse's own, as an FTP pick-up would do.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sandbox import easypost
from sandbox.easypost import CarrierDesk
from sandbox.folder import collect, leave
from sandbox.warehouse import SYSTEM, Prepared, Warehouse
from sandbox.warehouse_order import read_order
from sandbox.world import Effect, World
from sandbox.x12 import Group, TransactionSet, element, read

POLL_SECONDS = 0.05
SYNTAX_ERROR = "5"
"""Element 718: one or more segments in error."""


@dataclass(frozen=True)
class Folders:
    """The two folders, named as the hub names them, and the warehouse's own archive."""

    hub_inbox: Path
    hub_outbox: Path
    archive: Path


@dataclass(frozen=True)
class Pace:
    """How fast the warehouse works, in seconds."""

    ship_after: float = 0.3
    between_parts: float = 0.3
    acknowledges: bool = True
    """Whether it answers each group with a 997."""


class WarehouseFloor:
    """Reads, packs and writes until it is cancelled."""

    def __init__(
        self,
        warehouse: Warehouse,
        world: World,
        carrier: CarrierDesk,
        folders: Folders,
        pace: Pace,
    ) -> None:
        self._warehouse = warehouse
        self._world = world
        self._carrier = carrier
        self._folders = folders
        self._pace = pace

    async def run(self) -> None:
        """Work for ever."""
        for folder in (self._folders.hub_inbox, self._folders.hub_outbox, self._folders.archive):
            folder.mkdir(parents=True, exist_ok=True)
        while True:
            await self._take_in()
            self._pack()
            await self._hand_over()
            await asyncio.sleep(POLL_SECONDS)

    async def _take_in(self) -> None:
        files = await asyncio.to_thread(collect, self._folders.hub_outbox)
        for path, data in files:
            for effect in self._read(path.name, data):
                self._world.record(effect)
        await self._world.journal.flushed()
        for path, _ in files:
            kept = self._folders.archive / f"{self._world.journal.seq:09d}-{path.name}"
            await asyncio.to_thread(shutil.move, path, kept)

    def _pack(self) -> None:
        now = self._world.clock()
        ready = now - timedelta(seconds=self._pace.ship_after)
        for held in [held for held in self._warehouse.held.values() if held.received_at <= ready]:
            packed = self._warehouse.packing(held, now, self._pace.between_parts)
            self._world.record(*packed)

    async def _hand_over(self) -> None:
        now = self._world.clock()
        for file in [file for file in self._warehouse.prepared.values() if file.due <= now]:
            await self._world.journal.flushed()
            await asyncio.to_thread(leave, self._folders.hub_inbox, file.name, file.text.encode())
            self._sent(file)
        await self._world.journal.flushed()

    def _sent(self, file: Prepared) -> None:
        if not file.shipment:
            self._world.record(
                Effect(SYSTEM, "warehouse_ack_sent", file.reference, {"name": file.name})
            )
            return
        shipment = file.shipment
        data = {"name": file.name, "shipment": shipment}
        trackers = [
            self._carrier.new_tracker(file.reference, code, shipment["scac"])
            for code in shipment["tracking_numbers"]
        ]
        self._world.record(
            Effect(SYSTEM, "warehouse_shipment_sent", file.reference, data),
            *(easypost.created(tracker) for tracker in trackers),
        )
        for tracker in trackers:
            self._carrier.follow(tracker)

    def _read(self, name: str, data: bytes) -> Iterator[Effect]:
        """Say what a file means to the warehouse."""
        digest = hashlib.sha256(data).hexdigest()
        try:
            interchanges = read(data.decode("utf-8"))
        except ValueError as error:
            yield Effect(
                SYSTEM, "warehouse_file_refused", name, {"sha256": digest, "why": str(error)}
            )
            return
        for interchange in interchanges:
            # Asked before any of its orders is taken in: those make it a seen one.
            again = (interchange.control, digest) in self._warehouse.interchanges_seen
            facts = {"interchange": interchange.control, "sha256": digest}
            for group in interchange.groups:
                yield from self._read_group(group, facts, again=again)

    def _read_group(self, group: Group, facts: dict[str, str], *, again: bool) -> Iterator[Effect]:
        if group.code == "FA":
            yield from (_acknowledged(one) for one in group.sets)
            return
        refused: dict[str, str] = {}
        for one in group.sets:
            effect = _order(one, facts, again=again)
            if effect.effect == "warehouse_order_refused":
                refused[one.control] = SYNTAX_ERROR
            yield effect
        if self._pace.acknowledges:
            yield self._warehouse.acknowledging(group, refused, self._world.clock())


def _order(one: TransactionSet, facts: dict[str, str], *, again: bool) -> Effect:
    try:
        order = read_order(one)
    except ValueError as error:
        reason = {**facts, "why": str(error)}
        return Effect(SYSTEM, "warehouse_order_refused", facts["interchange"], reason)
    if again:
        return Effect(SYSTEM, "warehouse_order_retransmitted", order.number, facts)
    order_row = {**facts, "order": order.row()}
    return Effect(SYSTEM, "warehouse_order_received", order.number, order_row)


def _acknowledged(one: TransactionSet) -> Effect:
    """The hub's 997 for one of our groups."""
    found = {segment[0]: segment for segment in one.segments}
    group = element(found.get("AK1", []), 2)
    verdict = element(found.get("AK9", []), 1)
    return Effect(SYSTEM, "warehouse_ack_received", group, {"verdict": verdict})
