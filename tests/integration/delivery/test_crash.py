"""Death in mid-flight: whatever dies wherever, each document takes effect once."""

from __future__ import annotations

import asyncio
import signal
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.delivery.role import DeliverRole
from hub.failpoints import VARIABLE
from hub.ledger.tables import delivery
from tests.support.databases import execute
from tests.support.deliveries import (
    Books,
    JournalTarget,
    ScriptedTarget,
    Told,
    parts,
    running,
    spec,
    until,
    until_all,
)
from tests.support.processes import Spawner, kill
from tests.support.waiting import wait_for

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start(database: str, tmp_path: Path, spawn: Spawner) -> Start:
    """Starts a delivering process, with a failpoint or without."""

    def start(kind: str = "journal", failpoint: str = "") -> subprocess.Popen[bytes]:
        program = ["-m", "tests.support.deliver_process", database, str(tmp_path), kind]
        return spawn.python(program, env={VARIABLE: failpoint})

    return start


@pytest.mark.parametrize(
    "failpoint",
    [
        "deliver.claimed",
        "deliver.claimed:2",
        "deliver.before_call",
        "deliver.before_call:4",
        "deliver.after_call",
        "deliver.after_call:4",
        "deliver.settled",
        "deliver.settled:4",
    ],
)
async def test_killed_anywhere_each_document_takes_effect_once(
    books: Books, tmp_path: Path, start: Start, failpoint: str
) -> None:
    for i in range(8):
        await books.order(str(i))
    first = start(failpoint=failpoint)
    assert await asyncio.to_thread(first.wait, 60) == -signal.SIGKILL
    assert (await books.states())["delivered"] < 8
    second = start()
    await until_all(books, delivered=8)
    second.terminate()
    assert await asyncio.to_thread(second.wait, 60) == 0
    effects = JournalTarget(tmp_path / "effects").effects()
    assert Counter(effects) == {f"XD{i}": 1 for i in range(8)}


async def test_replicas_killed_again_and_again_double_and_lose_nothing(
    books: Books, tmp_path: Path, start: Start
) -> None:
    for i in range(150):
        await books.order(str(i))
    workers = [start(), start()]
    journal = JournalTarget(tmp_path / "effects")
    for round_ in range(4):
        reached = 20 * (round_ + 1)
        await wait_for(lambda reached=reached: len(journal.effects()) >= reached, deadline=60)  # type: ignore[misc]
        kill(workers[round_ % 2])
        workers[round_ % 2] = start()
    await until_all(books, delivered=150)
    assert Counter(journal.effects()) == {f"XD{i}": 1 for i in range(150)}


async def test_a_file_that_the_partner_took_before_we_knew_is_not_left_again(
    books: Books, tmp_path: Path, start: Start
) -> None:
    outbox = tmp_path / "outbox"
    outbox.mkdir()
    one = await books.order("1")
    first = start("folder", "deliver.after_call")
    assert await asyncio.to_thread(first.wait, 60) == -signal.SIGKILL
    (taken,) = outbox.iterdir()
    taken.unlink()
    start("folder")
    row = await until(books, one, "delivered")
    assert list(outbox.iterdir()) == []
    assert row["external_id"] == taken.name
    assert await books.outcomes(one) == ["in_doubt", "asked_found"]


async def cut(database: str) -> None:
    """Take the ledger away from everybody who uses it."""
    server, _, name = database.rpartition("/")
    await execute(
        f"{server}/postgres",
        f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false',
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",  # noqa: S608  # our own name
    )


async def mend(database: str) -> None:
    """Give it back."""
    server, _, name = database.rpartition("/")
    await execute(f"{server}/postgres", f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')


async def test_without_its_ledger_the_role_waits_and_then_goes_on(
    books: Books, database: str, target: ScriptedTarget
) -> None:
    told = Told()
    one = await books.order("1", next_at=None)
    async with running(DeliverRole(spec(target), parts(books.engine, observer=told))):
        await cut(database)
        await wait_for(lambda: len(told.named("ledger_unreachable")) >= 3)
        assert told.named("role_failed") == []
        await mend(database)
        await books.change(one, next_at=(await books.row(delivery, id=one))["created_at"])
        await until(books, one, "delivered")


async def test_an_answer_that_came_while_the_ledger_was_away_is_not_forgotten(
    books: Books, database: str, target: ScriptedTarget
) -> None:
    told = Told()
    target.gate = asyncio.Event()
    one = await books.order("1")
    async with running(DeliverRole(spec(target), parts(books.engine, observer=told))):
        await wait_for(lambda: target.running)
        await cut(database)
        target.gate.set()
        await wait_for(lambda: len(told.named("ledger_unreachable")) >= 3)
        await mend(database)
        await until(books, one, "delivered")
    assert await books.outcomes(one) == ["delivered"]
    assert target.asked == []


async def test_without_its_ledger_a_role_still_stops(
    books: Books, database: str, target: ScriptedTarget
) -> None:
    told = Told()
    async with running(DeliverRole(spec(target), parts(books.engine, observer=told))):
        await cut(database)
        await wait_for(lambda: told.named("ledger_unreachable"))
    await mend(database)
