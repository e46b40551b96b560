"""Turns among replicas, on a real ledger: one at a time, none costs a pooled connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import cast

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from canonical.errors import Retryable
from connectors.base import Page
from connectors.transports.remote import Session
from hub.clock import SystemClock
from hub.intake.poll import PollIntake
from hub.intake.remote import RemoteIntake
from hub.jobs import Jobs, Scheduled
from hub.ledger import turns as module
from hub.ledger.engine import open_engine
from hub.ledger.turns import Turns
from hub.settings.model import PollTransport
from hub.settings.transports import FtpsTransport
from hub.telemetry.metrics import Metrics
from tests.support.doors import Shelf, door
from tests.support.waiting import wait_for

SILENT = 20
"""More than a pool has connections."""


@pytest.fixture
async def engine(database: str) -> AsyncIterator[AsyncEngine]:
    opened = open_engine(database)
    yield opened
    await opened.dispose()


@pytest.fixture
async def turns(engine: AsyncEngine) -> AsyncIterator[Turns]:
    made = Turns(engine)
    yield made
    await made.close()


@pytest.fixture
async def others(engine: AsyncEngine) -> AsyncIterator[Turns]:
    """The turns of another replica."""
    made = Turns(engine)
    yield made
    await made.close()


class Silent:
    """Systems that are asked and never answer."""

    flows: Sequence[str] = ("orders",)

    def __init__(self) -> None:
        self.asked = 0

    async def wait(self) -> None:
        """Never come back."""
        self.asked += 1
        await asyncio.Event().wait()

    async def poll(self, flow: str, cursor: str) -> AsyncIterator[Page]:
        """Never give a page."""
        await self.wait()
        yield Page(b"", flow, cursor)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """Never connect."""
        await self.wait()
        yield cast(Session, None)


async def test_silent_systems_beyond_the_size_of_the_pool_do_not_stop_the_hub(
    engine: AsyncEngine, turns: Turns
) -> None:
    silent, stop, entrance = Silent(), asyncio.Event(), door(Shelf(), engine)
    box = FtpsTransport(
        kind="ftps",
        host="box.example",
        username="us",
        password="env:X",  # noqa: S106  # a reference
        inbox="/in",
    )
    poll = PollTransport(kind="poll")
    runs = [
        RemoteIntake(f"box-{n}", box, silent.session, entrance, turns).run(stop)
        for n in range(SILENT // 2)
    ]
    runs += [
        PollIntake(f"erp-{n}", poll, silent, entrance, turns).run(stop) for n in range(SILENT // 2)
    ]
    done = asyncio.Event()

    async def job() -> None:
        async with engine.begin() as ledger:
            await ledger.execute(sa.text("SELECT 1"))
        done.set()

    jobs = Jobs(turns, {"job": Scheduled(60, job)}, Metrics().job_failures, SystemClock())
    tasks = [asyncio.create_task(run) for run in runs]
    try:
        await wait_for(lambda: silent.asked == SILENT)
        tasks.append(asyncio.create_task(jobs.run(stop)))
        await wait_for(done.is_set)
        async with engine.connect() as ledger:
            used = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
            assert await ledger.scalar(sa.text(used)) == SILENT
    finally:
        stop.set()
        for task in tasks[:SILENT]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_turn_is_had_once_in_a_process_and_among_replicas(
    turns: Turns, others: Turns
) -> None:
    async with turns.take("poll:a") as first:
        for each in (turns, others):
            async with each.take("poll:a") as second:
                assert (first, second) == (True, False)
            async with each.take("poll:b") as another:
                assert another
    async with others.take("poll:a") as then:
        assert then


async def test_whoever_has_a_turn_by_a_connection_that_is_lost_is_stopped(
    engine: AsyncEngine, turns: Turns, others: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LOOK_SECONDS", 0.01)
    began = [asyncio.Event(), asyncio.Event()]

    async def work(number: int) -> None:
        async with turns.take(f"poll:{number}") as ours:
            assert ours
            began[number].set()
            await asyncio.Event().wait()

    tasks = [asyncio.create_task(work(number)) for number in range(2)]
    await asyncio.gather(*(each.wait() for each in began))
    async with engine.connect() as ledger:
        await ledger.execute(
            sa.text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
        )
    async with asyncio.timeout(20):
        ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(end, Retryable) and end.code for end in ends] == ["turn_lost"] * 2
    for each in (others, turns):  # the next turn is by a new connection
        async with each.take("poll:0") as again:
            assert again


async def test_a_block_that_is_cancelled_by_somebody_else_gives_its_turn_back(
    turns: Turns, others: Turns
) -> None:
    began = asyncio.Event()

    async def work() -> None:
        async with turns.take("poll:a"):
            began.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with others.take("poll:a") as free:
        assert free


async def test_closing_gives_all_turns_back(engine: AsyncEngine, others: Turns) -> None:
    leaving = Turns(engine)
    async with AsyncExitStack() as stack:
        assert await stack.enter_async_context(leaving.take("poll:a"))
        async with others.take("poll:a") as early:
            assert not early
    await leaving.close()
    async with others.take("poll:a") as free:
        assert free
