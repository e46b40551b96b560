"""The clock that all replicas share is the ledger's, whatever their machines' clocks show."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.clock import SystemClock
from hub.ledger import shared_clock
from hub.ledger.engine import open_engine
from hub.ledger.shared_clock import SharedClock
from tests.support.waiting import wait_for

NEAR = timedelta(seconds=5)


class WrongClock(SystemClock):
    """A machine's clocks, of which the wall clock is wrong."""

    def __init__(self, off: timedelta) -> None:
        self.off = off

    def now(self) -> datetime:
        """What the wall clock shows."""
        return datetime.now(UTC) + self.off


@pytest.fixture
async def engine(database: str) -> AsyncIterator[AsyncEngine]:
    opened = open_engine(database)
    yield opened
    await opened.dispose()


async def off(engine: AsyncEngine, clock: SharedClock) -> timedelta:
    async with engine.connect() as ledger:
        moment = await ledger.scalar(sa.select(sa.func.clock_timestamp()))
    assert isinstance(moment, datetime)
    return abs(clock.now() - moment)


@pytest.mark.parametrize("wrong", [timedelta(hours=1), timedelta(seconds=-45)])
async def test_machines_whose_clocks_differ_have_one_time(
    engine: AsyncEngine, wrong: timedelta
) -> None:
    here, there = SharedClock(engine, SystemClock()), SharedClock(engine, WrongClock(wrong))
    await here.agree()
    await there.agree()
    assert abs(here.now() - there.now()) < NEAR
    assert abs(there.ahead() - wrong) < NEAR
    assert await off(engine, there) < NEAR


async def test_a_clock_that_is_set_moves_nothing(engine: AsyncEngine) -> None:
    machine = WrongClock(timedelta())
    clock = SharedClock(engine, machine)
    await clock.agree()
    machine.off = timedelta(hours=-3)
    assert await off(engine, clock) < NEAR
    assert clock.now() <= clock.now()


async def test_before_the_first_answer_it_is_the_machines(engine: AsyncEngine) -> None:
    clock = SharedClock(engine, WrongClock(timedelta(hours=1)))
    assert abs(clock.now() - datetime.now(UTC) - timedelta(hours=1)) < NEAR


async def test_it_asks_again_and_goes_on_where_the_ledger_is_away(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_clock, "_EVERY_SECONDS", 0.01)
    asked: list[int] = []

    class Counting(SharedClock):
        async def agree(self) -> None:
            asked.append(len(asked))
            if len(asked) == 1:
                raise OSError
            await super().agree()

    clock, stop = Counting(engine, WrongClock(timedelta(hours=1))), asyncio.Event()
    task = asyncio.create_task(clock.run(stop))
    await wait_for(lambda: len(asked) > 2)
    stop.set()
    await task
    assert await off(engine, clock) < NEAR
