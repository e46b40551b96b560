"""Faults planted among clean documents: all of them are found in one cycle, and nothing else.

50 among 5,000 here; `make planted` plants 1,000 among 100,000 and says how long the cycle took.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.ledger.engine import open_engine
from hub.ledger.tables import finding, statement
from hub.reconcile.runner import JOBS, Reconciler
from hub.servers.addresses import Addresses
from tests.support import databases
from tests.support.databases import in_thread
from tests.support.planted import NOW, SITE, World, build
from tests.support.planted_clean import CLEAN
from tests.support.planted_faults import FAULTS

FULL = bool(os.environ.get("CROSSDOCK_PLANTED_FULL"))
DOCUMENTS, PLANTED = (100_000, 1_000) if FULL else (5_000, 50)


class At:
    """A clock that stands still."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return time.monotonic()


@pytest.fixture(scope="module")
def world() -> World:
    return build(DOCUMENTS, PLANTED, CLEAN, FAULTS)


@pytest.fixture(scope="module")
def planted(template: Addresses, fresh_name: Callable[[], str], world: World) -> Iterator[str]:
    """The URL of a ledger with that world in it."""

    async def fill() -> None:
        engine = open_engine(url)
        async with engine.begin() as connection:
            await world.rows.write(connection)
            header = {"target": "bc", "action": "create_order", "actor": "test",
                      "since": NOW - timedelta(days=90), "until": NOW, "loaded_at": NOW}  # fmt: skip
            await connection.execute(sa.insert(statement).values(**header))
        async with engine.begin() as connection:
            await connection.exec_driver_sql("ANALYZE")
        await engine.dispose()

    name = fresh_name()
    url = in_thread(lambda: databases.make_database(template.database_url, name))
    in_thread(fill)
    yield url
    in_thread(lambda: databases.drop_database(template.database_url, name))


@pytest.fixture
async def engine(planted: str) -> AsyncIterator[AsyncEngine]:
    opened = open_engine(planted)
    yield opened
    await opened.dispose()


async def found_in(engine: AsyncEngine) -> dict[tuple[str, str], Any]:
    async with engine.connect() as ledger:
        rows = await ledger.execute(sa.select(finding).where(finding.c.state != "closed"))
        return {(row.job, row.subject): row for row in rows}


async def test_every_planted_fault_is_found_in_one_cycle_and_nothing_else(
    engine: AsyncEngine, world: World
) -> None:
    began = time.monotonic()
    reports = await Reconciler(engine, SITE, At(NOW)).run_all()
    seconds = time.monotonic() - began
    found = await found_in(engine)
    assert sorted(world.expected.keys() - found.keys()) == []
    assert sorted(found.keys() - world.expected.keys()) == []
    assert {key: row.amount for key, row in found.items()} == world.expected
    assert all(row.owner and row.remedy and row.since <= NOW for row in found.values())
    assert {job for job, _ in found} == set(JOBS)
    _tell(
        f"{world.rows.documents} documents, {len(found)} of {len(world.expected)} faults,"
        f" 0 false alarms, {seconds:.1f} s"
    )
    for each in reports:
        _tell(f"  {each.job}: {each.looked_at} looked at, {each.found} found, {each.seconds} s")


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")


async def test_the_next_cycle_looks_at_news_only_and_keeps_every_finding(
    engine: AsyncEngine, world: World
) -> None:
    reports = await Reconciler(engine, SITE, At(NOW + timedelta(minutes=5))).run_all()
    assert sum(report.opened + report.closed for report in reports) == 0
    assert sum(report.found for report in reports) == len(world.expected)
    assert not any(report.sweep for report in reports)
    assert reports[0].looked_at < world.count / 2
