"""The normalize role: batches, and what one bad receipt does to the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from nats.js import JetStreamContext

from connectors.base import Receipt
from hub import topology
from hub.ledger.tables import dead_letter, document, receipt, suspect
from hub.normalizer import NormalizeRole
from hub.pipeline import Decided, Read
from hub.servers.addresses import Addresses
from tests.support.ledgers import Dock, dock, normalized, order
from tests.support.waiting import wait_for


@pytest.fixture
async def at(addresses: Addresses, tmp_path: Path) -> AsyncIterator[Dock]:
    async with dock(addresses, tmp_path) as opened:
        yield opened


@asynccontextmanager
async def working(at: Dock) -> AsyncIterator[None]:
    stop = asyncio.Event()
    role = NormalizeRole(at.client, at.js, at.store, at.pipeline)
    task = asyncio.create_task(role.run(stop))
    try:
        yield
    finally:
        stop.set()
        await task


def decided(at: Dock, count: int) -> Callable[[], Awaitable[bool]]:
    async def there() -> bool:
        return len(await at.rows(receipt)) == count

    return there


async def unacknowledged(js: JetStreamContext) -> int:
    info = await js.consumer_info(topology.INTAKE, topology.NORMALIZE)
    return int(info.num_ack_pending or 0) + int(info.num_pending or 0)


async def test_stored_receipts_are_decided_and_acknowledged(at: Dock) -> None:
    async with working(at):
        receipts = [at.receipt(normalized("order", order(f"PO-{n}"))) for n in range(30)]
        await at.store.save_all(receipts)
        await wait_for(decided(at, 30))

        async def acknowledged() -> bool:
            return await unacknowledged(at.js) == 0

        await wait_for(acknowledged)


async def test_a_batch_is_read_while_the_one_before_it_is_decided_and_decided_after_it(
    at: Dock, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, decide = at.pipeline.read, at.pipeline.decide
    told = list[str]()

    async def reading(receipts: Sequence[Receipt]) -> Read:
        told.append("read " + receipts[0].id)
        return await read(receipts)

    async def deciding(what: Read) -> Decided:
        if not any(each.startswith("decided") for each in told):
            await wait_for(lambda: len(told) == 2, what="the second batch is read")
        decided = await decide(what)
        told.append("decided " + what.receipts[0].id)
        return decided

    monkeypatch.setattr(at.pipeline, "read", reading)
    monkeypatch.setattr(at.pipeline, "decide", deciding)
    async with working(at):
        first = at.receipt(normalized("order", order(quantity="2")))
        await at.store.save(first)
        await wait_for(lambda: len(told) == 1)
        second = at.receipt(normalized("order", order(quantity="7")))
        await at.store.save(second)
        await wait_for(lambda: len(told) == 4)
    ids = first.id, second.id
    assert told == [f"{did} {each}" for did in ("read", "decided") for each in ids]
    by_receipt = {row["receipt_id"]: row["verdict"] for row in await at.rows(document)}
    assert by_receipt == {first.id: "accept", second.id: "conflict"}


async def test_a_message_that_is_no_receipt_is_set_aside_and_stops_nobody(at: Dock) -> None:
    await topology.declare_consumer(at.js, topology.INTAKE, topology.normalize_consumer())
    await at.js.publish("intake.stranger.file", b"hello")
    await at.store.save(at.receipt(normalized("order", order())))
    async with working(at):
        await wait_for(decided(at, 2))
    (letter,) = await at.rows(dead_letter)
    assert (letter["code"], letter["connection"]) == ("not_a_receipt", "unknown")
    states = {row["state"] for row in await at.rows(document)}
    assert states == {"dead", "held"}


async def test_a_receipt_that_breaks_the_hub_is_set_aside_and_its_batch_goes_on(at: Dock) -> None:
    good = [at.receipt(normalized("order", order(f"PO-{n}"))) for n in range(5)]
    broken = at.receipt(normalized("order", order("PO-X"))._replace(amount="no number"))
    await at.store.save_all([*good[:3], broken, *good[3:]])
    async with working(at):
        await wait_for(decided(at, 6))
    (letter,) = await at.rows(dead_letter)
    assert (letter["code"], letter["receipt_id"]) == ("internal_error", broken.id)
    assert "no number" not in str(letter)


async def test_what_was_in_hand_at_two_deaths_is_quarantined_with_its_bytes(at: Dock) -> None:
    killer = at.receipt(normalized("order", order()))
    await topology.declare_consumer(at.js, topology.INTAKE, topology.normalize_consumer())
    await at.store.save(killer)
    pull = await at.js.pull_subscribe_bind(topology.NORMALIZE, topology.INTAKE)
    for _ in range(2):  # two processes had it and died
        (message,) = await pull.fetch(1)
        await message.nak()
    for _ in range(2):  # and two more had it alone
        await at.pipeline.suspect(killer.id)
    async with working(at):
        await wait_for(decided(at, 1))

        async def acquitted() -> bool:
            return await at.rows(suspect) == []

        await wait_for(acquitted)
    (letter,) = await at.rows(dead_letter)
    assert (letter["code"], letter["receipt_id"]) == ("process_died", killer.id)
    assert (await at.rows(receipt))[0]["archive"]


async def test_a_suspect_that_survives_is_decided_like_any_other(at: Dock) -> None:
    await topology.declare_consumer(at.js, topology.INTAKE, topology.normalize_consumer())
    await at.store.save(at.receipt(normalized("order", order())))
    pull = await at.js.pull_subscribe_bind(topology.NORMALIZE, topology.INTAKE)
    for _ in range(3):
        (message,) = await pull.fetch(1)
        await message.nak()
    async with working(at):
        await wait_for(decided(at, 1))
    assert await at.rows(dead_letter) == []
