"""Three hubs on one ledger and a NATS cluster of three: whichever dies, all goes on, once."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from nats.js import JetStreamContext

from hub import topology
from hub.servers.addresses import Addresses
from tests.support.hub_world import SETTLE_SECONDS, World, world
from tests.support.nats_cluster import Cluster, cluster
from tests.support.waiting import wait_until

MOST_GAP_SECONDS = 30.0
"""Without progress: three times the promise, for a machine that runs other tests beside this."""
HUBS = int(os.environ.get("CROSSDOCK_HUBS", "3"))
ONCE = {"sales_order_created": 1, "warehouse_order_received": 1}


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("cluster")) as made:
        yield made


@pytest.fixture(scope="module")
def at(
    template: Addresses, nodes: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """Three hubs at work."""
    addresses = Addresses(nodes.url, template.database_url, template.redis_url)

    def replicate(site: dict[str, Any]) -> None:
        site.setdefault("servers", {})["replicas"] = 3

    with world(tmp_path_factory.mktemp("replicas"), addresses, replicate) as made:
        made.hub.start()
        for _ in range(HUBS - 1):
            made.replica().start()
        wait_until(made.seeded, SETTLE_SECONDS, "reference data")
        yield made


@dataclass
class Load:
    """Orders that keep coming while something dies."""

    at: World
    word: str
    numbers: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Send an order every quarter of a second."""
        while not self._stop.wait(0.25):
            number = f"O-{self.word}-{len(self.numbers)}"
            self.at.send(number)
            self.numbers.append(number)

    def stop(self) -> None:
        """Send no more."""
        self._stop.set()

    def delivered(self) -> int:
        """How many of them the ERP has."""
        return self.at.books.count(
            "SELECT count(*) FROM document o JOIN delivery d ON d.document_id = o.id "
            "WHERE o.number LIKE :like AND d.target = 'bc' AND d.state = 'delivered'",
            like=f"O-{self.word}-%",
        )

    def longest_gap(self) -> float:
        """The longest time, in seconds, in which none of them reached the ERP."""
        (row,) = self.at.books.rows(
            "SELECT max(gap) AS gap FROM (SELECT extract(epoch FROM d.settled_at - lag(d.settled_at)"
            " OVER (ORDER BY d.settled_at))::float AS gap FROM document o"
            " JOIN delivery d ON d.document_id = o.id"
            " WHERE o.number LIKE :like AND d.target = 'bc' AND d.state = 'delivered') AS gaps",
            like=f"O-{self.word}-%",
        )
        return float(row["gap"])


@contextmanager
def load(at: World, word: str) -> Iterator[Load]:
    """Orders before, while and after the block; all of them take effect, once."""
    made = Load(at, word)
    thread = threading.Thread(target=made.run)
    thread.start()
    try:
        wait_until(lambda: made.delivered() >= 4, SETTLE_SECONDS, "they flow")
        yield made
        more = made.delivered() + 12
        wait_until(lambda: made.delivered() >= more, SETTLE_SECONDS, "they flow again")
    finally:
        made.stop()
        thread.join()
    for number in made.numbers:
        wait_until(lambda n=number: at.effects(n) == ONCE, SETTLE_SECONDS, number)  # type: ignore[misc]
    assert at.double_effects() == []
    wait_until(lambda: at.books.balance().adds_up, SETTLE_SECONDS, "the account adds up")
    print(f"{word}: {len(made.numbers)} orders, {made.longest_gap():.1f} s without progress")  # noqa: T201
    assert made.longest_gap() < MOST_GAP_SECONDS


def leader(at: World, stream: str) -> str:
    """Which node leads a stream."""

    async def ask(js: JetStreamContext) -> str:
        info = await js.stream_info(stream)
        return str(info.cluster.leader) if info.cluster else ""

    return at.books.streams(ask)


def test_the_streams_have_three_copies(at: World) -> None:
    async def copies(js: JetStreamContext) -> set[int | None]:
        return {info.config.num_replicas for info in await js.streams_info()}

    assert at.books.streams(copies) == {3}


def test_the_node_that_leads_intake_is_killed(at: World, nodes: Cluster) -> None:
    with load(at, "LEADER"):
        node = nodes.named(leader(at, topology.INTAKE))
        node.kill()
    node.start()
    wait_until(lambda: all_current(at), SETTLE_SECONDS, "it has caught up")


def test_a_node_that_follows_is_killed(at: World, nodes: Cluster) -> None:
    with load(at, "FOLLOWER"):
        leads = leader(at, topology.INTAKE)
        node = next(each for each in nodes.nodes if each.name != leads)
        node.kill()
    node.start()
    wait_until(lambda: all_current(at), SETTLE_SECONDS, "it has caught up")


def all_current(at: World) -> bool:
    """Whether every copy of every stream is up to date."""

    async def ask(js: JetStreamContext) -> bool:
        infos = await js.streams_info()
        peers = [peer for info in infos if info.cluster for peer in info.cluster.replicas or []]
        return len(peers) == 2 * len(infos) and all(peer.current for peer in peers)

    return at.books.streams(ask)


@pytest.mark.parametrize("which", [0, HUBS - 1], ids=["first", "last"])
def test_a_hub_is_killed(at: World, which: int) -> None:
    hub = [at.hub, *at.replicas][which]
    with load(at, f"HUB{which}"):
        hub.kill()
    hub.start()


def test_all_nodes_are_killed_at_once(at: World, nodes: Cluster) -> None:
    with load(at, "ALL"):
        for node in nodes.nodes:
            node.kill()
        for node in nodes.nodes:
            node.start()
