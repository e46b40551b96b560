"""The outbox relay and the accelerator: what dies in between leaves nothing behind."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.base import Receipt
from hub import topology
from hub.clock import SystemClock
from hub.events import Event
from hub.ledger import bulk
from hub.ledger import outbox as waiting
from hub.ledger.tables import document, outbox
from hub.publisher import Publisher
from hub.relay import Relay
from hub.seen import Seen
from hub.servers.addresses import Addresses
from hub.servers.nats import MAX_PAYLOAD
from tests.support.ledgers import Dock, change, dock, normalized, order
from tests.support.waiting import wait_for


@pytest.fixture
async def at(addresses: Addresses, tmp_path: Path) -> AsyncIterator[Dock]:
    async with dock(addresses, tmp_path) as opened:
        yield opened


def event(number: int) -> Event:
    return Event(f"event-{number}", "canonical.order.released", b"{}")


async def left_behind(at: Dock, count: int) -> None:
    """Rows of a hub that died between its commit and its publish."""
    async with at.engine.begin() as ledger:
        await bulk.insert(ledger, outbox, [event(n).row() for n in range(count)])
        old = datetime.now(UTC) - timedelta(minutes=1)
        await ledger.execute(sa.update(outbox).values(written_at=old))


async def published(at: Dock) -> int:
    return int((await at.js.stream_info(topology.CANONICAL)).state.messages)


async def test_events_that_a_dead_hub_left_behind_are_published_once(at: Dock) -> None:
    await left_behind(at, 700)
    relay = Relay(at.engine, Publisher(at.client, at.js))
    await Publisher(at.client, at.js).publish([event(3).outgoing()])  # it died after this one
    stop = asyncio.Event()
    task = asyncio.create_task(relay.run(stop))

    async def gone() -> bool:
        return await at.rows(outbox) == []

    await wait_for(gone)
    stop.set()
    await task
    assert await published(at) == 700


async def test_a_dead_letter_among_many_events_holds_up_neither_stream(at: Dock) -> None:
    mixed = [event(n) for n in range(25)] + [Event("dead-1", "dead.map.acme-edi", b"{}")]
    async with at.engine.begin() as ledger:
        await bulk.insert(ledger, outbox, [each.row() for each in mixed])
    await Relay(at.engine, Publisher(at.client, at.js)).publish(mixed)
    assert await at.rows(outbox) == []
    assert await published(at) == 25
    assert (await at.js.stream_info(topology.DEAD)).state.messages == 1


async def test_a_stream_that_refuses_holds_up_no_other(at: Dock) -> None:
    await at.js.delete_stream(topology.DEAD)
    await left_behind(at, 30)
    async with at.engine.begin() as ledger:
        await bulk.insert(ledger, outbox, [Event("dead-1", "dead.map.x", b"{}").row()])
        old = datetime.now(UTC) - timedelta(hours=1)
        await ledger.execute(
            sa.update(outbox).where(outbox.c.event_id == "dead-1").values(written_at=old)
        )
    stop = asyncio.Event()
    task = asyncio.create_task(Relay(at.engine, Publisher(at.client, at.js)).run(stop))

    async def only_the_dead_one() -> bool:
        return [row["event_id"] for row in await at.rows(outbox)] == ["dead-1"]

    await wait_for(only_the_dead_one)
    stop.set()
    await task
    assert await published(at) == 30


def too_large(number: int) -> Event:
    return Event(f"big-{number}", "canonical.order.released", b"x" * (MAX_PAYLOAD - 100))


@pytest.mark.parametrize("count", [10, 300])
async def test_an_event_that_nats_never_takes_is_set_aside_and_holds_up_no_other(
    at: Dock, count: int
) -> None:
    events = [too_large(1), *(event(n) for n in range(count))]
    async with at.engine.begin() as ledger:
        await bulk.insert(ledger, outbox, [each.row() for each in events])
        old = datetime.now(UTC) - timedelta(minutes=1)
        await ledger.execute(sa.update(outbox).values(written_at=old))
    stop = asyncio.Event()
    task = asyncio.create_task(Relay(at.engine, Publisher(at.client, at.js)).run(stop))

    async def only_the_big_one() -> bool:
        return [row["event_id"] for row in await at.rows(outbox)] == ["big-1"]

    await wait_for(only_the_big_one)
    stop.set()
    await task
    (row,) = await at.rows(outbox)
    assert row["refused"] == "event_unpublishable"
    assert at.client.is_connected  # the server closes the connection of who sends too much
    assert await published(at) == count


async def test_a_batch_publishes_its_events_beside_one_that_nats_never_takes(at: Dock) -> None:
    events = [*(event(n) for n in range(30)), too_large(1)]
    async with at.engine.begin() as ledger:
        await bulk.insert(ledger, outbox, [each.row() for each in events])
    relay = Relay(at.engine, Publisher(at.client, at.js))
    await relay.publish(events)
    async with at.engine.begin() as ledger:
        assert await waiting.counts(ledger) == (0, 1)
        await waiting.try_again(ledger)
        assert await waiting.counts(ledger) == (1, 0)
    assert await published(at) == 30


async def test_two_relays_share_the_rows_and_publish_each_once(at: Dock) -> None:
    await left_behind(at, 600)
    stop = asyncio.Event()
    relays = [Relay(at.engine, Publisher(at.client, at.js)) for _ in range(2)]
    tasks = [asyncio.create_task(relay.run(stop)) for relay in relays]

    async def gone() -> bool:
        return await at.rows(outbox) == []

    await wait_for(gone)
    stop.set()
    await asyncio.gather(*tasks)
    assert await published(at) == 600


async def test_without_nats_the_events_stay_in_the_outbox(at: Dock) -> None:
    async with at.engine.begin() as ledger:
        await bulk.insert(ledger, outbox, [event(1).row()])
    relay = Relay(at.engine, Publisher(at.client, at.js))
    await at.client.close()
    await relay.publish([event(1)])
    assert [row["event_id"] for row in await at.rows(outbox)] == ["event-1"]


async def test_young_rows_are_left_to_those_who_wrote_them(at: Dock) -> None:
    async with at.engine.begin() as ledger:
        await bulk.insert(ledger, outbox, [event(1).row()])
    stop = asyncio.Event()
    task = asyncio.create_task(Relay(at.engine, Publisher(at.client, at.js)).run(stop))
    stop.set()
    await task
    assert len(await at.rows(outbox)) == 1


async def decided(at: Dock) -> Event:
    """Return the event of an order that is committed and not published."""
    await at.stock()
    came = at.receipt(normalized("order", order()))
    (made,) = (await at.pipeline.decide(await at.pipeline.read([came]))).events
    return made


async def swept(at: Dock) -> dict[str, Any]:
    """Let the relay take what waits; return the last event that it published."""
    async with at.engine.begin() as ledger:
        old = datetime.now(UTC) - timedelta(minutes=1)
        await ledger.execute(sa.update(outbox).values(written_at=old))
    stop = asyncio.Event()
    task = asyncio.create_task(Relay(at.engine, Publisher(at.client, at.js)).run(stop))

    async def gone() -> bool:
        return await at.rows(outbox) == []

    await wait_for(gone)
    stop.set()
    await task
    message = await at.js.get_last_msg(topology.CANONICAL, "canonical.order.released")
    published: dict[str, Any] = json.loads(message.data or b"")
    return published


async def test_an_order_waits_without_a_copy_of_itself_and_is_published_whole(at: Dock) -> None:
    made = await decided(at)
    (row,) = await at.rows(outbox)
    assert row["document_id"] == made.document_id
    assert "data" not in json.loads(row["payload"])
    assert await swept(at) == json.loads(made.payload)


async def told(at: Dock) -> list[tuple[str, int]]:
    """The entity and the version of its key of every event in the stream, in order."""
    found = []
    for seq in range(1, await published(at) + 1):
        data = json.loads((await at.js.get_msg(topology.CANONICAL, seq)).data or b"")
        if "keyversion" in data:
            found.append((data["type"].split(".")[1], data["keyversion"]))
    return found


async def test_a_change_waits_for_the_order_before_it_that_is_not_published_yet(at: Dock) -> None:
    made = await decided(at)
    relay = Relay(at.engine, Publisher(at.client, at.js))
    changed = at.receipt(normalized("order_change", change()))
    later = (await at.pipeline.decide(await at.pipeline.read([changed]))).events
    await relay.publish(later)  # the batch of the order has not come so far
    assert await told(at) == []
    assert {row["event_id"] for row in await at.rows(outbox)} == {
        made.event_id,
        *(event.event_id for event in later),
    }
    await swept(at)
    assert await told(at) == [("order", 1), ("order_change", 2)]


async def test_a_change_goes_at_once_beside_its_order_and_when_that_is_published(at: Dock) -> None:
    relay = Relay(at.engine, Publisher(at.client, at.js))
    made = await decided(at)
    for quantity, expected in (("5", 2), ("6", 3)):
        came = at.receipt(normalized("order_change", change(sequence=expected, quantity=quantity)))
        events = list((await at.pipeline.decide(await at.pipeline.read([came]))).events)
        await relay.publish([made, *events] if expected == 2 else events)
        assert (await told(at))[-1] == ("order_change", expected)
    assert await told(at) == [("order", 1), ("order_change", 2), ("order_change", 3)]
    assert await at.rows(outbox) == []


async def test_two_relays_never_take_of_one_stream_at_once(at: Dock) -> None:
    await left_behind(at, 3)
    async with at.engine.begin() as one, at.engine.begin() as other:
        assert len(await waiting.take(one, "canonical.", 1, older_than=0)) == 1
        assert await waiting.take(other, "canonical.", 1, older_than=0) == []


async def test_a_correction_leaves_the_event_that_waits_as_it_was(at: Dock) -> None:
    made = await decided(at)
    async with at.engine.begin() as ledger:
        await waiting.keep_whole(ledger, made.document_id or "")
        await ledger.execute(sa.update(document).values(canonical={"corrected": True}))
    assert await swept(at) == json.loads(made.payload)


async def test_a_snapshot_of_which_the_ledger_keeps_only_the_newest_waits_whole(at: Dock) -> None:
    item = {"number": "A", "base_unit": "EA"}
    came = at.receipt(normalized("item", item, "contoso"), connection="bc")
    await at.pipeline.decide(await at.pipeline.read([came]))
    (row,) = await at.rows(outbox)
    assert row["document_id"] is None
    assert json.loads(row["payload"])["data"]["number"] == "A"


def receipt(name: str, body: bytes = b"x") -> Receipt:
    return Receipt(name, "shop", "d-1", datetime.now(UTC), body)


async def test_the_accelerator_remembers_identity_and_bytes_together(redis: str) -> None:
    seen = Seen.at(redis, SystemClock())
    try:
        await seen.remember([receipt("r-1")])
        assert await seen.find(receipt("r-2")) == "r-1"
        assert await seen.find(receipt("r-2", b"other")) is None
        await seen.remember([receipt("r-9")])
        assert await seen.find(receipt("r-2")) == "r-1"
    finally:
        await seen.close()


async def test_without_redis_nothing_is_seen_and_nothing_fails() -> None:
    seen = Seen.at("redis://127.0.0.1:1/0", SystemClock())
    try:
        await seen.remember([receipt("r-1")])
        assert await seen.find(receipt("r-1")) is None
    finally:
        await seen.close()
