"""Publishing, pulling and intake on a real nats-server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import nats as nats_client
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy
from sqlalchemy.ext.asyncio import create_async_engine

from canonical.errors import ConfigError, Rejected, Retryable
from connectors.base import Receipt
from hub import runner, topology
from hub.intake.store import ReceiptStore, held_by
from hub.jobs import Housekeeping
from hub.publisher import Outgoing, Publisher
from hub.runner import PullRunner
from hub.telemetry.metrics import Metrics
from tests.support.waiting import wait_for

NOW = datetime(2026, 5, 5, 10, tzinfo=UTC)


@dataclass
class Streams:
    """A connection to a NATS that has our streams."""

    client: Client
    js: JetStreamContext
    publisher: Publisher


@asynccontextmanager
async def streams(url: str, sizes: topology.Sizes | None = None) -> AsyncIterator[Streams]:
    client = await nats_client.connect(url, max_reconnect_attempts=-1)
    js = client.jetstream()
    await topology.declare(js, "ledger-1", sizes or topology.Sizes())
    try:
        yield Streams(client, js, Publisher(client, js))
    finally:
        await client.close()


def outgoing(number: int, text: str = "x") -> Outgoing:
    return Outgoing("intake.test.file", text.encode(), f"id-{number}")


def receipt(body: bytes, name: str = "r-1") -> Receipt:
    return Receipt(name, "acme-edi", "d-1", NOW, body, facts={"file": "ä.edi"})


async def stored(js: JetStreamContext) -> int:
    return int((await js.stream_info(topology.INTAKE)).state.messages)


@pytest.mark.parametrize("count", [1, 19, 20, 1200])
async def test_all_messages_are_stored_once_however_often_they_are_published(
    nats: str, count: int
) -> None:
    async with streams(nats) as at:
        messages = [outgoing(i) for i in range(count)]
        await at.publisher.publish(messages)
        await at.publisher.publish(messages)
        assert await stored(at.js) == count


async def test_a_batch_with_one_known_message_still_stores_the_others(nats: str) -> None:
    async with streams(nats) as at:
        await at.publisher.publish([outgoing(7)])
        await at.publisher.publish([outgoing(i) for i in range(50)])
        assert await stored(at.js) == 50


async def test_messages_of_two_streams_in_one_call_are_all_stored(nats: str) -> None:
    async with streams(nats) as at:
        mixed = [outgoing(i) for i in range(30)]
        mixed[10:10] = [Outgoing("dead.map.x", b"x", f"dead-{i}") for i in range(30)]
        await at.publisher.publish(mixed)
        assert await stored(at.js) == 30
        assert (await at.js.stream_info(topology.DEAD)).state.messages == 30


async def test_dead_letters_without_end_never_stop_the_hub(nats: str) -> None:
    async with streams(nats, topology.Sizes(dead=8192)) as at:
        for start in range(0, 60, 20):
            letters = [Outgoing("dead.map.x", b"x" * 500, f"d-{start + i}") for i in range(20)]
            await at.publisher.publish(letters)
        held = await at.js.stream_info(topology.DEAD)
        assert held.state.bytes <= 8192
        assert held.state.last_seq == 60
        newest = await at.js.get_msg(topology.DEAD, 60)
        assert (newest.headers or {})["Nats-Msg-Id"] == "d-59"
        assert held.config.max_age == 30 * 86_400


def told(first: int, count: int) -> list[Outgoing]:
    """Events for listeners."""
    subject = "canonical.order.released"
    return [Outgoing(subject, b"x" * 500, f"e-{first + i}") for i in range(count)]


async def test_a_full_stream_of_events_lets_the_oldest_go_and_keeps_nothing_new_from_listeners(
    nats: str,
) -> None:
    async with streams(nats, topology.Sizes(canonical=8192)) as at:
        for first in range(0, 60, 20):
            await at.publisher.publish(told(first, 20))
        held = await at.js.stream_info(topology.CANONICAL)
        assert held.state.bytes <= 8192
        assert held.state.last_seq == 60


async def test_streams_of_another_size_are_changed_at_the_start(nats: str) -> None:
    async with streams(nats) as at:
        (old,) = [
            each
            for each in topology.streams("ledger-1", topology.Sizes())
            if each.name == topology.CANONICAL
        ]
        await at.js.update_stream(replace(old, discard=DiscardPolicy.NEW))  # as it was once made
        await at.publisher.publish(told(0, 30))
        smaller = topology.Sizes(canonical=8192, intake=10**6, canonical_seconds=3600.0)
        assert await topology.declare(at.js, "ledger-1", smaller) == []
        held = await at.js.stream_info(topology.CANONICAL)
        assert (held.config.discard, held.config.max_age) == (DiscardPolicy.OLD, 3600.0)
        assert 0 < held.state.bytes <= 8192
        intake = await at.js.stream_info(topology.INTAKE)
        assert (intake.config.discard, intake.config.max_bytes) == (DiscardPolicy.NEW, 10**6)


@dataclass
class Listening:
    """Two listeners and the job that looks at them."""

    at: Streams
    metrics: Metrics
    look: Callable[[], Awaitable[None]]

    async def read(self, durable: str, count: int) -> None:
        """Read and acknowledge events."""
        own = await self.at.js.pull_subscribe(
            "canonical.>" if durable == "all" else "canonical.invoice.recorded",
            durable=durable,
            stream=topology.CANONICAL,
        )
        try:
            for message in await own.fetch(count, timeout=1):
                await message.ack_sync()
        except TimeoutError:
            assert durable == "invoices"  # there is none

    async def missing(self) -> float | None:
        """How many listeners the job finds that missed events."""
        await self.look()
        name = "crossdock_listeners_missing_events"
        return self.metrics.registry.get_sample_value(name)


async def test_a_listener_that_was_away_for_too_long_is_told_of(nats: str) -> None:
    async with streams(nats, topology.Sizes(canonical=8192)) as at:
        metrics = Metrics()
        housekeeping = Housekeeping(at.js, create_async_engine("postgresql+asyncpg://"), metrics)
        listening = Listening(at, metrics, housekeeping.look_at_listeners)
        await topology.declare_consumer(at.js, topology.CANONICAL, topology.wake_consumer("bc"))
        await at.publisher.publish(told(0, 5))
        for durable in ("all", "invoices"):
            await listening.read(durable, 5)
        assert await listening.missing() == 0
        await at.publisher.publish(told(5, 5))
        assert await listening.missing() == 0  # away, and everything is there
        await at.publisher.publish(told(10, 60))
        await listening.read("invoices", 1)
        assert await listening.missing() == 1
        await listening.read("all", 1)
        assert await listening.missing() == 0


@pytest.mark.parametrize("count", [1, 40])
async def test_a_full_stream_refuses_and_loses_nothing_that_it_holds(nats: str, count: int) -> None:
    async with streams(nats, topology.Sizes(intake=4096)) as at:
        await at.publisher.publish([outgoing(1, "x" * 3000)])
        with pytest.raises(Retryable) as refused:
            await at.publisher.publish([outgoing(10 + i, "y" * 3000) for i in range(count)])
        assert refused.value.code == "stream_full"
        assert await stored(at.js) == 1


async def test_publishing_without_a_connection_is_refused_at_once(nats: str) -> None:
    async with streams(nats) as at:
        await at.client.close()
        with pytest.raises(Retryable, match="nats_unavailable"):
            await at.publisher.publish([outgoing(1)])


async def test_streams_of_another_ledger_are_not_taken_over(nats: str) -> None:
    async with streams(nats) as at:
        with pytest.raises(ConfigError, match="foreign_stream"):
            await topology.declare(at.js, "ledger-2", topology.Sizes())


@pytest.mark.parametrize("size", [10, 600_000])
async def test_a_receipt_comes_back_from_the_stream_as_it_was_stored(nats: str, size: int) -> None:
    async with streams(nats) as at:
        store = ReceiptStore(at.js, at.publisher)
        given = receipt(b"\x00\xff" * (size // 2))
        await store.save(given)
        message = await at.js.get_msg(topology.INTAKE, 1)
        raw = Msg(at.client, data=message.data or b"", headers=message.headers)
        assert await store.load(raw) == given


async def test_a_foreign_message_in_the_intake_stream_is_no_receipt(nats: str) -> None:
    async with streams(nats) as at:
        store = ReceiptStore(at.js, at.publisher)
        with pytest.raises(Rejected, match="not_a_receipt"):
            await store.load(Msg(at.client, data=b"hello"))


async def test_receipts_that_come_together_share_a_publish_and_all_are_stored(nats: str) -> None:
    async with streams(nats) as at:
        store = ReceiptStore(at.js, at.publisher)
        await store.save_all([receipt(b"x", f"r-{i}") for i in range(300)])
        assert await stored(at.js) == 300


async def test_the_runner_hands_over_every_message_and_waits_for_more(nats: str) -> None:
    async with streams(nats) as at:
        stop, seen = asyncio.Event(), set[str]()

        async def handle(messages: list[Msg]) -> None:
            for message in messages:
                seen.add((message.headers or {})["Nats-Msg-Id"])
                await message.ack()
            if len(seen) == 450:
                stop.set()

        task = asyncio.create_task(_runner(at).run(handle, stop, batch=50))
        await at.publisher.publish([outgoing(i) for i in range(400)])
        await at.publisher.publish([outgoing(i) for i in range(400, 450)])
        async with asyncio.timeout(20):
            await task
        assert len(seen) == 450


async def test_a_batch_holds_what_memory_can_hold_and_the_rest_waits_in_its_order(
    nats: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "_MOST_BYTES", 1_500_000)
    async with streams(nats) as at:
        store, stop = ReceiptStore(at.js, at.publisher), asyncio.Event()
        sizes, batches = [600_000, 10, 600_000, 600_000, 10, 2_000_000, 10], list[list[int]]()

        async def handle(messages: list[Msg]) -> None:
            batches.append([held_by(message) for message in messages])
            for message in messages:
                await message.ack()
            if sum(map(len, batches)) == len(sizes):
                stop.set()

        for number, size in enumerate(sizes):
            await store.save(receipt(b"x" * size, f"r-{number}"))
        task = asyncio.create_task(_runner(at).run(handle, stop))
        async with asyncio.timeout(20):
            await task
        assert [size for batch in batches for size in batch] == sizes
        assert all(len(batch) == 1 or sum(batch) <= 1_500_000 for batch in batches)


@pytest.mark.parametrize("size", ["", "many", "-5", "9" * 5000])
def test_a_size_that_is_none_of_ours_is_what_the_message_carries(size: str) -> None:
    stranger = Msg(Client(), data=b"hello", headers={"Crossdock-Body-Size": size})
    assert held_by(stranger) == 5


async def test_a_consumer_that_somebody_deleted_is_declared_again(nats: str) -> None:
    async with streams(nats) as at:
        stop, seen = asyncio.Event(), list[bytes]()

        async def handle(messages: list[Msg]) -> None:
            seen.extend(message.data for message in messages)
            for message in messages:
                await message.ack()
            if seen[-1] == b"second":
                stop.set()
            else:
                await at.js.delete_consumer(topology.INTAKE, topology.NORMALIZE)
                await at.publisher.publish([outgoing(2, "second")])

        task = asyncio.create_task(_runner(at).run(handle, stop))
        await at.publisher.publish([outgoing(1, "first")])
        async with asyncio.timeout(30):
            await task
        assert seen[-1] == b"second"


async def test_a_handler_that_fails_leaves_its_messages_to_come_again(nats: str) -> None:
    async with streams(nats) as at:
        stop, tries = asyncio.Event(), list[int]()

        async def handle(messages: list[Msg]) -> None:
            tries.append(len(messages))
            if len(tries) == 1:
                await messages[0].nak()
                raise Retryable("nats_unavailable")
            await messages[0].ack()
            stop.set()

        task = asyncio.create_task(_runner(at).run(handle, stop))
        await at.publisher.publish([outgoing(1)])
        async with asyncio.timeout(20):
            await task
        assert tries == [1, 1]


def _runner(at: Streams) -> PullRunner:
    async def declare() -> None:
        await topology.declare_consumer(at.js, topology.INTAKE, topology.normalize_consumer())

    return PullRunner(at.client, topology.INTAKE, topology.NORMALIZE, declare, held_by)


async def test_a_batch_is_begun_ahead_and_no_more_than_one(nats: str) -> None:
    async with streams(nats) as at:
        stop, first_may_end, begun = asyncio.Event(), asyncio.Event(), list[int]()

        async def handle(messages: list[Msg]) -> None:
            begun.append(len(begun))
            if len(begun) == 1:
                await first_may_end.wait()
            for message in messages:
                await message.ack()
            if len(begun) == 3:
                stop.set()

        await at.publisher.publish([outgoing(i) for i in range(30)])
        task = asyncio.create_task(_runner(at).run(handle, stop, batch=10, ahead=1))
        await wait_for(lambda: len(begun) == 2)
        assert not stop.is_set()
        first_may_end.set()
        async with asyncio.timeout(20):
            await task


async def test_what_a_batch_begun_ahead_raises_does_not_end_the_runner(nats: str) -> None:
    async with streams(nats) as at:
        stop, calls = asyncio.Event(), list[int]()

        async def handle(messages: list[Msg]) -> None:
            calls.append(len(messages))
            if len(calls) == 1:
                raise Retryable("nats_unavailable", "", "away")
            for message in messages:
                await message.ack()
            stop.set()

        task = asyncio.create_task(_runner(at).run(handle, stop, batch=10, ahead=1))
        await at.publisher.publish([outgoing(1)])
        await wait_for(lambda: len(calls) == 1)
        await at.publisher.publish([outgoing(2)])
        async with asyncio.timeout(20):
            await task
        assert len(calls) == 2
