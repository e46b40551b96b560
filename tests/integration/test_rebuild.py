"""NATS lost its data: `crossdock rebuild` publishes from the ledger, and nothing happens twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from canonical.errors import Rejected
from hub import topology
from hub.ledger.tables import delivery, document, outbox
from hub.publisher import Publisher
from hub.rebuild.rebuild import Rebuilder, Rebuilt
from hub.servers.addresses import Addresses
from hub.workers.jobs import Failed
from tests.support.ledgers import SITE, Dock, change, dock, normalized, order

LONG_AGO = datetime.now(UTC) - timedelta(days=7)


async def contents(at: Dock, stream: str) -> dict[str, dict[str, Any]]:
    """All events of a stream: message id -> event."""
    info = await at.js.stream_info(stream)
    found = {}
    for seq in range(info.state.first_seq, info.state.last_seq + 1):
        message = await at.js.get_msg(stream, seq=seq)
        found[(message.headers or {})["Nats-Msg-Id"]] = orjson.loads(message.data or b"")
    assert len(found) == info.state.messages
    return found


async def wipe(at: Dock) -> None:
    """Lose all streams, and make them again, empty."""
    for stream in await at.js.streams_info():
        await at.js.delete_stream(str(stream.config.name))
    await topology.declare(at.js, "ledger-1", topology.Sizes(), first=10**15)


def rebuilder(at: Dock) -> Rebuilder:
    partners = {name: connection.partner for name, connection in SITE.connections.items()}
    return Rebuilder(at.engine, at.client, Publisher(at.client, at.js), partners)


async def a_day(at: Dock) -> None:
    """Reference data, orders, a change, one that is held, one that nobody can read."""
    await at.stock()
    await at.take_in(normalized("order", order("PO-1")))
    await at.take_in(normalized("order", order("PO-2", quantity="3")))
    await at.take_in(normalized("order_change", change("PO-1", quantity="7")))
    await at.take_in(normalized("order", order("PO-3", ship_method="BY-HAND")))
    await at.take_in(Failed(0, "", "850", None, "map", Rejected("mapping_failed"), answered=False))
    assert await at.rows(outbox) == []


async def test_a_wiped_stream_is_filled_with_the_same_events(
    addresses: Addresses, tmp_path: Path
) -> None:
    async with dock(addresses, tmp_path) as at:
        await a_day(at)
        before = await contents(at, "CANONICAL")
        letters = await contents(at, "DEAD")
        await wipe(at)
        canonical, dead = await rebuilder(at).run(LONG_AGO)
        after = await contents(at, "CANONICAL")
        orders = {name: one for name, one in before.items() if "order" in one["type"]}
        assert len(orders) == 3
        assert {name: after[name] for name in orders} == orders
        snapshots = {
            one["subject"]: one["data"] for one in before.values() if one["id"] not in orders
        }
        assert {
            one["subject"]: one["data"] for one in after.values() if one["id"] not in orders
        } == snapshots
        assert await contents(at, "DEAD") == letters
        assert canonical == Rebuilt("CANONICAL", known=6, there=0, published=6)
        assert dead == Rebuilt("DEAD", known=1, there=0, published=1)


async def test_doing_it_again_publishes_nothing(addresses: Addresses, tmp_path: Path) -> None:
    async with dock(addresses, tmp_path) as at:
        await a_day(at)
        await wipe(at)
        await rebuilder(at).run(LONG_AGO)
        before = await contents(at, "CANONICAL")
        again = await rebuilder(at).run(LONG_AGO)
        assert [each.published for each in again] == [0, 0]
        assert [each.there for each in again] == [6, 1]
        assert await contents(at, "CANONICAL") == before


async def test_what_came_since_is_left_alone_and_the_rest_is_added(
    addresses: Addresses, tmp_path: Path
) -> None:
    async with dock(addresses, tmp_path) as at:
        await a_day(at)
        await wipe(at)
        await at.take_in(normalized("order", order("PO-4", quantity="8")))
        counted = await rebuilder(at).run(LONG_AGO, act=False)
        assert [(each.there, each.published) for each in counted] == [(1, 0), (0, 0)]
        canonical, _ = await rebuilder(at).run(LONG_AGO)
        assert (canonical.there, canonical.published) == (1, 6)


async def test_the_ledger_and_its_deliveries_are_not_touched(
    addresses: Addresses, tmp_path: Path
) -> None:
    async with dock(addresses, tmp_path) as at:
        await a_day(at)
        tables = (document, delivery, outbox)
        before = [await at.rows(table) for table in tables]
        await wipe(at)
        await rebuilder(at).run(LONG_AGO)
        assert [await at.rows(table) for table in tables] == before


async def test_an_acknowledgement_of_a_wiped_stream_acknowledges_nothing_in_the_new_one(
    addresses: Addresses, tmp_path: Path
) -> None:
    async with dock(addresses, tmp_path) as at:
        durable = topology.normalize_consumer()
        await topology.declare_consumer(at.js, topology.INTAKE, durable)
        await at.store.save(at.receipt(normalized("order", order("PO-1"))))
        pull = await at.js.pull_subscribe("", durable=topology.NORMALIZE, stream=topology.INTAKE)
        (old,) = await pull.fetch(1, timeout=5)
        await wipe(at)
        await topology.declare_consumer(at.js, topology.INTAKE, durable)
        await at.store.save(at.receipt(normalized("order", order("PO-2"))))
        (_new,) = await pull.fetch(1, timeout=5)
        await old.ack()
        await at.client.flush()  # the server has read it
        info = await at.js.consumer_info(topology.INTAKE, topology.NORMALIZE)
        assert info.num_ack_pending == 1
