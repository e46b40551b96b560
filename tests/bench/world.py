"""The bench's world: real embedded servers, and for every run a fresh ledger and fresh streams."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import nats as nats_client
import redis.asyncio as redis_client
from nats.aio.client import Client
from nats.js import JetStreamContext

from hub.servers.addresses import Addresses
from hub.servers.supervisor import EmbeddedServers
from hub.settings.model import Servers
from tests.support import databases


@dataclass(slots=True)
class World:
    """The servers of one bench run."""

    addresses: Addresses
    pids: dict[str, set[int]]
    """Server -> its process."""
    _names: itertools.count[int] = field(default_factory=itertools.count)

    async def fresh(self) -> Addresses:
        """Make an empty migrated ledger, empty streams and an empty Redis."""
        url = await databases.make_database(
            self.addresses.database_url, f"bench_{next(self._names)}"
        )
        async with connected(self.addresses.nats_url) as (_, js):
            for stream in await js.streams_info():
                await js.delete_stream(str(stream.config.name))
        async with redis_client.Redis.from_url(self.addresses.redis_url) as redis:
            await redis.flushall()
        return replace(self.addresses, database_url=url)

    async def drop(self, addresses: Addresses) -> None:
        """Give the room of a ledger back."""
        name = addresses.database_url.rpartition("/")[2]
        await databases.drop_database(self.addresses.database_url, name)


@asynccontextmanager
async def world(folder: Path) -> AsyncIterator[World]:
    """Start NATS (``sync_interval: always``), PostgreSQL and Redis as the hub itself does."""
    servers = EmbeddedServers(folder, Servers(sync_always=True))
    async with servers as addresses:
        await databases.make_template(addresses.database_url)
        pids = {each.name: {each.pid} for each in servers.statuses() if each.pid is not None}
        yield World(addresses, pids)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[tuple[Client, JetStreamContext]]:
    """Connect to NATS as the hub's frame does."""
    client = await nats_client.connect(url, pending_size=16 * 1024 * 1024)
    try:
        yield client, client.jetstream(timeout=10)
    finally:
        await client.close()


async def stored(js: JetStreamContext, stream: str) -> int:
    """Return how many messages a stream holds."""
    return (await js.stream_info(stream)).state.messages
