"""Housekeeping and reconciliation on a schedule; among replicas, one runs each at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa
import structlog
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError
from prometheus_client import Gauge
from sqlalchemy.ext.asyncio import AsyncEngine

from hub import topology
from hub.intake.bodies import Bodies
from hub.ledger import outbox
from hub.ledger.tables import dead_letter, finding, hold
from hub.telemetry.metrics import Metrics

_KEEP_MESSAGES = 2000
"""Acknowledged receipts that stay in INTAKE: what a retried publish may still repeat."""


@dataclass(frozen=True, slots=True)
class Scheduled:
    """One job and how often it runs."""

    every_seconds: float
    run: Callable[[], Awaitable[object]]


class Jobs:
    """Runs scheduled jobs until stopped; a failing one is logged, counted and comes again."""

    def __init__(self, engine: AsyncEngine, jobs: Mapping[str, Scheduled], failures: Gauge) -> None:
        """Take what to run.

        Args:
            engine: the ledger, where replicas take turns.
            jobs: by name.
            failures: labelled by job: how often it has failed since it last went well.
        """
        self._engine = engine
        self._jobs = jobs
        self._failures = failures
        self._log = structlog.get_logger("hub.jobs")

    async def run(self, stop: asyncio.Event) -> None:
        """Run all jobs, each on its own schedule."""
        async with asyncio.TaskGroup() as group:
            for name, job in self._jobs.items():
                group.create_task(self._repeat(name, job, stop))

    async def _repeat(self, name: str, job: Scheduled, stop: asyncio.Event) -> None:
        failures = self._failures.labels(name)
        failures.set(0)
        while not stop.is_set():
            try:
                await self._once(name, job)
                failures.set(0)
            except Exception as error:  # whatever is wrong with one job, the hub goes on
                failures.inc()
                self._log.warning("job_waits", job=name, error=type(error).__name__)
            try:
                async with asyncio.timeout(job.every_seconds):
                    await stop.wait()
            except TimeoutError:
                continue

    async def _once(self, name: str, job: Scheduled) -> None:
        """Run the job unless another replica is at it."""
        async with self._engine.begin() as turn:
            key = sa.func.hashtext(f"job:{name}")
            if await turn.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(key))):
                await job.run()


class Housekeeping:
    """What the hub does for itself: purge what is decided, count what is open."""

    def __init__(self, js: JetStreamContext, engine: AsyncEngine, metrics: Metrics) -> None:
        self._js = js
        self._bodies = Bodies(js)
        self._engine = engine
        self._metrics = metrics

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

    async def count_open(self) -> None:
        """Set the gauges of what waits for somebody."""
        async with self._engine.connect() as ledger:
            self._metrics.outbox.set(await outbox.waiting(ledger))
            for kind, table, states in (
                ("hold", hold, ("open",)),
                ("dead_letter", dead_letter, ("open", "replaying")),
                ("finding", finding, ("open", "healing")),
            ):
                count = sa.select(sa.func.count()).select_from(table)
                found = await ledger.scalar(count.where(table.c.state.in_(states)))
                self._metrics.open_items.labels(kind).set(found or 0)
