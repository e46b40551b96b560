"""Scheduled jobs: a failing one comes again, and can be seen to fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from canonical.errors import Retryable
from hub.jobs import Jobs, Scheduled
from hub.ledger.engine import open_engine
from hub.telemetry.metrics import Metrics
from tests.support.waiting import wait_for


@pytest.fixture
async def engine(database: str) -> AsyncIterator[AsyncEngine]:
    opened = open_engine(database)
    yield opened
    await opened.dispose()


class Job:
    """Fails until it is mended."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.broken = True
        self.runs = 0

    async def run(self) -> None:
        self.runs += 1
        if self.broken:
            raise self.error


@pytest.mark.parametrize(
    "error",
    [Retryable("still_broken", "", "a test broke it"), KeyError("one job's own mistake")],
    ids=["a refusal", "a mistake"],
)
async def test_a_job_that_keeps_failing_shows_in_a_gauge_until_it_goes_well(
    engine: AsyncEngine, error: Exception
) -> None:
    metrics, failing, healthy, stop = Metrics(), Job(error), Job(error), asyncio.Event()
    healthy.broken = False
    jobs = {"failing": Scheduled(0.01, failing.run), "healthy": Scheduled(0.01, healthy.run)}

    def failures(job: str) -> float | None:
        return metrics.registry.get_sample_value("crossdock_job_failures", {"job": job})

    running = asyncio.create_task(Jobs(engine, jobs, metrics.job_failures).run(stop))
    await wait_for(lambda: (failures("failing") or 0) >= 3)
    assert failures("healthy") == 0
    assert b'crossdock_job_failures{job="failing"}' in metrics.text()
    failing.broken = False
    await wait_for(lambda: failures("failing") == 0)
    stop.set()
    await running
