"""The fixtures that all tests stand on: whatever one test leaves, the next does not see."""

from __future__ import annotations

import nats as nats_client
import pytest
import redis.asyncio as redis_client
import sqlalchemy as sa

from hub.ledger.engine import open_engine
from hub.ledger.tables import metadata, poll_cursor
from hub.servers.addresses import Addresses


@pytest.mark.parametrize("turn", [1, 2])
async def test_every_test_finds_the_servers_empty(addresses: Addresses, turn: int) -> None:
    engine = open_engine(addresses.database_url)
    async with engine.begin() as ledger:
        for table in metadata.sorted_tables:
            count = await ledger.scalar(sa.select(sa.func.count()).select_from(table))
            assert count == 0, table.name
        row = {
            "connection": "bc",
            "flow": "items",
            "cursor": str(turn),
            "updated_at": sa.func.now(),
        }
        await ledger.execute(sa.insert(poll_cursor).values(row))
    await engine.dispose()

    client = await nats_client.connect(addresses.nats_url)
    manager = client.jetstream()
    assert await manager.streams_info() == []
    await manager.add_stream(name="LEFT", subjects=["left.>"])
    await client.close()

    async with redis_client.Redis.from_url(addresses.redis_url) as cache:
        assert await cache.dbsize() == 0
        await cache.set("left", turn)
