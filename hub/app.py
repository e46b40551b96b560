"""The composition root: builds everything from the settings, starts it, stops it in order."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog
from fastapi import APIRouter
from nats.aio.client import Client as NatsClient
from nats.js import JetStreamContext
from sqlalchemy.ext.asyncio import AsyncEngine

from connectors.registry import CONNECTORS
from hub.agreements import as2_partners
from hub.api.access import Access
from hub.api.app import Switch, http_app
from hub.api.dead_letters import DeadLettersApi
from hub.api.dead_letters import Desk as LettersDesk
from hub.api.documents import DocumentsApi
from hub.api.findings import FindingsApi
from hub.api.health import Health
from hub.api.server import serving
from hub.archive import Archive
from hub.clock import SystemClock
from hub.connections import Live, live
from hub.dead_letters.runner import EVERY_SECONDS, ReplayRunner
from hub.delivery.carriers import Books
from hub.delivery.parts import DeliverParts, TargetSpec
from hub.delivery.recovery import Policy
from hub.delivery.role import DeliverRole
from hub.deployed import installed, parts
from hub.frame import Frame
from hub.gathered import Gathered
from hub.intake.as2 import As2Intake
from hub.intake.as2_receipts import Receipts
from hub.intake.door import Door
from hub.intake.folder import FolderIntake
from hub.intake.http import WebhookIntake
from hub.intake.poll import PollIntake
from hub.intake.remote import RemoteIntake
from hub.intake.store import ReceiptStore
from hub.jobs import Housekeeping, Jobs, Scheduled
from hub.ledger import deployments, outbox
from hub.ledger import engine as ledgers
from hub.ledger.shared_clock import SharedClock
from hub.ledger.turns import Turns
from hub.mailboxes import opener
from hub.memory import settle
from hub.normalize.resubmit import Resubmitter
from hub.normalizer import NormalizeRole
from hub.pipeline import Parts, Pipeline
from hub.probes import probes
from hub.pruning import Pruner
from hub.publisher import Publisher
from hub.reconcile.runner import Reconciler
from hub.relay import Relay
from hub.release.judging import JudgeAgain
from hub.render import WorkerRenderer
from hub.seen import Seen
from hub.servers.addresses import Addresses
from hub.servers.supervisor import EmbeddedServers
from hub.settings.model import FolderTransport, PollTransport, Site
from hub.settings.secrets import resolve
from hub.settings.transports import FtpsTransport, SftpTransport
from hub.telemetry.metrics import Metrics
from hub.telemetry.observer import DeliveryObserver
from hub.telemetry.tracing import Tracing
from hub.wake import WakeRunner
from hub.watch import Streams, StreamWatch, sizes
from hub.watchdog import Watchdog
from hub.workers.pool import WorkerPool
from hub.workers.spec import worker_spec

ROLES = ("intake", "normalize", "deliver", "jobs", "api")
MAPPINGS = Path(__file__).parent.parent / "mappings"

Run = Callable[[asyncio.Event], Awaitable[None]]
"""One part at work until the event is set."""


@dataclass(frozen=True, slots=True)
class Base:
    """What the roles of one process share."""

    site: Site
    connections: Mapping[str, Live]
    clock: SharedClock
    metrics: Metrics
    tracing: Tracing
    engine: AsyncEngine
    patient: AsyncEngine
    """The same ledger for long jobs, whose statements only PostgreSQL limits."""
    turns: Turns
    nats: NatsClient
    js: JetStreamContext
    watch: StreamWatch
    publisher: Publisher
    store: ReceiptStore
    """The way into the INTAKE stream; one for all, so that whoever comes together shares a publish."""
    relay: Relay
    seen: Seen
    archive: Archive
    workers: WorkerPool
    versions: frozenset[str]
    """Of the mappings that the workers run."""

    def door(self) -> Door:
        """Return what every transport hands its receipts to."""
        return Door(self.store, self.seen, self.engine, self.clock, self.metrics, self.tracing)


async def run_hub(
    site: Site, roles: frozenset[str], announce: Callable[[Addresses, int], None]
) -> None:
    """Run one process of the hub until SIGTERM or SIGINT.

    Args:
        site: the configuration.
        roles: some of `ROLES`.
        announce: told the addresses and the HTTP port once the hub is at work.

    Raises:
        ConfigError: the configuration, the ledger or the streams are not fit for this hub.
    """
    stop = _stop_on_signals()
    connections = live(site)
    servers = EmbeddedServers(site.data_dir, site.servers)
    servers.refuse_a_second()  # before its port is in the way, which would hide why
    switch = Switch()
    async with AsyncExitStack() as stack:
        watchdog = asyncio.create_task(Watchdog().run(stop))
        port = await stack.enter_async_context(serving(switch, site.http))
        addresses = await stack.enter_async_context(servers)
        starting = asyncio.create_task(
            stack.enter_async_context(_base(site, connections, addresses))
        )
        base = await _unless_stopped(starting, stop)
        if base is not None:
            switch.show(http_app(_routers(base, roles)))
            settle()
            announce(addresses, port)
            await _work(list(_runs(base, roles)), stop)
        await watchdog


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


async def _unless_stopped(starting: asyncio.Task[Base], stop: asyncio.Event) -> Base | None:
    """Wait for the start, however long the servers take, but not beyond a signal to stop."""
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({starting, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if starting.done():
        return starting.result()
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    return None


@asynccontextmanager
async def _base(
    site: Site, connections: Mapping[str, Live], addresses: Addresses
) -> AsyncIterator[Base]:
    """Connect to the servers, waiting for those that are not there yet, and build the base."""
    engine = ledgers.open_engine(addresses.database_url)
    patient = ledgers.open_engine(
        addresses.database_url, pool_size=2, command_seconds=ledgers.LONG_SECONDS
    )
    clock, metrics = SharedClock(engine, SystemClock()), Metrics()
    frame = Frame(addresses.nats_url)
    tracing = Tracing(metrics, site.otlp_endpoint)
    archive = Archive(site.data_dir / "archive")
    seen, turns = Seen.at(addresses.redis_url, clock), Turns(engine)
    spec = worker_spec(site, CONNECTORS, MAPPINGS)
    async with WorkerPool(spec, site.workers) as workers:
        try:
            ledger = await ledgers.ready(engine, clock)
            await clock.agree()
            async with engine.begin() as noting:
                running = parts(site, spec.mappings)
                await deployments.note(noting, installed(), running, clock.now())
                await outbox.try_again(noting)
            await frame.start()
            js = frame.client.jetstream()
            streams = Streams(js, ledger, sizes(site), clock)
            await streams.ready()
            publisher = Publisher(frame.client, js)
            yield Base(
                site=site,
                connections=connections,
                clock=clock,
                metrics=metrics,
                tracing=tracing,
                engine=engine,
                patient=patient,
                turns=turns,
                nats=frame.client,
                js=js,
                watch=StreamWatch(frame.client, streams, metrics),
                publisher=publisher,
                store=ReceiptStore(js, publisher),
                relay=Relay(engine, publisher),
                seen=seen,
                archive=archive,
                workers=workers,
                versions=frozenset(each.version for each in spec.mappings),
            )
        finally:
            await frame.stop()
            await seen.close()
            await turns.close()
            await patient.dispose()
            await engine.dispose()
            archive.close()
            tracing.close()


def _routers(base: Base, roles: frozenset[str]) -> list[APIRouter]:
    health = Health(
        probes(base.engine, base.nats, base.watch, base.seen), optional=frozenset({"redis"})
    )
    routers = [health.routes(base.metrics)]
    if "intake" in roles:
        webhooks = {n: hook for n, c in base.connections.items() if (hook := c.webhook())}
        routers.append(WebhookIntake(base.door(), webhooks, base.site.http).routes())
        if partners := as2_partners(base.site):
            as2 = As2Intake(base.door(), list(partners.values()), _receipts(base))
            routers.append(as2.routes())
    if "api" in roles:
        tokens = {
            name: resolve(reference, f"api_tokens.{name}")
            for name, reference in base.site.api_tokens.items()
        }
        access = Access(tokens, base.site.api_roles)
        routers.append(DocumentsApi(base.site, base.engine, access).routes())
        routers.append(FindingsApi(base.engine, base.clock, access).routes())
        letters = LettersDesk(base.site, base.engine, base.archive, base.clock, base.workers)
        routers.append(DeadLettersApi(letters, access).routes())
    return routers


def _runs(base: Base, roles: frozenset[str]) -> Iterator[Run]:
    """Yield everything that works in this process; each role is safe in any number of replicas."""
    yield base.watch.run
    yield base.clock.run
    if roles & {"normalize", "deliver", "jobs"}:
        yield base.relay.run
    if "intake" in roles:
        yield from _intakes(base)
    if "normalize" in roles:
        pipeline = Pipeline(
            Parts(
                base.site,
                base.engine,
                base.workers,
                base.relay,
                base.archive,
                base.seen,
                base.clock,
                base.tracing,
            )
        )
        yield NormalizeRole(base.nats, base.js, base.store, pipeline).run
    delivering: dict[str, DeliverRole] = {}

    def woken(target: str) -> None:
        """Wake the role of a target, if this process has it; others find what is due by themselves."""
        if target in delivering:
            delivering[target].wake()

    if "deliver" in roles:
        yield from _deliveries(base, delivering, woken)
    if "jobs" in roles:
        yield _jobs(base, woken).run


def _intakes(base: Base) -> Iterator[Run]:
    door = base.door()
    for name, connection in base.connections.items():
        transport = connection.connection.transport
        if isinstance(transport, FolderTransport) and transport.inbox is not None:
            yield FolderIntake(name, transport, door).run
        if isinstance(transport, SftpTransport | FtpsTransport) and transport.inbox is not None:
            reached = opener(name, transport, connection.reach)
            yield RemoteIntake(name, transport, reached, door, base.turns).run
        poller = connection.poller()
        if isinstance(transport, PollTransport) and poller is not None:
            yield PollIntake(name, transport, poller, door, base.turns).run
    yield _receipts(base).run


def _receipts(base: Base) -> Receipts:
    return Receipts(base.door(), allow_private=base.site.servers.allow_private_networks)


def _deliveries(
    base: Base, roles: dict[str, DeliverRole], woken: Callable[[str], None]
) -> Iterator[Run]:
    parts = DeliverParts(
        engine=base.engine,
        renderer=WorkerRenderer(base.workers, base.site.control_points, base.engine),
        clock=base.clock,
        rng=random.SystemRandom(),
        policy=Policy(delays_seconds=base.site.retry.delays_seconds),
        retry_ratio=base.site.retry.budget,
        observer=DeliveryObserver(base.metrics, base.tracing),
        archive=_keeper(base),
        unarchive=base.archive.fetch,
        woken=woken,
    )
    for name, connection in base.connections.items():
        target = connection.target(Books(base.engine, base.clock))
        if target is not None:
            roles[name] = DeliverRole(target, parts)
            yield _delivering(roles[name], target)
            yield WakeRunner(base.nats, base.js, name, roles[name]).run


def _keeper(base: Base) -> Callable[[bytes], Awaitable[str]]:
    """Return what archives the bytes of a delivery: those that come together share one fsync."""

    async def keep(bodies: Sequence[bytes]) -> Sequence[str]:
        now: datetime = base.clock.now()
        return await base.archive.store(bodies, now)

    return Gathered(keep).do


def _delivering(role: DeliverRole, target: TargetSpec) -> Run:
    async def run(stop: asyncio.Event) -> None:
        try:
            await role.run(stop)
        finally:
            await target.client.close()  # only now: a stopping role still finishes its calls

    return run


def _jobs(base: Base, woken: Callable[[str], None]) -> Jobs:
    housekeeping = Housekeeping(base.js, base.engine, base.metrics)
    reconciler = Reconciler(base.patient, base.site, base.clock)
    resubmitter = Resubmitter(base.engine, base.archive, base.store, base.clock)
    pruner = Pruner(base.patient, base.archive, base.site.retention, base.clock)
    judging = JudgeAgain(base.engine, base.site, base.clock)
    replays = ReplayRunner(base.engine, base.clock, base.versions, woken)
    return Jobs(
        base.turns,
        {
            "replay": Scheduled(1.0, resubmitter.run),
            "replay-jobs": Scheduled(EVERY_SECONDS, replays.run),
            "judge-again": Scheduled(5.0, judging.run),
            "purge-intake": Scheduled(10.0, housekeeping.purge_intake),
            "look-at-listeners": Scheduled(10.0, housekeeping.look_at_listeners),
            "count-open": Scheduled(5.0, housekeeping.count_open),
            "prune": Scheduled(base.site.retention.every_seconds, pruner.run),
            "reconcile": Scheduled(base.site.reconcile.every_seconds, reconciler.run_all),
        },
        base.metrics.job_failures,
        base.clock,
    )


async def _work(runs: list[Run], stop: asyncio.Event) -> None:
    """Run all parts; one that ends with an error stops the process, for a supervisor to start."""
    log = structlog.get_logger("hub.app")
    tasks = [asyncio.ensure_future(run(stop)) for run in runs]
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    failed = [task for task in done if task.exception() is not None]
    stop.set()
    for task in failed:
        log.error("part_failed", exc_info=task.exception())
    await asyncio.gather(*tasks, return_exceptions=True)
    if failed:
        error = failed[0].exception()
        if error is not None:
            raise error
