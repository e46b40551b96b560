"""Asks servers, ours or others, for their versions.

Codes: ``server_unreachable``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import asyncpg
import nats.errors
import redis.asyncio
import redis.exceptions
from nats.aio.client import Client as NATS  # noqa: N814 - as the library names it

from canonical.errors import Retryable
from hub.servers.addresses import Addresses, masked
from hub.servers.binaries import NATS_MINIMUM, POSTGRES_MINIMUM, REDIS_MINIMUM, Version

MINIMUM = {"nats": NATS_MINIMUM, "postgres": POSTGRES_MINIMUM, "redis": REDIS_MINIMUM}

_SECONDS = 5.0


async def server_version(name: str, addresses: Addresses) -> Version:
    """The version of one server.

    Args:
        name: ``nats``, ``postgres`` or ``redis``.
        addresses: where they are.

    Raises:
        Retryable: ``server_unreachable``; `where` is the URL without credentials.

    """
    askers: dict[str, tuple[str, Callable[[str], Awaitable[Version]]]] = {
        "nats": (addresses.nats_url, _nats),
        "postgres": (addresses.database_url, _postgres),
        "redis": (addresses.redis_url, _redis),
    }
    url, ask = askers[name]
    try:
        return await ask(url)
    except (OSError, TimeoutError, ValueError, nats.errors.Error) as error:
        raise Retryable("server_unreachable", masked(url), type(error).__name__) from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError, redis.exceptions.RedisError) as error:
        raise Retryable("server_unreachable", masked(url), type(error).__name__) from error


async def _nats(url: str) -> Version:
    client = NATS()
    try:
        await client.connect(
            [part.strip() for part in url.split(",")],
            allow_reconnect=False,
            reconnect_time_wait=0,
            max_reconnect_attempts=1,
            connect_timeout=int(_SECONDS),
            error_cb=_ignore,
        )
        said = client.connected_server_version
        return said.major, said.minor, said.patch
    finally:
        await client.close()


async def _postgres(url: str) -> Version:
    connection = await asyncpg.connect(url, timeout=_SECONDS)
    try:
        said = connection.get_server_version()
        return said.major, said.minor
    finally:
        await connection.close(timeout=_SECONDS)


async def _redis(url: str) -> Version:
    client = redis.asyncio.Redis.from_url(
        url, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS
    )
    try:
        said = await client.info("server")
        return tuple(int(part) for part in str(said["redis_version"]).split("."))
    finally:
        await client.aclose()


async def _ignore(_: Exception) -> None:
    """Errors that show in the result anyway; the library prints them otherwise."""
