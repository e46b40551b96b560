"""NATS, PostgreSQL, Redis and the target away, at the start and in mid-flight.

The hub stays alive and quiet, says no with Retry-After or leaves files where they are, obeys
SIGTERM, goes on by itself once the server is back, and nothing is lost or done twice.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from nats.js import JetStreamContext
from nats.js.api import StreamConfig

from hub import topology
from tests.support.hub_senders import Shop
from tests.support.hub_world import SETTLE_SECONDS, World, world
from tests.support.own_servers import OwnServers
from tests.support.waiting import wait_until

ONCE = {"sales_order_created": 1, "warehouse_order_received": 1}
GRACE_SECONDS = 30
"""What container runtimes give a process between SIGTERM and SIGKILL."""
OUTAGE_SECONDS = float(os.environ.get("CROSSDOCK_OUTAGE_SECONDS", "2"))
"""How long each server stays away; ``make outages SECONDS=600`` takes its time."""
MOST_CPU = 0.2 if OUTAGE_SECONDS >= 60 else 0.5
"""Of one core, while waiting; two seconds on a busy machine say less."""


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServers]:
    """None of them runs yet."""
    made = OwnServers(tmp_path_factory.mktemp("servers"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory, servers: OwnServers) -> Iterator[World]:
    """A world in front of these servers; its hub has not been started."""
    with world(tmp_path_factory.mktemp("outages"), servers.addresses) as made:
        yield made


@pytest.fixture
def asleep(here: World, servers: OwnServers) -> World:
    """The same world without hub and servers."""
    here.hub.kill()
    for name in ("nats", "postgres", "redis"):
        servers.kill(name)
    return here


@pytest.fixture
def at(here: World, servers: OwnServers) -> World:
    """The same world with its hub at work on all servers."""
    if not here.hub.alive:
        servers.start("postgres", "nats", "redis")
        here.hub.start()
        wait_until(here.seeded, SETTLE_SECONDS, "reference data")
    return here


@pytest.fixture(scope="module")
def shop(here: World) -> Iterator[Shop]:
    made = Shop(here.hub.url)
    yield made
    made.close()


@contextmanager
def accounted(at: World) -> Iterator[datetime]:
    """What came in meanwhile adds up in the end, and nothing took effect twice."""
    since = at.books.now()
    yield since
    wait_until(lambda: at.books.balance(since).adds_up, SETTLE_SECONDS, "the account adds up")
    assert at.double_effects() == []


def until_done(at: World, *numbers: str, partner: str = "acme") -> None:
    """Wait until orders have taken effect, once."""
    for number in numbers:
        wait_until(lambda n=number: at.effects(n, partner) == ONCE, SETTLE_SECONDS, number)  # type: ignore[misc]


def assert_told_to_come_again(answer: httpx.Response) -> None:
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["error"]["code"] in {"starting", "nats_unavailable"}


def assert_quiet(at: World) -> None:
    """The hub and its workers use little of a core, for as long as the outage lasts."""
    began, before = time.monotonic(), at.hub.cpu_seconds()
    wait_until(lambda: time.monotonic() - began > OUTAGE_SECONDS, OUTAGE_SECONDS + 15)
    assert at.hub.alive
    used = (at.hub.cpu_seconds() - before) / (time.monotonic() - began)
    print(f"{used:.0%} of a core while waiting")  # noqa: T201
    assert used < MOST_CPU


@contextmanager
def resuming(what: str) -> Iterator[None]:
    """Tell how long the block takes, which waits for what goes on after an outage."""
    began = time.monotonic()
    yield
    print(f"{what}: back after {time.monotonic() - began:.1f} s")  # noqa: T201


def assert_stops_when_told(at: World) -> None:
    asked = time.monotonic()
    assert at.hub.terminate() == 0
    assert time.monotonic() - asked < GRACE_SECONDS


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file())


# At the start.


def test_started_without_any_server_the_hub_says_not_yet_and_stops_when_told(
    asleep: World, servers: OwnServers, shop: Shop
) -> None:
    asleep.hub.start(wait=False)
    wait_until(lambda: asleep.hub.ask("/healthz") == 200, SETTLE_SECONDS, "it answers")
    assert asleep.hub.ask("/readyz") == 503
    assert_told_to_come_again(shop.call(shop.order("#O-EARLY")))
    wait_until(
        lambda: asleep.hub.events("database_waits"), SETTLE_SECONDS, "it waits for the ledger"
    )
    assert_quiet(asleep)
    servers.start("postgres")
    wait_until(lambda: asleep.hub.events("nats_waits"), SETTLE_SECONDS, "it waits for NATS")
    assert_told_to_come_again(shop.call(shop.order("#O-EARLIER")))
    assert_quiet(asleep)
    assert_stops_when_told(asleep)


def test_started_without_nats_and_redis_the_hub_goes_on_with_nats_and_needs_no_redis(
    asleep: World, servers: OwnServers, shop: Shop
) -> None:
    servers.start("postgres")
    name = asleep.send("O-WAITING")
    asleep.hub.start(wait=False)
    wait_until(lambda: asleep.hub.ask("/healthz") == 200, SETTLE_SECONDS, "it answers")
    assert_told_to_come_again(shop.call(shop.order("#O-EARLIER")))
    assert files(asleep.folder_of("acme-edi")) == [name]
    servers.start("nats")
    wait_until(asleep.hub.ready, SETTLE_SECONDS, "it is ready without Redis")
    assert shop.call(shop.order("#O-FIRST")).status_code == 200
    wait_until(asleep.seeded, SETTLE_SECONDS, "reference data")
    # They may have come before the customers and items that they are checked against: held, then.
    wait_until(lambda: len(asleep.documents("O-WAITING")) == 1, SETTLE_SECONDS, "the file is taken")
    wait_until(
        lambda: len(asleep.documents("#O-FIRST")) == 1, SETTLE_SECONDS, "the call is decided"
    )
    wait_until(lambda: files(asleep.folder_of("acme-edi")) == [], what="the file is moved")
    servers.start("redis")


# In mid-flight.


def under_way(at: World, numbers: list[str]) -> None:
    """Send orders, and return while the call of the first is waiting for its answer."""
    at.misbehave(numbers[0], kind="slow", delay_seconds=1)
    at.send(*numbers)
    wait_until(lambda: at.plays(numbers[0]), SETTLE_SECONDS, "they are under way")


def test_without_nats_senders_hear_no_and_files_stay_until_it_is_back(
    at: World, servers: OwnServers, shop: Shop
) -> None:
    flying = [f"O-N{n}" for n in range(12)]
    with accounted(at):
        under_way(at, flying)
        servers.kill("nats")
        wait_until(lambda: not at.hub.ready(), SETTLE_SECONDS, "it knows")
        left = at.send("O-N-LEFT")
        call = shop.order("#O-N")
        assert_told_to_come_again(shop.call(call))
        assert_quiet(at)
        assert at.hub.alive
        assert left in files(at.folder_of("acme-edi"))
        servers.start("nats")
        with resuming("NATS"):
            wait_until(at.hub.ready, SETTLE_SECONDS, "it is back by itself")
            assert shop.call(call).status_code == 200
            until_done(at, *flying, "O-N-LEFT")
        until_done(at, "#O-N", partner="webshop")


def test_streams_that_were_wiped_are_made_again_and_what_comes_then_goes_on(
    at: World, servers: OwnServers, shop: Shop
) -> None:
    with accounted(at):
        at.send("O-W-BEFORE")
        until_done(at, "O-W-BEFORE")
        servers.wipe("nats")
        servers.start("nats")
        wait_until(lambda: at.hub.events("stream_lost"), SETTLE_SECONDS, "somebody is told")
        wait_until(at.hub.ready, SETTLE_SECONDS, "it is back by itself")
        assert 'crossdock_nats_repaired_total{stream="INTAKE"} 1.0' in at.hub.metrics()
        at.send("O-W-AFTER")
        assert shop.call(shop.order("#O-W")).status_code == 200
        until_done(at, "O-W-AFTER")
        until_done(at, "#O-W", partner="webshop")


@pytest.mark.parametrize("consumer", [("INTAKE", "normalize"), ("CANONICAL", "deliver-bc")])
def test_a_consumer_that_an_operator_deleted_is_made_again_and_said(
    at: World, consumer: tuple[str, str]
) -> None:
    with accounted(at):
        at.books.streams(lambda js: js.delete_consumer(*consumer))
        wait_until(lambda: told_lost(at, consumer[1]), SETTLE_SECONDS, "somebody is told")
        at.send(f"O-C-{consumer[1]}")
        until_done(at, f"O-C-{consumer[1]}")
        at.books.streams(lambda js: js.consumer_info(*consumer))


def told_lost(at: World, consumer: str) -> bool:
    """Whether the hub has said that a consumer was gone."""
    return any(entry["consumer"] == consumer for entry in at.hub.events("consumer_lost"))


def test_without_postgresql_what_is_stored_waits_and_is_decided_when_it_is_back(
    at: World, servers: OwnServers, shop: Shop
) -> None:
    flying = [f"O-P{n}" for n in range(12)]
    with accounted(at):
        under_way(at, flying)
        servers.kill("postgres")
        wait_until(lambda: not at.hub.ready(), SETTLE_SECONDS, "it knows")
        answer = shop.call(shop.order("#O-P"))
        assert answer.status_code == 200  # stored in NATS: that is all that a yes means
        at.send("O-P-LATER")
        assert_quiet(at)
        assert at.hub.alive
        servers.start("postgres")
        with resuming("PostgreSQL"):
            wait_until(at.hub.ready, SETTLE_SECONDS, "it is back by itself")
            until_done(at, *flying, "O-P-LATER")
        assert at.outcomes(flying[0]) == ["delivered"]  # its answer came while the ledger was away
        until_done(at, "#O-P", partner="webshop")


def test_without_postgresql_what_intake_may_store_is_bounded(
    at: World, servers: OwnServers, shop: Shop
) -> None:
    with accounted(at):
        servers.kill("postgres")
        wait_until(lambda: not at.hub.ready(), SETTLE_SECONDS, "it knows")
        usual = at.books.streams(lambda js: limited(js, room=20_000))
        taken = []
        for number in (f"#O-F{n}" for n in range(200)):
            answer = shop.call(shop.order(number))
            if answer.status_code != 200:
                break
            taken.append(number)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "stream_full")
        assert int(answer.headers["retry-after"]) > 0
        assert taken
        at.books.streams(lambda js: js.update_stream(usual))
        servers.start("postgres")
        until_done(at, *taken, partner="webshop")


async def limited(js: JetStreamContext, room: int) -> StreamConfig:
    """Leave INTAKE so many bytes of room; how it was configured before."""
    info = await js.stream_info(topology.INTAKE)
    await js.update_stream(replace(info.config, max_bytes=info.state.bytes + room))
    return info.config


def a_day(at: World, shop: Shop, word: str) -> dict[str, int | bool]:
    """Orders, repeats by file and by call, and something unreadable; the account of it."""
    with accounted(at) as since:
        name = at.send(f"O-{word}-1", f"O-{word}-2")
        until_done(at, f"O-{word}-1", f"O-{word}-2")
        at.send_again(name)
        call = shop.order(f"#O-{word}")
        for _ in range(3):
            assert shop.call(call, x_shopify_webhook_id=f"day-{word}").status_code == 200
            wait_until(lambda: at.documents(f"#O-{word}"), SETTLE_SECONDS, "it is decided")
        until_done(at, f"#O-{word}", partner="webshop")
        assert shop.call(b"[]").status_code == 200
        wait_until(lambda: at.books.balance(since).received == 8, SETTLE_SECONDS, "all is counted")
    return at.books.balance(since).as_dict()


def test_without_redis_the_account_is_the_same_as_with_it(
    at: World, servers: OwnServers, shop: Shop
) -> None:
    with_redis = a_day(at, shop, "WITH")
    servers.kill("redis")
    without = a_day(at, shop, "WITHOUT")
    assert_quiet(at)
    assert at.hub.ready()
    assert without == with_redis
    assert (without["delivered"], without["duplicate"], without["dead"]) == (3, 4, 1)
    servers.start("redis")
    assert a_day(at, shop, "AGAIN") == with_redis


def opened(at: World) -> bool:
    """Whether the ERP's breaker has opened."""
    return any(entry["target"] == "bc" for entry in at.hub.events("breaker"))


