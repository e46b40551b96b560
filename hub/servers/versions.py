"""Asks servers, ours or others, for their versions.

Codes: ``server_unreachable``; ``nats_refused`` and ``server_password_wrong``: the server is there, and
will not have us.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import asyncpg
import nats.errors
import redis.asyncio
import redis.exceptions
from nats.aio.client import Client as NATS  # noqa: N814 - as the library names it

from canonical.errors import ConfigError, HubError, Retryable
from hub.servers.addresses import Addresses, masked
from hub.servers.binaries import NATS_MINIMUM, POSTGRES_MINIMUM, REDIS_MINIMUM, Version

MINIMUM = {"nats": NATS_MINIMUM, "postgres": POSTGRES_MINIMUM, "redis": REDIS_MINIMUM}

_SECONDS = 5.0
_FAULTS = (
    OSError,
    TimeoutError,
    ValueError,
    nats.errors.Error,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    redis.exceptions.RedisError,
)


async def server_version(name: str, addresses: Addresses) -> Version:
    """The version of one server.

    Args:
        name: ``nats``, ``postgres`` or ``redis``.
        addresses: where they are.

    Raises:
        Retryable: ``server_unreachable``; `where` is the URL without credentials.
        ConfigError: ``nats_refused`` or ``server_password_wrong``.

    """
    askers: dict[str, tuple[str, Callable[[str], Awaitable[Version]]]] = {
        "nats": (addresses.nats_url, _nats),
        "postgres": (addresses.database_url, _postgres),
        "redis": (addresses.redis_url, _redis),
    }
    url, ask = askers[name]
    try:
        return await ask(url)
    except _FAULTS as error:
        raise _named(name, masked(url), error) from error


def _named(name: str, where: str, error: Exception) -> HubError:
    """Tell a server that will not have us from one that does not answer."""
    words = str(error).lower()
    if name == "nats" and "authorization" in words:
        return ConfigError("nats_refused", where, "NATS refuses the user, password or token")
    if isinstance(error, asyncpg.InvalidAuthorizationSpecificationError):
        detail = "PostgreSQL refuses the user or password"
        return ConfigError("server_password_wrong", where, detail)
    if isinstance(error, redis.exceptions.AuthenticationError):
        return ConfigError("server_password_wrong", where, "Redis refuses the password")
    return Retryable("server_unreachable", where, type(error).__name__)


async def _nats(url: str) -> Version:
    client = NATS()
    refusals: list[Exception] = []

    async def note(error: Exception) -> None:
        refusals.append(error)  # shows in the result; the library prints it otherwise

    try:
        await client.connect(
            [part.strip() for part in url.split(",")],
            allow_reconnect=False,
            reconnect_time_wait=0,
            max_reconnect_attempts=1,
            connect_timeout=int(_SECONDS),
            error_cb=note,
        )
    except nats.errors.Error as error:
        # The driver has a class for it, and raises it only on a connection that stood already.
        raise next((r for r in refusals if "authorization" in str(r).lower()), error) from error
    else:
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
