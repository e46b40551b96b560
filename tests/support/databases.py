"""Fresh databases on the embedded PostgreSQL, copied from one migrated template."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from hub.ledger.engine import migrate, open_engine

T = TypeVar("T")

TEMPLATE = "migrated"


def in_thread(work: Callable[[], Awaitable[T]]) -> T:
    """Run async work from a synchronous fixture without touching the test's event loop."""

    async def run() -> T:
        return await work()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(run())).result()


def named(url: str, name: str) -> str:
    """The URL of another database of the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


async def execute(url: str, *statements: str) -> None:
    """Run statements outside of any transaction."""
    connection = await asyncpg.connect(url, timeout=10)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def make_template(url: str) -> None:
    """Make the database that all others are copied from: the ledger's schema, no rows."""
    await execute(url, f'CREATE DATABASE "{TEMPLATE}"')
    engine = open_engine(named(url, TEMPLATE))
    try:
        await migrate(engine)
    finally:
        await engine.dispose()


async def make_database(url: str, name: str) -> str:
    """Copy the template; the new database's URL."""
    await execute(url, f'CREATE DATABASE "{name}" TEMPLATE "{TEMPLATE}"')
    return named(url, name)


async def drop_database(url: str, name: str) -> None:
    """Drop a database with all sessions that a killed process left on it."""
    await execute(url, f'DROP DATABASE "{name}" WITH (FORCE)')
