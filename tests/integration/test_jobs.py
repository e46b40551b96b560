"""Scheduled jobs: one runner at a time, none lost to a clock, a failing one seen, an end that waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta, tzinfo

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from canonical.errors import Retryable
from hub.clock import SystemClock
from hub.jobs import Jobs, Scheduled
from hub.ledger.engine import open_engine
from hub.ledger.turns import Turns
from hub.telemetry.metrics import Metrics
from tests.support.waiting import wait_for

HOUR = 3600.0


@pytest.fixture
async def engine(database: str) -> AsyncIterator[AsyncEngine]:
    opened = open_engine(database)
    yield opened
    await opened.dispose()


class Job:
    """Counts its runs, fails while broken, and ends when it may."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.runs = self.ended = self.at_once = self.most_at_once = 0
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def run(self) -> None:
        self.runs += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        await self.may_end.wait()
        self.at_once -= 1
        if self.error is not None:
            raise self.error
        self.ended += 1


class SetClock(SystemClock):
    """The machine's clock, until somebody sets it."""

    def __init__(self) -> None:
        self.shift = timedelta()

    def now(self) -> datetime:
        return super().now() + self.shift


@asynccontextmanager
async def hub(
    engine: AsyncEngine, jobs: dict[str, Scheduled], metrics: Metrics, clock: SystemClock
) -> AsyncIterator[None]:
    """Run jobs as one process of the hub does."""
    stop, turns = asyncio.Event(), Turns(engine)
    running = asyncio.create_task(Jobs(turns, jobs, metrics.job_failures, clock).run(stop))
    try:
        yield
    finally:
        stop.set()
        async with asyncio.timeout(30):
            await running
        await turns.close()


@pytest.mark.parametrize(
    "error",
    [Retryable("still_broken", "", "a test broke it"), KeyError("one job's own mistake")],
    ids=["a refusal", "a mistake"],
)
async def test_a_job_that_keeps_failing_shows_in_a_gauge_until_it_goes_well(
    engine: AsyncEngine, error: Exception
) -> None:
    metrics, failing, healthy = Metrics(), Job(error), Job()
    jobs = {"failing": Scheduled(0.01, failing.run), "healthy": Scheduled(0.01, healthy.run)}

    def failures(job: str) -> float | None:
        return metrics.registry.get_sample_value("crossdock_job_failures", {"job": job})

    async with hub(engine, jobs, metrics, SystemClock()):
        await wait_for(lambda: (failures("failing") or 0) >= 3)
        assert failures("healthy") == 0
        assert b'crossdock_job_failures{job="failing"}' in metrics.text()
        failing.error = None
        await wait_for(lambda: failures("failing") == 0)


async def test_replicas_run_a_job_one_at_a_time(engine: AsyncEngine) -> None:
    job = Job()
    jobs = {"job": Scheduled(0.001, job.run)}
    job.may_end.clear()
    async with (
        hub(engine, jobs, Metrics(), SystemClock()),
        hub(engine, jobs, Metrics(), SystemClock()),
    ):
        await wait_for(lambda: job.runs == 1)
        others = Job()  # the turn is by name: another job is not kept waiting by this one
        async with hub(engine, {"other": Scheduled(0.001, others.run)}, Metrics(), SystemClock()):
            await wait_for(lambda: others.ended >= 20)
        assert job.runs == 1
        job.may_end.set()
        await wait_for(lambda: job.ended >= 20)
    assert job.most_at_once == 1


async def test_one_process_never_begins_a_job_that_is_still_at_work(engine: AsyncEngine) -> None:
    slow, quick = Job(), Job()
    slow.may_end.clear()
    jobs = {"slow": Scheduled(0.001, slow.run), "quick": Scheduled(0.001, quick.run)}
    async with hub(engine, jobs, Metrics(), SystemClock()):
        await wait_for(lambda: quick.ended >= 20)
        assert slow.runs == 1
        slow.may_end.set()
        await wait_for(lambda: slow.ended >= 2)


async def test_a_hub_that_stops_begins_no_job_and_lets_the_ones_at_work_end(
    engine: AsyncEngine,
) -> None:
    job, stop, turns = Job(), asyncio.Event(), Turns(engine)
    job.may_end.clear()
    jobs = {"job": Scheduled(0.001, job.run)}
    running = asyncio.create_task(
        Jobs(turns, jobs, Metrics().job_failures, SystemClock()).run(stop)
    )
    await wait_for(lambda: job.runs == 1)
    stop.set()
    done, _ = await asyncio.wait({running}, timeout=0.05)
    assert not done
    job.may_end.set()
    async with asyncio.timeout(30):
        await running
    await turns.close()
    assert (job.runs, job.ended) == (1, 1)
    assert {task.get_name() for task in asyncio.all_tasks()} == {
        asyncio.current_task().get_name()  # type: ignore[union-attr]  # a test runs in one
    }


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SetClock:
    """Return the clock of the hub and of APScheduler, which reads the machine's by itself."""
    set_clock = SetClock()

    class Shown(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return set_clock.now().astimezone(tz)

    monkeypatch.setattr("apscheduler.schedulers.base.datetime", Shown)
    monkeypatch.setattr("hub.jobs.LOOK_SECONDS", 0.01)
    return set_clock


async def test_a_job_runs_when_its_time_has_come_and_not_before(
    engine: AsyncEngine, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.jobs.LOOK_SECONDS", HOUR)
    hourly, often = Job(), Job()
    jobs = {"hourly": Scheduled(HOUR, hourly.run), "often": Scheduled(0.001, often.run)}
    async with hub(engine, jobs, Metrics(), clock):
        await wait_for(lambda: hourly.ended == 1)
        clock.shift += timedelta(seconds=HOUR - 60)
        so_far = often.ended
        await wait_for(lambda: often.ended > so_far + 10)  # it has looked at what is due
        assert hourly.ended == 1
        clock.shift += timedelta(seconds=60)
        await wait_for(lambda: hourly.ended == 2)


async def test_the_runs_of_a_month_that_was_missed_are_made_up_for_by_one(
    engine: AsyncEngine, clock: SetClock
) -> None:
    hourly, often = Job(), Job()
    jobs = {"hourly": Scheduled(HOUR, hourly.run), "often": Scheduled(0.001, often.run)}
    async with hub(engine, jobs, Metrics(), clock):
        await wait_for(lambda: hourly.ended == 1)
        clock.shift += timedelta(days=30)
        await wait_for(lambda: hourly.ended == 2)
        so_far = often.ended
        await wait_for(lambda: often.ended > so_far + 10)
    assert hourly.ended <= 3  # by the schedule, and because the clock was set


async def test_a_clock_that_is_set_back_silences_no_job(
    engine: AsyncEngine, clock: SetClock
) -> None:
    hourly, often = Job(), Job()
    jobs = {"hourly": Scheduled(HOUR, hourly.run), "often": Scheduled(0.01, often.run)}
    async with hub(engine, jobs, Metrics(), clock):
        await wait_for(lambda: hourly.ended == 1)
        clock.shift -= timedelta(days=30)
        so_far = often.ended
        await wait_for(lambda: hourly.ended == 2)
        await wait_for(lambda: often.ended > so_far + 10)
