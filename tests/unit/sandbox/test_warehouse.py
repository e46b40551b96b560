"""The warehouse's state, and its work on real folders."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sandbox import easypost
from sandbox.easypost import Carrier, CarrierDesk, CarrierPace
from sandbox.warehouse import Warehouse
from sandbox.warehouse_floor import Folders, Pace, WarehouseFloor
from sandbox.webhook import Hub, Sender
from sandbox.world import Effect, World
from sandbox.x12 import Envelope, Segment, read, write
from tests.support.waiting import wait_for

AT = datetime(2026, 3, 2, 10, 11, tzinfo=UTC)


class Yard:
    """A warehouse with its world and folders."""

    def __init__(self, root: Path, new_world: Callable[..., World]) -> None:
        self.folders = Folders(root / "inbox", root / "outbox", root / "archive")
        self._new_world = new_world
        self.open()

    def open(self) -> None:
        """Start, or start again after a crash."""
        self.warehouse, self.carrier, hub = Warehouse(), Carrier(), Hub()
        self.world = self._new_world(self.warehouse, self.carrier, hub)
        sender = Sender(self.carrier.deliveries, self.world, hub, easypost.signing("s"))
        desk = CarrierDesk(self.carrier, self.world, sender, CarrierPace(automatic=False))
        self.floor = WarehouseFloor(
            self.warehouse, self.world, desk, self.folders, Pace(ship_after=0, between_parts=0)
        )

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        work = asyncio.create_task(self.floor.run())
        try:
            yield
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    def send(self, name: str, text: str) -> None:
        self.folders.hub_outbox.mkdir(parents=True, exist_ok=True)
        temporary = self.folders.hub_outbox / f".{name}.tmp"
        temporary.write_text(text)
        temporary.rename(self.folders.hub_outbox / name)

    def effects(self, effect: str) -> list[dict[str, Any]]:
        self.world.journal.flush()
        return [one for one in self.world.journal.entries() if one["effect"] == effect]

    def left(self, pattern: str) -> list[str]:
        return [path.read_text() for path in sorted(self.folders.hub_inbox.glob(pattern))]


@pytest.fixture
def yard(tmp_path: Path, new_world: Callable[..., World]) -> Yard:
    return Yard(tmp_path, new_world)


def _order(number: str = "XD1", quantity: str = "4") -> list[Segment]:
    return [
        ["W05", "N", number, "PO-1"],
        ["LX", "1"],
        ["W01", quantity, "EA", "", "VN", "1896-S"],
    ]


def _file(control: int, *orders: list[Segment]) -> str:
    envelope = Envelope("CROSSDOCK", "LAKESIDE3PL", control, AT, "OW")
    return write(envelope, [("940", order) for order in orders])


async def test_an_order_becomes_an_advice_and_an_acknowledgement(yard: Yard) -> None:
    yard.send("940_1.x12", _file(1, _order()))
    async with yard.at_work():
        await wait_for(lambda: yard.left("945_*") and yard.left("997_*"))
        await wait_for(lambda: yard.effects("warehouse_shipment_sent"))
    (advice,) = read(yard.left("945_*")[0])
    assert (advice.sender, advice.receiver) == ("LAKESIDE3PL", "CROSSDOCK")
    assert advice.groups[0].code == "SW"
    w06 = advice.groups[0].sets[0].segments[0]
    assert (w06[2], w06[6]) == ("XD1", "PO-1")
    (answer,) = read(yard.left("997_*")[0])
    assert answer.groups[0].sets[0].segments[0] == ["AK1", "OW", "1"]
    (sent,) = yard.effects("warehouse_shipment_sent")
    assert sent["shipment"]["items"] == [{"item": "1896-S", "quantity": "4", "unit": "EA"}]
    tracking = sent["shipment"]["tracking_numbers"][0]
    assert yard.carrier.trackers[tracking].reference == "XD1"
    assert list(yard.folders.hub_outbox.iterdir()) == []
    assert len(list(yard.folders.archive.iterdir())) == 1


async def test_a_retransmitted_interchange_is_not_shipped_again(yard: Yard) -> None:
    async with yard.at_work():
        yard.send("a.x12", _file(1, _order()))
        await wait_for(lambda: yard.effects("warehouse_shipment_sent"))
        yard.send("b.x12", _file(1, _order()))
        await wait_for(lambda: yard.effects("warehouse_order_retransmitted"))
        await wait_for(lambda: len(yard.left("997_*")) == 2)
    assert len(yard.effects("warehouse_order_received")) == 1
    assert len(yard.left("945_*")) == 1


async def test_the_same_order_in_a_new_interchange_is_shipped_twice_as_a_real_one_would(
    yard: Yard,
) -> None:
    yard.send("a.x12", _file(1, _order()))
    yard.send("b.x12", _file(2, _order()))
    async with yard.at_work():
        await wait_for(lambda: len(yard.left("945_*")) == 2)
    contents = {one["order"]["content"] for one in yard.effects("warehouse_order_received")}
    assert len(contents) == 1


async def test_two_orders_of_one_interchange_are_both_taken_in(yard: Yard) -> None:
    yard.send("a.x12", _file(1, _order("XD1"), _order("XD2")))
    async with yard.at_work():
        await wait_for(lambda: len(yard.left("945_*")) == 2)
    received = yard.effects("warehouse_order_received")
    assert [one["reference"] for one in received] == ["XD1", "XD2"]


async def test_one_bad_order_of_two_is_refused_alone(yard: Yard) -> None:
    yard.send("a.x12", _file(1, _order("XD1"), [["W05", "N", "XD2"]]))
    async with yard.at_work():
        await wait_for(lambda: yard.left("945_*") and yard.left("997_*"))
    assert yard.effects("warehouse_order_refused")[0]["why"] == "expected at least one W01"
    assert "AK9*P*2*2*1~" in yard.left("997_*")[0]


async def test_files_that_are_no_orders_do_no_harm(yard: Yard) -> None:
    yard.send("bad.x12", "hello")
    yard.send(".hidden", _file(1, _order("XD7")))
    yard.send("half.tmp", _file(2, _order("XD8")))
    acknowledged = [["AK1", "SW", "7"], ["AK9", "A", "1", "1", "1"]]
    envelope = Envelope("CROSSDOCK", "LAKESIDE3PL", 3, AT, "FA")
    yard.send("ack.x12", write(envelope, [("997", acknowledged)]))
    async with yard.at_work():
        await wait_for(lambda: yard.effects("warehouse_ack_received"))
        await wait_for(lambda: yard.effects("warehouse_file_refused"))
    assert yard.effects("warehouse_ack_received")[0]["verdict"] == "A"
    assert yard.effects("warehouse_order_received") == []
    assert yard.left("997_*") == []


async def test_a_plan_is_for_its_order_or_for_the_next(yard: Yard) -> None:
    plan = {"short": {}, "parts": 2, "unit": "", "each": "1"}
    own = plan | {"id": "p1", "reference": "XD2"}
    following = plan | {"id": "p2", "reference": "", "parts": 1, "short": {"1896-S": "3"}}
    for row in (following, own):
        yard.world.record(Effect("warehouse", "warehouse_plan_set", "", {"plan": row}))
    yard.send("a.x12", _file(1, _order("XD2"), _order("XD1"), _order("XD3")))
    async with yard.at_work():
        await wait_for(lambda: len(yard.effects("warehouse_shipment_sent")) == 4)
    shipped = [
        (one["reference"], one["shipment"]["items"][0]["quantity"])
        for one in yard.effects("warehouse_shipment_sent")
    ]
    assert shipped == [("XD2", "2"), ("XD2", "2"), ("XD1", "1"), ("XD3", "4")]
    assert yard.warehouse.plans == []


async def test_a_packed_file_that_was_not_left_is_left_after_a_crash_with_the_same_bytes(
    yard: Yard,
) -> None:
    yard.send("a.x12", _file(1, _order()))
    async with yard.at_work():
        await wait_for(lambda: yard.effects("warehouse_shipment_sent"))
    (before,) = yard.left("945_*")
    journal = yard.world.journal.path
    lines = journal.read_text().splitlines(keepends=True)
    cut = next(n for n, line in enumerate(lines) if "warehouse_shipment_sent" in line)
    journal.write_text("".join(lines[:cut]))
    for file in yard.folders.hub_inbox.iterdir():
        file.unlink()

    yard.open()
    async with yard.at_work():
        await wait_for(lambda: yard.effects("warehouse_shipment_sent"))
    assert yard.left("945_*") == [before]
