"""The power is cut: what was acknowledged is still there, and has its effect once."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import nats
import pytest
import redis.asyncio
from nats.js.api import StorageType, StreamConfig

from hub.archive import Archive
from hub.servers import binaries
from hub.servers.child import Child
from hub.servers.nats import Nats
from hub.servers.redis import Redis
from hub.settings.model import Servers
from tests.faults import checker, dump
from tests.faults.partners import CANARY
from tests.faults.power import Disk, NoDisk, cut
from tests.faults.run import settle
from tests.faults.world import World
from tests.support.ports import free_port
from tests.support.waiting import wait_until

RATE = 40.0
CUTS = int(os.environ.get("CROSSDOCK_POWER_CUTS", "1"))
MESSAGES = 300


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    made = Disk(tmp_path / "shelf", tmp_path / "servers")
    try:
        made.open()
    except NoDisk as error:
        pytest.skip(f"no disk that forgets: {error}")
    yield made
    made.close()


@pytest.fixture
def at(tmp_path: Path, disk: Disk) -> Iterator[World]:
    """Two hubs whose servers and whose archive are on the disk; the partners' folders are not."""
    (disk.place / "archive").mkdir()
    (tmp_path / "archive").symlink_to(disk.place / "archive")
    made = World(tmp_path, seed=15)
    try:
        made.start()
        yield made
    finally:
        made.close()


def test_15_after_a_power_loss_nothing_is_lost_and_nothing_done_twice(
    at: World, disk: Disk, tmp_path: Path
) -> None:
    load = at.load(RATE)
    load.start()
    for turn in range(1, CUTS + 1):
        enough = turn * 6
        wait_until(lambda n=enough: load.accepted >= n, 120, "they are at work")  # type: ignore[misc]
        threading.Event().wait(0.3 * turn)  # anywhere between two acknowledgements
        cut(at, disk)
        heard = load.accepted
        wait_until(lambda n=heard: load.accepted > n, 120, "they hear yes again")  # type: ignore[misc]
    assert settle(at, load, 60) == []
    dump.write(at, tmp_path)
    verdict = checker.check(tmp_path, at.secrets(), [CANARY])
    assert verdict.problems == {}
    assert checker.documents(verdict.counts) > 0
    archive = Archive(tmp_path / "archive")
    for row in at.books.rows("SELECT archive, sha256 FROM receipt"):
        assert archive.read(row["archive"], row["sha256"])


@pytest.mark.parametrize("synced", [True, False], ids=["sync_interval always", "by default"])
async def test_15_the_disk_forgets_what_nobody_synced(disk: Disk, *, synced: bool) -> None:
    """What makes the test above one: the same cut loses messages of a server that does not sync."""
    settings = Servers()
    server = Nats(
        folder=disk.place / "nats",
        port=free_port(),
        password="of-this-test",  # noqa: S106
        program=binaries.nats_server(settings),
        sync_always=synced,
        monitor_port=None,
    )
    child = Child(server, disk.folder / "nats.log", lambda _: None)
    await child.start()
    client = await nats.connect(server.url)
    js = client.jetstream()
    await js.add_stream(StreamConfig("S", subjects=["s"], storage=StorageType.FILE))
    for n in range(MESSAGES):
        await js.publish("s", b"%d" % n)
    await client.close()
    copy = disk.remembered()
    await child.stop()
    await asyncio.to_thread(disk.restore, copy)
    await child.start()
    client = await nats.connect(server.url)
    try:
        state = (await client.jetstream().stream_info("S")).state
        found = state.messages
    except nats.js.errors.NotFoundError:
        found = 0
    await client.close()
    await child.stop()
    assert (found == MESSAGES) is synced, found
    shutil.rmtree(disk.place / "nats")


@pytest.mark.parametrize("zeros", [0, 1, 173, 200_000])
async def test_15_redis_starts_where_a_power_loss_left_zeros_at_the_end_of_its_file(
    tmp_path: Path, zeros: int
) -> None:
    """Such a file stopped Redis, and with it a hub, for good."""
    program = binaries.redis_server(Servers())
    child = Child(
        Redis(tmp_path / "redis", free_port(), "of-this-test", program),
        tmp_path / "redis.log",
        lambda _: None,
    )
    await child.start()
    async with redis.asyncio.Redis.from_url(child.server.url) as client:
        await client.set("seen:1", "r1")
        await client.set("seen:2", "r2\0")
    await child.stop()
    file = tmp_path / "redis" / "appendonly.aof"
    whole = file.read_bytes()
    file.write_bytes(whole[:-7] + bytes(zeros))
    await child.start()
    async with redis.asyncio.Redis.from_url(child.server.url) as client:
        assert await client.get("seen:1") == b"r1"
        assert await client.get("seen:2") is None  # cut short: what Redis forgets, the ledger knows
    await child.stop()
