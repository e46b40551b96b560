"""One simulated hub process: the hub's own parts, built as `hub/app.py` builds them, and mortal."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from canonical.errors import Rejected, Retryable
from connectors.base import Numbers, Receipt
from hub.delivery.parts import DeliverParts, Rendered, SilentObserver, TargetSpec, Timing
from hub.delivery.recovery import Policy
from hub.delivery.role import DeliverRole
from hub.intake.store import ReceiptStore
from hub.ledger.delivery_rows import DeliveryRow, DocumentRow
from hub.normalize.resubmit import Resubmitter
from hub.normalizer import NormalizeRole
from hub.pipeline import Parts, Pipeline
from hub.publisher import Publisher
from hub.relay import Relay
from hub.seen import Seen
from hub.settings.model import Limits
from hub.workers.jobs import NormalizeResult
from tests.sim import workload
from tests.sim.loop import OWNER, SimClock
from tests.sim.nats_client import Connection
from tests.sim.tables import Engine
from tests.sim.target import TIMEOUT_SECONDS, TargetClient

if TYPE_CHECKING:
    from tests.sim.world import World

POLICY = Policy(
    delays_seconds=(8, 20, 60, 300),
    give_up_after_seconds=1800,
    ask_delays_seconds=(1, 5, 30, 120),
    halt_seconds=30,
)
TIMING = Timing(tick=90.0, lease=45.0, margin=5.0, backoff_cap=10.0)
"""The lease and the tick are long for the simulation's sake: what is due wakes the roles."""
LIMITS = Limits(
    concurrency=3,
    per_second=2.0,
    timeout_seconds=TIMEOUT_SECONDS,
    breaker_failures=3,
    breaker_seconds=8.0,
)

MOST_SKEW = 1.0
"""How far a machine's wall clock may be off, in seconds."""


class Dead(asyncio.CancelledError):
    """The process is dead: nothing that it still tries takes place."""


class HalfJitter(random.Random):
    """Jitter from the upper half, so that how long a wait must be is exact."""

    def random(self) -> float:
        """Return a number from [0.5, 1)."""
        return 0.5 + super().random() / 2


@dataclass
class Reader:
    """Worker processes and renderer in one: pure work that takes a moment and can be mended."""

    world: World
    process: Process

    async def normalize(self, receipts: Sequence[Receipt]) -> list[NormalizeResult]:
        """Read receipts, as the workers would."""
        await self.process.step()
        return [self._read(receipt.body) for receipt in receipts]

    def _read(self, body: bytes) -> NormalizeResult:
        letters = self.world.load.letters[body]
        mended = self.world.mended
        return NormalizeResult(
            tuple(
                workload.read(letter, position, mended=letter.name in mended)
                for position, letter in enumerate(letters)
            )
        )

    async def render(self, row: DeliveryRow, source: DocumentRow, numbers: Numbers) -> Rendered:
        """Write a document for its target; some cannot be written until somebody mends it."""
        del numbers
        await self.process.step()
        name = source.content_id.removeprefix("content of ")
        if name in self.world.unwritable:
            raise Rejected("price_missing", "lines[0]", "the target wants one")
        body = {
            "name": name,
            "document": source.id,
            "key": row.business_key,
            "version": row.version,
        }
        return Rendered(body, name.encode(), "1")


class Archive:
    """The archive: shared by all processes, and always there."""

    def __init__(self) -> None:
        self.kept: list[bytes] = []

    def keep(self, bodies: Sequence[bytes], now: datetime) -> list[str]:
        """Keep bytes; their places."""
        del now
        self.kept += bodies
        return [str(len(self.kept) - len(bodies) + index) for index in range(len(bodies))]

    async def store(self, bodies: Sequence[bytes], now: datetime) -> list[str]:
        """Keep bytes as the path of an order does."""
        return await asyncio.to_thread(self.keep, bodies, now)

    async def fetch(self, place: str, sha256: str) -> bytes:
        """Return bytes as whoever replays them asks for them."""
        return await asyncio.to_thread(self.read, place, sha256)

    def read(self, place: str, sha256: str) -> bytes:
        """Return bytes by their place."""
        del sha256
        return self.kept[int(place)]


