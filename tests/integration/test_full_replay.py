"""The whole INTAKE stream comes again, as after a power loss that resets what is acknowledged.

A few hundred messages by default; ``make replay COUNT=200000`` takes as many as it is told. Some of
the orders are delivered, by calls of the target; all others are settled in the ledger as if they had
been, for calling a target 200,000 times takes half an hour and says nothing about a replay.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import sqlalchemy as sa

from hub import topology
from hub.ledger.tables import attempt, dead_letter, delivery, document, hold, outbox, receipt
from hub.servers.addresses import Addresses
from tests.support.dead_letters import Servers, hub, servers
from tests.support.paper import paper_order, paper_receipt, paper_spec
from tests.support.waiting import wait_for

COUNT = int(os.environ.get("CROSSDOCK_REPLAY_COUNT", "300"))
CALLED = min(COUNT // 3, 1000)
"""How many of the orders are delivered by calls."""
_SHARE = 2000
_SECONDS = 60 + COUNT / 10
"""Only a failing test waits that long."""
_TABLES = (receipt, document, delivery, attempt, hold, dead_letter, outbox)


async def take_in(at: Servers, orders: range) -> None:
    """Store orders, each unlike all others."""
    for start in range(orders.start, orders.stop, _SHARE):
        numbers = range(start, min(start + _SHARE, orders.stop))
        documents = (paper_order(f"PO-{n}", qty=str(n + 1)) for n in numbers)
        pairs = zip(documents, numbers, strict=True)
        await at.store.save_all([paper_receipt(each, identifier=f"r{n}") for each, n in pairs])


async def delivered(at: Servers) -> bool:
    """Whether the target has what is delivered by calls, and the ledger knows."""
    if len(at.target.effects) < CALLED:
        return False
    done = sa.select(sa.func.count()).where(delivery.c.state == "delivered")
    async with at.engine.connect() as ledger:
        return await ledger.scalar(done) == CALLED


async def settle(at: Servers) -> None:
    """Write down of all deliveries that wait that they are done."""
    async with at.engine.begin() as ledger:
        waiting = sa.update(delivery).where(delivery.c.state == "pending")
        done = await ledger.execute(waiting.values(state="delivered", settled_at=sa.func.now()))
        assert done.rowcount == COUNT - CALLED
        accepted = sa.update(document).where(document.c.state == "accepted")
        await ledger.execute(accepted.values(state="delivered"))


async def acknowledged(at: Servers) -> bool:
    """Whether every message of the stream is acknowledged."""
    js = at.client.jetstream()
    consumer = await js.consumer_info(topology.INTAKE, topology.NORMALIZE)
    floor = consumer.ack_floor.stream_seq if consumer.ack_floor else 0
    return floor == (await js.stream_info(topology.INTAKE)).state.last_seq


async def books(at: Servers) -> list[tuple[str, int, int]]:
    """How many rows each table has and a sum over all that they say, and what was published."""
    found = []
    async with at.engine.connect() as ledger:
        for table in _TABLES:
            said = sa.text(f"SELECT count(*), coalesce(sum(hashtext(t::text)), 0) FROM {table} t")  # noqa: S608
            count, sums = (await ledger.execute(said)).one()
            found.append((table.name, int(count), int(sums)))
    for stream in (topology.CANONICAL, topology.DEAD):
        info = await at.client.jetstream().stream_info(stream)
        found.append((stream, info.state.messages, info.state.last_seq))
    return found


class Phases:
    """How long each phase of the test took."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._used = time.process_time()

    def end(self, what: str) -> None:
        """Say it."""
        now, used = time.monotonic(), time.process_time()
        seconds, own = now - self._began, used - self._used
        print(f"{COUNT} messages {what}: {seconds:.1f} s, {own:.1f} s of this process")  # noqa: T201
        self._began, self._used = now, used


async def test_a_replay_of_the_whole_stream_has_no_effect(
    addresses: Addresses, tmp_path: Path
) -> None:
    phases = Phases()
    async with servers(addresses, tmp_path) as at:
        async with hub(at, paper_spec()):
            await take_in(at, range(CALLED))
            await wait_for(lambda: delivered(at), deadline=_SECONDS, what="they are delivered")
        async with hub(at, paper_spec(), delivering=False):
            await take_in(at, range(CALLED, COUNT))
            await wait_for(lambda: acknowledged(at), deadline=_SECONDS, what="all are decided")
        phases.end("taken in")
        await settle(at)
        async with hub(at, paper_spec()):
            await wait_for(lambda: acknowledged(at), deadline=_SECONDS, what="all are decided")
            before = await books(at)
            phases.end("settled and counted")
            await at.client.jetstream().reset_consumer(topology.INTAKE, topology.NORMALIZE, 1)
            assert not await acknowledged(at)
            await wait_for(lambda: acknowledged(at), deadline=_SECONDS, what="all came again")
            phases.end("came again")
            assert await books(at) == before
        assert len(at.target.effects) == CALLED
        assert at.target.doubled() == []
