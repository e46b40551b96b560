"""Housekeeping and reconciliation on a schedule; among replicas, one runs each at a time.

APScheduler says when; a lock in the ledger says who. Three things it leaves to us, each seen with 3.11:
its asyncio executor cannot wait for a run to end and cancels it; a trigger by intervals lists every
moment that a clock has leapt over; and a clock that was set back keeps it silent for as long.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

import sqlalchemy as sa
import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError
from prometheus_client import Gauge
from sqlalchemy.ext.asyncio import AsyncEngine

from hub import topology
from hub.clock import Clock
from hub.intake.bodies import Bodies
from hub.ledger import outbox, unmatched
from hub.ledger.tables import dead_letter, finding, hold
from hub.ledger.turns import Turns
from hub.reconcile import interchange_facts, interchange_gap
from hub.telemetry.metrics import Metrics

_KEEP_MESSAGES = 2000
"""Acknowledged receipts that stay in INTAKE: what a retried publish may still repeat."""
LOOK_SECONDS = 5.0
"""How often the clocks are compared."""
_SET_SECONDS = 1.0
"""By more than this between two looks, the wall clock was set or the machine slept."""


@dataclass(frozen=True, slots=True)
class Scheduled:
    """One job and how often it runs: so many seconds from the end of a run to the next."""

    every_seconds: float
    run: Callable[[], Awaitable[object]]


class After(BaseTrigger):  # type: ignore[misc]  # APScheduler ships no types
    """Due so long after now: whatever was missed is made up for by one run."""

    def __init__(self, pause: timedelta) -> None:
        self._pause = pause

    def get_next_fire_time(self, _previous: datetime | None, now: datetime) -> datetime:
        """Return when the job is due after a run that begins now."""
        return now + self._pause


class Jobs:
    """Runs scheduled jobs until stopped; a failing one is logged, counted and comes again."""

    def __init__(
        self,
        turns: Turns,
        jobs: Mapping[str, Scheduled],
        failures: Gauge,
        clock: Clock,
    ) -> None:
        """Take what to run.

        Args:
            turns: how replicas take turns.
            jobs: by name.
            failures: labelled by job: how often it has failed since it last went well.
            clock: tells when the wall clock, by which APScheduler goes, was set.
        """
        self._turns = turns
        self._jobs = jobs
        self._failures = failures
        self._clock = clock
        self._running: set[asyncio.Task[object]] = set()
        self._log = structlog.get_logger("hub.jobs")

    async def run(self, stop: asyncio.Event) -> None:
        """Run all jobs on their schedules; once stopped, none begins and those at work end."""
        # In UTC, so that a host's own zone is neither needed nor able to be wrong.
        scheduler = AsyncIOScheduler(timezone=UTC)
        for name, job in self._jobs.items():
            self._failures.labels(name).set(0)
            pause = timedelta(seconds=job.every_seconds)
            scheduler.add_job(
                partial(self._fire, scheduler, name, job),
                After(pause),
                id=name,
                name=name,
                next_run_time=self._clock.now(),
                max_instances=1,
                coalesce=True,
                misfire_grace_time=None,  # however late, it runs
            )
        scheduler.start()
        try:
            await self._watch(scheduler, stop)
            scheduler.pause()
            if self._running:
                await asyncio.wait(self._running)
        finally:
            scheduler.shutdown(wait=False)
            await asyncio.sleep(0)  # it shuts down in a callback

    async def _watch(self, scheduler: AsyncIOScheduler, stop: asyncio.Event) -> None:
        """Make all jobs due when the wall clock was set, until stopped."""
        ahead = self._ahead()
        while not stop.is_set():
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await stop.wait()
            except TimeoutError:
                before, ahead = ahead, self._ahead()
                if abs(ahead - before) > _SET_SECONDS:
                    for name in self._jobs:
                        scheduler.modify_job(name, next_run_time=self._clock.now())

    def _ahead(self) -> float:
        return self._clock.now().timestamp() - self._clock.monotonic()

    async def _fire(self, scheduler: AsyncIOScheduler, name: str, job: Scheduled) -> None:
        """Run one job once, and let it rest from its end on: a slow one leaves room for others."""
        failures = self._failures.labels(name)
        task = asyncio.current_task()
        if task is not None:
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        try:
            await self._once(name, job)
            failures.set(0)
        except Exception as error:  # whatever is wrong with one job, the hub goes on
            failures.inc()
            self._log.warning("job_waits", job=name, error=type(error).__name__)
        rest = timedelta(seconds=job.every_seconds)
        scheduler.modify_job(name, next_run_time=self._clock.now() + rest)

    async def _once(self, name: str, job: Scheduled) -> None:
        """Run the job unless another replica is at it."""
        async with self._turns.take(f"job:{name}") as ours:
            if ours:
                await job.run()


class Housekeeping:
    """What the hub does for itself: purge what is decided, count what is open."""

    def __init__(self, js: JetStreamContext, engine: AsyncEngine, metrics: Metrics) -> None:
        self._js = js
        self._bodies = Bodies(js)
        self._engine = engine
        self._metrics = metrics
        self._behind = set[str]()
        self._log = structlog.get_logger("hub.jobs")

    async def purge_intake(self) -> None:
        """Purge receipts up to the acknowledged floor: the ledger and the archive have them.

        INTAKE keeps messages by limits and refuses when full, so what is done must go.
        """
        consumer = await self._js.consumer_info(topology.INTAKE, topology.NORMALIZE)
        stream = await self._js.stream_info(topology.INTAKE)
        floor = consumer.ack_floor.stream_seq if consumer.ack_floor else 0
        await self._purge_bodies(floor)
        upto = min(floor, stream.state.last_seq - _KEEP_MESSAGES)
        if upto > stream.state.first_seq:
            await self._js.purge_stream(topology.INTAKE, seq=upto)

    async def _purge_bodies(self, floor: int) -> None:
        """Purge the bodies of receipts that lie before the one at the floor, by a margin.

        By the server's own times, so that no clock of ours can be wrong about it. A receipt that
        comes again because NATS lost its acknowledgement finds its inbox row.
        """
        if not floor:
            return
        try:
            first = await self._js.get_msg(topology.INTAKE, seq=floor, subject=">", next=True)
        except NotFoundError:
            return
        if first.time is not None:
            await self._bodies.purge(decided_before=first.time)

    async def look_at_listeners(self) -> None:
        """Say which durable consumers of events were away for longer than the stream reaches back.

        Ours only wake targets, which look into the ledger, and miss nothing.
        """
        stream = await self._js.stream_info(topology.CANONICAL)
        behind = set()
        for each in await self._js.consumers_info(topology.CANONICAL):
            if not each.config.durable_name or each.name.startswith(topology.WAKE_PREFIX):
                continue
            read = each.delivered.stream_seq if each.delivered else 0
            # One that began with what was new at its time has read nothing of before either.
            if read and read + 1 < stream.state.first_seq:
                behind.add(each.name)
        for name in behind - self._behind:
            self._log.error("listener_missed_events", consumer=name)
        self._behind = behind
        self._metrics.listeners_missing.set(len(behind))

    async def count_open(self) -> None:
        """Set the gauges of what waits for somebody."""
        async with self._engine.connect() as ledger:
            waiting, set_aside = await outbox.counts(ledger)
            self._metrics.outbox.set(waiting)
            self._metrics.set_aside.set(set_aside)
            for kind, table, states in (
                ("hold", hold, ("open",)),
                ("dead_letter", dead_letter, ("open", "replaying")),
                ("finding", finding, ("open", "healing")),
            ):
                count = sa.select(sa.func.count()).select_from(table)
                found = await ledger.scalar(count.where(table.c.state.in_(states)))
                self._metrics.open_items.labels(kind).set(found or 0)
            numbers = await interchange_facts.missing(ledger, interchange_gap.NAME)
            strange = await unmatched.count(ledger)
        for gauge, counts in (
            (self._metrics.missing_numbers, numbers),
            (self._metrics.unmatched_answers, strange),
        ):
            gauge.clear()  # a connection without any is not there any more
            for connection, count_ in counts.items():
                gauge.labels(connection).set(count_)