def taken(at: World, numbers: list[str]) -> int:
    """How many of these orders the ERP has taken."""
    return sum(at.deliveries(number).get("bc") == "delivered" for number in numbers)


def test_without_the_target_orders_wait_and_go_on_when_it_is_back(at: World, shop: Shop) -> None:
    numbers = [f"O-T{n}" for n in range(12)]
    with accounted(at):
        at.send(*numbers[:6])
        wait_until(lambda: at.deliveries(numbers[0]).get("bc") == "delivered", SETTLE_SECONDS)
        at.send(*numbers[6:])
        at.sandbox.kill()
        assert shop.call(shop.order("#O-T")).status_code == 200
        wait_until(lambda: at.documents(numbers[-1]), SETTLE_SECONDS, "decided all the same")
        wait_until(lambda: opened(at), SETTLE_SECONDS, "the breaker opens")
        assert_quiet(at)
        assert at.hub.ready()
        before = taken(at, numbers)
        at.sandbox.start()
        with resuming("the target"):
            with resuming("its first order"):
                wait_until(lambda: taken(at, numbers) > before, SETTLE_SECONDS, "it goes on")
            until_done(at, *numbers)
        until_done(at, "#O-T", partner="webshop")


@pytest.mark.parametrize("server", ["nats", "postgres"])
def test_told_to_stop_in_an_outage_the_hub_stops_and_goes_on_after_it(
    at: World, servers: OwnServers, server: str
) -> None:
    numbers = [f"O-S-{server}-{n}" for n in range(6)]
    with accounted(at):
        under_way(at, numbers)
        servers.kill(server)
        wait_until(lambda: not at.hub.ready(), SETTLE_SECONDS, "it knows")
        assert_stops_when_told(at)
        servers.start(server)
        at.books.leases_run_out()
        at.hub.start()
        until_done(at, *numbers)
