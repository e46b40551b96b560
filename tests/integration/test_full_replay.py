"""The whole INTAKE stream comes again, as after a power loss that resets what is acknowledged.

A few hundred messages by default; ``make replay COUNT=200000`` takes as many as it is told.
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
_SHARE = 2000
_SECONDS = 60 + COUNT / 10
"""Only a failing test waits that long."""
_TABLES = (receipt, document, delivery, attempt, hold, dead_letter, outbox)


async def take_in(at: Servers) -> None:
    """Store orders, each unlike all others."""
    for start in range(0, COUNT, _SHARE):
        numbers = range(start, min(start + _SHARE, COUNT))
        orders = (paper_order(f"PO-{n}", qty=str(n + 1)) for n in numbers)
        await at.store.save_all(
            [paper_receipt(one, identifier=f"r{n}") for one, n in zip(orders, numbers, strict=True)]
        )


async def delivered(at: Servers) -> bool:
    """Whether the target has all of them, and the ledger knows."""
    done = sa.select(sa.func.count()).where(delivery.c.state == "delivered")
    async with at.engine.connect() as ledger:
        return await ledger.scalar(done) == COUNT


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


async def test_a_replay_of_the_whole_stream_has_no_effect(
    addresses: Addresses, tmp_path: Path
) -> None:
    async with servers(addresses, tmp_path) as at:
        await take_in(at)
        async with hub(at, paper_spec()):
            await wait_for(lambda: delivered(at), deadline=_SECONDS, what="all are delivered")
            await wait_for(lambda: acknowledged(at), deadline=_SECONDS, what="acknowledged")
            before = await books(at)
            began = time.monotonic()
            await at.client.jetstream().reset_consumer(topology.INTAKE, topology.NORMALIZE, 1)
            assert not await acknowledged(at)
            await wait_for(lambda: acknowledged(at), deadline=_SECONDS, what="all came again")
            print(f"{COUNT} messages came again in {time.monotonic() - began:.1f} s")  # noqa: T201
            assert await books(at) == before
        assert len(at.target.effects) == COUNT
        assert at.target.doubled() == []
