"""The hub under measurement: the real normalize role on real servers, put together as `hub/app.py` does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa
from nats.aio.client import Client
from nats.js import JetStreamContext
from sqlalchemy.ext.asyncio import AsyncEngine

from connectors.registry import CONNECTORS
from hub import topology
from hub.app import MAPPINGS
from hub.archive import Archive
from hub.clock import SystemClock
from hub.intake.door import Door
from hub.intake.store import ReceiptStore
from hub.ledger.engine import ledger_id, open_engine
from hub.ledger.tables import delivery, document, hold, outbox, receipt
from hub.memory import settle
from hub.normalizer import NormalizeRole
from hub.pipeline import Parts, Pipeline
from hub.publisher import Publisher
from hub.relay import Relay
from hub.seen import Seen
from hub.servers.addresses import Addresses
from hub.telemetry.metrics import Metrics
from hub.telemetry.tracing import Tracing
from hub.workers.pool import WorkerPool
from hub.workers.spec import worker_spec
from tests.bench import cpu
from tests.bench.orders import LINES, receipts, reference_data
from tests.bench.runs import Run
from tests.bench.site import site
from tests.bench.world import World, connected, stored

_FILL_AT_ONCE = 500
_SENDERS = 64
_LOOK_SECONDS = 0.05
_SETTLED_SECONDS = 10


@dataclass(slots=True)
class Hub:
    """One hub with a ledger of its own; orders are counted on from run to run."""

    world: World
    client: Client
    js: JetStreamContext
    engine: AsyncEngine
    workers: WorkerPool
    pipeline: Pipeline
    relay: Relay
    store: ReceiptStore
    door: Door
    each: int = 1
    """Orders of one interchange."""
    taken: int = 0
    before: dict[str, int] = field(default_factory=dict)
    """What the ledger held at the start."""

    async def drain(self, orders: int) -> Run:
        """Fill the INTAKE stream, then measure until CANONICAL holds every order."""
        for start in range(0, orders, _FILL_AT_ONCE):
            count = min(_FILL_AT_ONCE, orders - start)
            await self.store.save_all(list(receipts(self.taken + start, count, self.each)))
        return await self._measured(orders, intake=False)

    async def through(self, orders: int) -> Run:
        """Measure from the door (so many senders at once) to CANONICAL."""
        return await self._measured(orders, intake=True)

    async def _measured(self, orders: int, *, intake: bool) -> Run:
        settle()
        before = await stored(self.js, topology.CANONICAL)
        stop = asyncio.Event()
        role = NormalizeRole(self.client, self.js, self.store, self.pipeline)
        used = cpu.seconds(self._processes())
        started = time.perf_counter()
        tasks = [asyncio.create_task(role.run(stop)), asyncio.create_task(self.relay.run(stop))]
        if intake:
            await self._senders(orders)
        while await stored(self.js, topology.CANONICAL) < before + orders:
            await asyncio.sleep(_LOOK_SECONDS)
            for task in tasks:
                if task.done():
                    task.result()
        seconds = time.perf_counter() - started
        spent = cpu.difference(used, cpu.seconds(self._processes()))
        stop.set()
        await asyncio.gather(*tasks)
        self.taken += orders
        await self._check()
        return Run(orders, seconds, spent)

    async def _senders(self, orders: int) -> None:
        waiting = iter(list(receipts(self.taken, orders, self.each)))

        async def send() -> None:
            for each in waiting:
                await self.door.accept(each)

        await asyncio.gather(*(send() for _ in range(_SENDERS)))

    def _processes(self) -> dict[str, frozenset[int] | set[int]]:
        return {"hub": cpu.own(), "workers": self.workers.pids, **self.world.pids}

    async def _check(self) -> None:
        """Refuse a figure whose books do not add up; the server may still be counting acks."""
        until = time.monotonic() + _SETTLED_SECONDS
        while (found := await self._found()) != (expected := self._expected()):
            if time.monotonic() > until:
                raise AssertionError(f"the books do not add up: {found} instead of {expected}")
            await asyncio.sleep(_LOOK_SECONDS)

    async def _found(self) -> dict[str, int]:
        published = await stored(self.js, topology.CANONICAL)
        consumer = await self.js.consumer_info(topology.INTAKE, topology.NORMALIZE)
        counted = await self.counted()
        return {
            "published orders": published - _SNAPSHOTS,
            "unacknowledged": consumer.num_ack_pending + consumer.num_pending,
            **{name: n - self.before.get(name, 0) for name, n in counted.items()},
        }

    def _expected(self) -> dict[str, int]:
        n = self.taken
        return {
            "published orders": n,
            "unacknowledged": 0,
            "accepted orders": n,
            "answers": n // self.each,
            "receipts": n // self.each,
            "deliveries": 2 * n + n // self.each,
            "holds": 0,
            "outbox": 0,
        }

    async def counted(self) -> dict[str, int]:
        """Return what the ledger holds."""
        orders = sa.and_(document.c.entity == "order", document.c.state == "accepted")
        answers = sa.and_(document.c.entity == "acknowledgement")
        return {
            "accepted orders": await self._count(document, orders),
            "answers": await self._count(document, answers),
            "receipts": await self._count(receipt) - len(reference_data()),
            "deliveries": await self._count(delivery),
            "holds": await self._count(hold),
            "outbox": await self._count(outbox),
        }

    async def _count(self, table: sa.Table, which: sa.ColumnElement[bool] | None = None) -> int:
        query = sa.select(sa.func.count()).select_from(table)
        async with self.engine.connect() as ledger:
            counted = await ledger.scalar(query if which is None else query.where(which))
        return int(counted or 0)


_SNAPSHOTS = 1 + 2 * LINES
"""Events that the reference data makes: a customer, the items and their stock."""


@asynccontextmanager
async def hub(world: World, processes: int, folder: Path, each: int = 1) -> AsyncIterator[Hub]:
    """Open a hub on a fresh ledger that knows the customers, items and stock."""
    bench = site(processes)
    addresses = await world.fresh()
    spec = worker_spec(bench, CONNECTORS, MAPPINGS)
    async with (
        connected(addresses.nats_url) as (client, js),
        WorkerPool(spec, bench.workers) as workers,
        _parts(addresses, folder) as (engine, seen, archive),
    ):
        clock, metrics = SystemClock(), Metrics()
        await topology.declare(js, await ledger_id(engine, clock), topology.Sizes())
        publisher = Publisher(client, js)
        relay, store, tracing = (
            Relay(engine, publisher),
            ReceiptStore(js, publisher),
            Tracing(metrics),
        )
        pipeline = Pipeline(Parts(bench, engine, workers, relay, archive, seen, clock, tracing))
        door = Door(store, seen, engine, clock, metrics, tracing)
        await pipeline.normalize(reference_data())
        opened = Hub(world, client, js, engine, workers, pipeline, relay, store, door, each)
        opened.before = await opened.counted()
        yield opened
    await world.drop(addresses)


@asynccontextmanager
async def _parts(
    addresses: Addresses, folder: Path
) -> AsyncIterator[tuple[AsyncEngine, Seen, Archive]]:
    engine = open_engine(addresses.database_url)
    seen = Seen.at(addresses.redis_url, SystemClock())
    archive = Archive(folder / addresses.database_url.rpartition("/")[2])
    try:
        yield engine, seen, archive
    finally:
        await seen.close()
        await engine.dispose()
        archive.close()
