"""Fixtures for all tests: real servers, started once a session on free ports and a temp folder.

`database`, `nats` and `redis` are the URLs of a fresh database, of a NATS without streams and of an
empty Redis; `addresses` is all three. With pytest-xdist every worker has its own servers.
"""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import nats as nats_client
import pytest
import redis.asyncio as redis_client

from hub.servers.addresses import Addresses
from hub.servers.reach import embedded
from hub.settings.model import Servers
from tests.support import databases
from tests.support.databases import in_thread
from tests.support.processes import ROOT, Spawner, spawning


@pytest.fixture(scope="session")
def servers() -> Iterator[Addresses]:
    """The session's NATS, PostgreSQL and Redis; tests take `database`, `nats`, `redis`."""
    with (
        tempfile.TemporaryDirectory(prefix="crossdock-test-") as folder,
        embedded(Path(folder), Servers()) as addresses,
    ):
        yield addresses


@pytest.fixture(scope="session")
def fresh_name() -> Callable[[], str]:
    """Database names, each another one."""
    counter = itertools.count(1)
    return lambda: f"test_{next(counter)}"


@pytest.fixture(scope="session")
def template(servers: Addresses) -> Addresses:
    """The servers, with the migrated database that tests copy."""
    in_thread(lambda: databases.make_template(servers.database_url))
    return servers


@pytest.fixture
def database(template: Addresses, fresh_name: Callable[[], str]) -> Iterator[str]:
    """The URL of an empty, migrated ledger of this test's own."""
    url, name = template.database_url, fresh_name()
    yield in_thread(lambda: databases.make_database(url, name))
    in_thread(lambda: databases.drop_database(url, name))


@pytest.fixture
def nats(servers: Addresses) -> str:
    """The URL of NATS, with no stream left of other tests."""

    async def delete_streams() -> None:
        connection = await nats_client.connect(servers.nats_url, connect_timeout=10)
        try:
            manager = connection.jetstream(timeout=10)
            for stream in await manager.streams_info():
                await manager.delete_stream(str(stream.config.name))
        finally:
            await connection.close()

    in_thread(delete_streams)
    return servers.nats_url


@pytest.fixture
def redis(servers: Addresses) -> str:
    """The URL of Redis, with no key left of other tests."""

    async def flush() -> None:
        async with redis_client.Redis.from_url(servers.redis_url) as client:
            await client.flushall()

    in_thread(flush)
    return servers.redis_url


@pytest.fixture
def addresses(database: str, nats: str, redis: str) -> Addresses:
    """All three, fresh."""
    return Addresses(nats_url=nats, database_url=database, redis_url=redis)


@pytest.fixture
def spawn() -> Iterator[Spawner]:
    """Starts processes that end with the test."""
    with spawning() as spawner:
        yield spawner


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of real-world samples, which is not part of the project."""
    folder = Path(os.environ.get("CROSSDOCK_SAMPLES", ROOT.parent / "shared" / "samples"))
    if not folder.is_dir():
        pytest.skip("no samples here: set CROSSDOCK_SAMPLES to their folder")
    return folder
