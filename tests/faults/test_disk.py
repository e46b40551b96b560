"""A disk without room: nothing that was accepted is lost, and it goes on when there is room."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from hub.servers.addresses import Addresses
from tests.faults import checker, dump
from tests.faults.partners import CANARY
from tests.faults.power import Disk, NoDisk
from tests.faults.run import settle
from tests.faults.world import World as Campaign
from tests.support.databases import drop_database, in_thread, make_database
from tests.support.hub_world import SETTLE_SECONDS, World, world
from tests.support.waiting import wait_until

ONCE = {"sales_order_created": 1, "warehouse_order_received": 1}
ROOM = 1024 * 1024
MOST = 40
RATE = 30.0
AT_WORK = 6


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small file system")
    place = tmp_path / "archive"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(place)],  # noqa: S607
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("this machine mounts nothing")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=False)  # noqa: S607


@pytest.fixture
def at(
    tmp_path: Path, small: Path, template: Addresses, fresh_name: Callable[[], str], nats: str
) -> Iterator[World]:
    """A hub at work whose archive is on the small file system."""
    assert small.parent == tmp_path
    url, name = template.database_url, fresh_name()
    database = in_thread(lambda: make_database(url, name))
    with world(tmp_path, Addresses(nats, database, template.redis_url)) as made:
        made.hub.start()
        wait_until(made.seeded, SETTLE_SECONDS, "reference data")
        yield made
    in_thread(lambda: drop_database(url, name))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A disk for the servers alone."""
    made = Disk(tmp_path / "shelf", tmp_path / "servers")
    try:
        made.open()
    except NoDisk as error:
        pytest.skip(f"no disk to fill: {error}")
    yield made
    made.close()


@pytest.fixture
def both(tmp_path: Path, disk: Disk) -> Iterator[Campaign]:
    """Two hubs whose NATS, PostgreSQL and Redis are on that disk."""
    assert disk.place.parent == tmp_path
    made = Campaign(tmp_path, seed=28)
    try:
        made.start()
        yield made
    finally:
        made.close()


def filled(place: Path) -> Path:
    """A file that takes all room there is."""
    ballast = place / "ballast"
    with ballast.open("wb") as file, suppress(OSError):
        while True:
            os.write(file.fileno(), bytes(4096))
    return ballast


def test_41_without_room_for_the_archive_nothing_is_lost_and_it_recovers(
    at: World, small: Path
) -> None:
    ballast, sent = filled(small), list[str]()
    inbox = at.folder_of("acme-edi")

    def waits() -> bool:
        return bool(at.hub.events("batch_waits"))

    # The last page of the pack may have room for a few orders more.
    while not waits() and len(sent) < MOST:
        sent.append(f"DISK-{len(sent)}")
        at.send(sent[-1])
        wait_until(
            lambda: waits() or at.documents(sent[-1]), SETTLE_SECONDS, "it is decided, or waits"
        )
    assert waits()
    wait_until(lambda: not [p for p in inbox.iterdir() if p.is_file()], what="all is taken in")
    assert at.hub.ready()
    ballast.unlink()
    for number in sent:
        wait_until(lambda n=number: at.effects(n) == ONCE, SETTLE_SECONDS, number)  # type: ignore[misc]
        assert at.documents(number) == [("accept", "delivered")]


def test_28_41_without_room_for_the_servers_senders_hear_no_and_nothing_is_lost(
    both: Campaign, disk: Disk, tmp_path: Path
) -> None:
    """PostgreSQL goes on by itself; NATS 2.15 refuses a stream that met a full disk until it is started anew."""
    load = both.load(RATE)
    load.start()
    wait_until(lambda: load.accepted >= AT_WORK, SETTLE_SECONDS * 2, "they are at work")
    ballast = disk.fill()
    refused = sum(load.statuses().values()) - load.statuses().get("200", 0)

    def refuses() -> bool:
        said = load.statuses()
        return sum(said.values()) - said.get("200", 0) >= refused + AT_WORK

    wait_until(refuses, SETTLE_SECONDS * 2, "callers hear no")
    assert all(hub.alive for hub in both.hubs.values())
    ballast.unlink()
    both.servers.kill("nats")
    both.servers.start("nats")
    heard = load.accepted
    wait_until(lambda: load.accepted > heard, SETTLE_SECONDS * 2, "somebody hears yes again")
    assert settle(both, load, 60) == []
    dump.write(both, tmp_path)
    verdict = checker.check(tmp_path, both.secrets(), [CANARY])
    assert verdict.problems == {}
    assert checker.documents(verdict.counts) > AT_WORK
