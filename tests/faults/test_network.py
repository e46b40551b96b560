"""A network that is slow, silent, or resets: noticed, waited out, and nothing is there twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from urllib.parse import urlsplit, urlunsplit

import nats as nats_client
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from canonical.errors import Retryable
from connectors.base import Receipt
from hub import topology
from hub.clock import SystemClock
from hub.publisher import Outgoing, Publisher
from hub.runner import PullRunner
from hub.seen import Seen
from tests.faults.proxy import Mode, Proxy
from tests.support.hub_world import Background
from tests.support.waiting import wait_for

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)


@asynccontextmanager
async def proxied(url: str) -> AsyncIterator[tuple[str, Proxy]]:
    """A URL that leads through a proxy, and the proxy."""
    parts, background = urlsplit(url), Background()
    assert parts.port is not None
    proxy = Proxy(parts.port, background.loop).start()
    user = parts.netloc.rpartition("@")[0]
    try:
        yield urlunsplit(parts._replace(netloc=f"{user}@127.0.0.1:{proxy.port}")), proxy
    finally:
        proxy.behave("pass")
        proxy.close()
        background.close()


async def as_the_hub_does(url: str) -> Client:
    """Connect to NATS with the options of `hub/frame.py`."""
    return await nats_client.connect(
        url,
        max_reconnect_attempts=-1,
        reconnect_time_wait=0.2,
        connect_timeout=3,
        ping_interval=1,
        max_outstanding_pings=2,
    )


async def stored(url: str) -> int:
    """How many messages INTAKE holds, asked past the proxy."""
    client = await nats_client.connect(url, connect_timeout=10)
    try:
        return int((await client.jetstream().stream_info(topology.INTAKE)).state.messages)
    finally:
        await client.close()


async def published_in_the_end(publisher: Publisher, message: Outgoing) -> None:
    async def accepted() -> bool:
        try:
            await publisher.publish([message])
        except Retryable:
            return False
        return True

    await wait_for(accepted, 30, "it is stored")


# nats-py lets go of a connection whose first words never came without closing it.
@pytest.mark.filterwarnings(
    "ignore:Exception ignored in.*StreamWriter:pytest.PytestUnraisableExceptionWarning"
)
@pytest.mark.parametrize("mode", ["half_open", "partition"])
async def test_20_a_publish_without_an_answer_is_repeated_and_stored_once(
    nats: str, mode: Mode
) -> None:
    async with proxied(nats) as (url, proxy):
        client = await as_the_hub_does(url)
        js = client.jetstream(timeout=2)
        await topology.declare(js, "ledger-1", topology.Sizes())
        publisher, message = Publisher(client, js), Outgoing("intake.test.file", b"x", "id-1")
        proxy.behave(mode)
        with pytest.raises(Retryable, match="nats_unavailable"):
            await publisher.publish([message])
        proxy.behave("pass")
        await published_in_the_end(publisher, message)
        assert await stored(nats) == 1
        await client.close()


async def test_17_a_silent_nats_is_noticed_and_the_hub_goes_on_with_it(nats: str) -> None:
    async with proxied(nats) as (url, proxy):
        client = await as_the_hub_does(url)
        js = client.jetstream(timeout=2)
        await topology.declare(js, "ledger-1", topology.Sizes())
        stop, seen = asyncio.Event(), list[bytes]()

        async def handle(messages: list[Msg]) -> None:
            for message in messages:
                seen.append(message.data)
                await message.ack()

        async def declare() -> None:
            config = topology.normalize_consumer(ack_wait=2)
            await topology.declare_consumer(js, topology.INTAKE, config)

        await declare()
        runner = PullRunner(client, topology.INTAKE, topology.NORMALIZE, declare)
        running = asyncio.create_task(runner.run(handle, stop))
        proxy.behave("partition")
        await wait_for(lambda: not client.is_connected, 30, "the silence is noticed")
        other = await nats_client.connect(nats, connect_timeout=10)
        await other.jetstream().publish("intake.test.file", b"while it was silent")
        proxy.behave("pass")
        await wait_for(lambda: b"while it was silent" in seen, 30, "it goes on")
        stop.set()
        await running
        assert set(seen) == {b"while it was silent"}  # nothing else; again, where its ack was late
        await other.close()
        await client.close()


async def test_25_a_slow_redis_costs_a_call_no_more_than_its_timeout(redis: str) -> None:
    receipt = Receipt("r-1", "shop", "webhook-1", NOW, b"{}")
    known, asked = Seen.at(redis, SystemClock()), Receipt("r-2", "shop", "webhook-1", NOW, b"{}")
    await known.remember([receipt])
    assert await known.find(asked) == "r-1"
    await known.close()
    async with proxied(redis) as (url, proxy):
        slow = Seen.at(url, SystemClock())
        proxy.behave("latency", 2)
        assert await slow.find(asked) is None  # it did not wait for the answer that is there
        proxy.behave("pass")
        assert await slow.find(asked) is None  # and asks nothing for a while
        await slow.close()
