"""Everybody around the hub in one run: the partners that send, the operator, the nemesis."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from canonical.errors import HubError, Rejected
from connectors.base import Receipt
from hub.delivery.recovery import UNANSWERABLE
from hub.release import holds
from tests.sim import faults, sql_people, workload
from tests.sim.loop import START
from tests.sim.process import Process
from tests.sim.tables import Engine, Row
from tests.sim.workload import Sending
from tests.sim.world import FAULT_SECONDS, World

_LONGEST_FAULT = 60.0
_MOST_REPLAYS = 3


async def send_all(world: World, sendings: list[Sending]) -> None:
    """Send what one partner sends, each until it hears yes."""
    for number, sending in enumerate(sendings):
        await asyncio.sleep(max(0.0, sending.at - world.loop.time()))
        await _send(world, sending, number)
    world.sending -= 1


async def _send(world: World, sending: Sending, number: int) -> None:
    """Knock until the hub says yes; a yes that gets lost on its way is followed by another try."""
    name = f"{sending.body.decode()}#{number}"
    tries = 0
    while True:
        tries += 1
        # One acceptance each, or one that is tried again within itself: both happen.
        receipt_id = f"{name}.{tries if world.rng.random() < 0.6 else 1}"
        if await _accepted(world, sending, receipt_id):
            world.acknowledged.append((receipt_id, sending.body))
            world.tell("accepted", receipt_id)
            if world.rng.random() > 0.15:
                return
        await asyncio.sleep(world.rng.uniform(0.5, 5.0))


async def _accepted(world: World, sending: Sending, receipt_id: str) -> bool:
    if not world.live:
        return False
    process = world.rng.choice(world.live)
    at = START + timedelta(seconds=world.loop.time())
    receipt = Receipt(receipt_id, sending.connection, sending.body.decode(), at, sending.body)
    call = process.spawn(process.store.save(receipt))
    await asyncio.wait((call,))
    if call.cancelled():
        return False
    error = call.exception()
    if error is not None and not isinstance(error, HubError | OSError):
        raise error
    return error is None and process.alive


async def nemesis(world: World) -> None:
    """Break things until the time for faults is over; then mend everything."""
    rng = world.rng
    while (now := world.loop.time()) < FAULT_SECONDS:
        fault = rng.choice(faults.FAULTS)
        await fault(world)
        await asyncio.sleep(rng.expovariate(1 / rng.choice((3.0, 15.0, 40.0))))
        if world.loop.time() == now:
            await asyncio.sleep(0.1)
    world.ambush = None
    await asyncio.sleep(_LONGEST_FAULT)
    world.store.away = False
    world.store.lost_answers = world.store.failing = 0
    world.broker.late_answers = 0
    world.broker.streams["INTAKE"].full = False
    if not world.broker.up:
        world.broker.start()
    for target in world.targets.values():
        target.moods.clear()
    while len(world.live) < 1:
        world.start_process()
    world.mended_all = True
    world.tell("mended")


class Desk(Process):
    """The operator's machine: no roles run on it, and nobody kills it."""

    def start(self) -> None:
        """Run nothing."""

    async def work(self) -> None:
        """Look at what waits for a person, from time to time, and decide."""
        world = self.world
        engine = Engine(world.store, self)
        while True:
            await asyncio.sleep(world.rng.uniform(10.0, 60.0))
            late = world.loop.time() > FAULT_SECONDS
            try:
                async with engine.begin() as tx:
                    open_holds = [row for row in tx.all("hold") if row["state"] == "open"]
                    letters = [row for row in tx.all("dead_letter") if row["state"] == "open"]
                for row in open_holds:
                    if world.rng.random() < (0.5 if late else 0.2):
                        await self._decide_hold(engine, row)
                for row in letters:
                    if late or world.rng.random() < 0.3:
                        await self._decide_letter(engine, row)
            except OSError:
                continue

    async def _decide_hold(self, engine: Engine, row: Row) -> None:
        world = self.world
        choice = world.rng.choice(("release", "reject", "leave", "leave"))
        if choice == "leave" or row["kind"] in ("orphan", "behind"):
            return
        try:
            async with engine.begin() as tx:
                if choice == "release":
                    await holds.release(tx, row["id"], world.act("checked"), workload.site())  # type: ignore[arg-type]
                else:
                    await holds.reject(tx, row["id"], world.act("refused"), workload.site())  # type: ignore[arg-type]
        except Rejected as error:
            choice = error.code
        world.tell(choice, row["kind"], row["document_id"][:6])

    async def _decide_letter(self, engine: Engine, row: Row) -> None:
        world, name = self.world, world_name(self.world, row)
        if world.rng.random() < 0.6:
            world.mended.add(name)
            world.unwritable.discard(name)
        target = world.targets.get(row["target"])
        unaskable = target is not None and not target.can.can_look_up
        hopeless = (row["code"] == UNANSWERABLE and unaskable) or row["replays"] >= _MOST_REPLAYS
        act = "archive" if hopeless or world.rng.random() < 0.15 else "replay"
        try:
            async with engine.begin() as tx:
                begin = sql_people.archive if act == "archive" else world.replay
                begin(tx, row["id"], world.clock.now())
        except Rejected as error:
            act = error.code
        world.tell(act, row["stage"], row["code"], name)


def world_name(world: World, letter: Row) -> str:
    """Return the name of what a dead letter is about."""
    document = world.store.tables["document"].rows.get(letter["document_id"])
    content = str(document["content_id"]) if document else ""
    if content:
        return content.removeprefix("content of ")
    receipt = world.store.tables["receipt"].rows.get(letter["receipt_id"])
    if receipt is None:
        return ""
    body = world.archive.kept[int(receipt["archive"])]
    return world.load.letters[body][letter["position"]].name