class NoTracing:
    """Traces nothing: spans are tested with the real thing."""

    @contextlib.contextmanager
    def batch(self, name: str, receipts: Sequence[Receipt]) -> Iterator[None]:
        """Surround a batch with nothing."""
        del name, receipts
        yield

    def trace_id(self, receipt: Receipt) -> None:
        """There is none."""

    def counted(self, documents: object) -> None:
        """Count nothing."""


class Watching(SilentObserver):
    """Hears of what the hub catches: a lane or a role that failed is a bug, here or there."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def event(self, name: str, **facts: str | float) -> None:
        """Note a bug."""
        if name in ("lane_failed", "role_failed"):
            self._process.world.broken.append(f"{name} {facts}")
        if name == "stale_claim":
            self._process.world.tell("stale", self._process.name)


class Process:
    """One hub process, from its start to its death; a restart is another one."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self.alive = True
        self.stopped_until = 0.0
        self.tasks: list[asyncio.Task[Any]] = []
        self.stop = asyncio.Event()
        self.clock = SimClock(world.loop, world.rng.uniform(-MOST_SKEW, MOST_SKEW))
        self._context = copy_context()
        self._context.run(OWNER.set, self)
        self._build()

    async def step(self, likely: float = 0.5) -> None:
        """Let a moment pass, with that likelihood; what is dead gets no further, what is stopped waits."""
        loop, rng = self.world.loop, self.world.rng
        if not self.alive:
            raise Dead
        if rng.random() < likely:
            await asyncio.sleep(rng.random() * 0.02)
        if loop.time() < self.stopped_until:
            await asyncio.sleep(self.stopped_until - loop.time())
        if not self.alive:
            raise Dead

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run something in this process."""
        return self._context.run(self.world.loop.create_task, work)

    def kill(self) -> None:
        """``kill -9``: nothing of it runs any further, whatever it was doing."""
        self.alive = False
        for task in self.tasks:
            task.cancel()

    def wake(self, target: str) -> None:
        """Tell a deliver role that something may be due."""
        if self.alive and target in self.roles:
            self.roles[target].wake()

    def _build(self) -> None:
        world = self.world
        engine: Any = Engine(world.store, self)
        connection: Any = Connection(world.broker, self)
        publisher = Publisher(connection, connection)
        self.store = ReceiptStore(connection, publisher)
        self.relay = Relay(engine, publisher)
        self._reader = Reader(world, self)
        parts = Parts(
            site=workload.site(),
            engine=engine,
            workers=cast("Any", self._reader),
            relay=self.relay,
            archive=cast("Any", world.archive),
            seen=Seen(None, self.clock),
            clock=self.clock,
            tracing=cast("Any", NoTracing()),
        )
        self._normalize = NormalizeRole(connection, connection, self.store, Pipeline(parts))
        self._resubmit = Resubmitter(engine, cast("Any", world.archive), self.store, self.clock)
        self._deliver(engine)

    def _deliver(self, engine: Any) -> None:
        world = self.world
        self.parts = DeliverParts(
            engine=engine,
            renderer=cast("Any", self._reader),
            clock=self.clock,
            rng=HalfJitter(world.rng.random()),
            policy=POLICY,
            timing=world.timing,
            observer=Watching(self),
            woken=self.wake,
        )
        self.roles = {
            name: DeliverRole(
                TargetSpec(name, TargetClient(target, self), target.can, LIMITS), self.parts
            )
            for name, target in world.targets.items()
        }

    def start(self) -> None:
        """Run all roles."""
        works: list[Callable[[asyncio.Event], Coroutine[Any, Any, None]]] = [
            self._normalize.run,
            self.relay.run,
            self._resubmitting,
            *(role.run for role in self.roles.values()),
        ]
        for work in works:
            self.spawn(work(self.stop))

    async def _resubmitting(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            with contextlib.suppress(Retryable, OSError):
                await self._resubmit.run()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(40.0):
                    await stop.wait()
