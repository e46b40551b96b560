"""Receipts whose body is too large for one message: stored, decided, purged, and gone."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from nats.aio.msg import Msg

from connectors.base import Receipt
from hub import topology
from hub.intake import bodies
from hub.intake.bodies import Bodies, Proof
from hub.intake.store import BodyMissing
from hub.jobs import Housekeeping
from hub.ledger.tables import dead_letter, receipt
from hub.normalizer import NormalizeRole
from hub.servers.addresses import Addresses
from hub.telemetry.metrics import Metrics
from tests.support.ledgers import Dock, dock, normalized, order
from tests.support.waiting import wait_for

LARGE = b"\x00\xff" * 300_000
FAR_LATER = datetime.now(UTC) + timedelta(days=1)


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


async def until_decided(at: Dock, count: int) -> None:
    """Wait until the ledger has this many receipts and nothing waits in the stream."""

    async def done() -> bool:
        if len(await at.rows(receipt)) != count:
            return False
        info = await at.js.consumer_info(topology.INTAKE, topology.NORMALIZE)
        waiting = int(info.num_ack_pending or 0) + int(info.num_pending or 0)
        return not waiting

    await wait_for(done)


async def stored_again(at: Dock, sequence: int) -> None:
    """Let a message of INTAKE come once more, as if its acknowledgement had been lost."""
    message = await at.js.get_msg(topology.INTAKE, sequence)
    headers = {k: v for k, v in (message.headers or {}).items() if k != "Nats-Msg-Id"}
    await at.js.publish(str(message.subject), message.data or b"", headers=headers)


def large(at: Dock, number: str = "PO-L") -> Receipt:
    return at.receipt(normalized("order", order(number)), body=LARGE)


async def test_two_receipts_with_the_same_large_bytes_are_both_decided(at: Dock) -> None:
    await at.store.save_all([large(at), large(at)])
    async with working(at):
        await until_decided(at, 2)
    rows = await at.rows(receipt)
    assert [row["size"] for row in rows] == [len(LARGE)] * 2
    assert await at.rows(dead_letter) == []


async def test_a_decided_receipt_that_comes_again_without_its_body_is_only_acknowledged(
    at: Dock,
) -> None:
    await at.store.save(large(at))
    async with working(at):
        await until_decided(at, 1)
        await Bodies(at.js).purge(FAR_LATER)
        await stored_again(at, 1)
        await at.store.save(at.receipt(normalized("order", order("PO-SMALL"))))
        await until_decided(at, 2)
    assert await at.rows(dead_letter) == []


async def test_a_receipt_whose_body_is_lost_becomes_a_dead_letter_and_stops_nobody(
    at: Dock,
) -> None:
    lost, lost_too = large(at, "PO-1"), large(at, "PO-2")
    await at.store.save_all([lost, lost_too])
    await Bodies(at.js).purge(FAR_LATER)
    small = at.receipt(normalized("order", order("PO-SMALL")))
    await at.store.save(small)
    async with working(at):
        await until_decided(at, 3)
    letters = {row["receipt_id"]: row["code"] for row in await at.rows(dead_letter)}
    assert letters == {lost.id: "body_missing", lost_too.id: "body_missing"}
    assert [row["duplicate_of"] for row in await at.rows(receipt)] == [None] * 3


async def test_housekeeping_drops_bodies_that_are_decided_or_nobodys_and_keeps_the_others(
    at: Dock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "MARGIN", timedelta(0))
    housekeeping = Housekeeping(at.js, at.engine, Metrics())
    async with working(at):
        await at.store.save(large(at, "PO-1"))
        await Bodies(at.js).put("a-receipt-that-was-never-stored", LARGE)
        await at.store.save(at.receipt(normalized("order", order("PO-2"))))
        await until_decided(at, 2)
    waiting = large(at, "PO-3")
    await at.store.save(waiting)
    alone = (await at.js.stream_info(topology.BODIES)).state.messages / 3
    await housekeeping.purge_intake()
    assert (await at.js.stream_info(topology.BODIES)).state.messages == alone
    async with working(at):
        await until_decided(at, 3)
    assert await at.rows(dead_letter) == []


async def test_bodies_are_kept_for_as_long_as_a_publish_may_be_tried_again(at: Dock) -> None:
    async with working(at):
        await at.store.save(large(at))
        await until_decided(at, 1)
    await Housekeeping(at.js, at.engine, Metrics()).purge_intake()
    message = await at.js.get_msg(topology.INTAKE, 1)
    raw = Msg(at.client, data=message.data or b"", headers=message.headers)
    assert (await at.store.load(raw)).body == LARGE


async def test_a_body_of_which_a_part_is_gone_is_missing(at: Dock) -> None:
    given = large(at)
    await at.store.save(given)
    await at.js.purge_stream(topology.BODIES, seq=3)
    message = await at.js.get_msg(topology.INTAKE, 1)
    raw = Msg(at.client, data=message.data or b"", headers=message.headers)
    async with asyncio.timeout(5):
        with pytest.raises(BodyMissing, match="body_missing") as missing:
            await at.store.load(raw)
    assert missing.value.receipt.id == given.id


async def test_a_body_that_is_stored_again_is_there_once_and_newest(at: Dock) -> None:
    both = Bodies(at.js)
    await both.put("r-1", b"old")
    before = datetime.now(UTC)
    await both.put("r-1", LARGE)
    await both.purge(before + bodies.MARGIN)
    proof = Proof(hashlib.sha256(LARGE).hexdigest(), len(LARGE))
    assert await both.get("r-1", proof) == LARGE
    held = (await at.js.stream_info(topology.BODIES)).state.bytes
    assert len(LARGE) <= held < len(LARGE) + 5_000


async def test_the_bucket_is_declared_with_a_cap_and_as_many_replicas_as_the_streams() -> None:
    sizes = topology.Sizes(replicas=3)
    (bucket,) = (s for s in topology.streams("ledger-1", sizes) if s.name == topology.BODIES)
    assert (bucket.num_replicas, bucket.max_bytes) == (3, sizes.bodies)
