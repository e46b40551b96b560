"""FTPS against servers that say nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from canonical.errors import Retryable
from connectors.transports.ftps import FtpsLogin, connected
from tests.support.reach import ANYWHERE
from tests.support.waiting import wait_for

SILENT = 40
"""More than a loop ever has threads."""


class Silent:
    """A server that takes connections and says nothing."""

    def __init__(self) -> None:
        self.port = 0
        self.callers: list[asyncio.StreamWriter] = []

    def take(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take a connection."""
        self.callers.append(writer)


@pytest.fixture
async def silent() -> AsyncIterator[Silent]:
    house = Silent()
    server = await asyncio.start_server(house.take, "127.0.0.1", 0)
    house.port = server.sockets[0].getsockname()[1]
    yield house
    server.close()
    for writer in house.callers:
        writer.close()


async def test_servers_that_say_nothing_hold_up_nothing_else_that_is_done_in_threads(
    silent: Silent,
) -> None:
    login = FtpsLogin("127.0.0.1", silent.port, "us", "secret", timeout_seconds=60)

    async def call() -> str:
        try:
            async with connected(login, ANYWHERE):
                return "connected"
        except Retryable as error:
            return error.code

    calls = [asyncio.create_task(call()) for _ in range(SILENT)]
    await wait_for(lambda: len(silent.callers) == SILENT)
    async with asyncio.timeout(20):
        assert await asyncio.to_thread(lambda: "done") == "done"
    assert not any(each.done() for each in calls)
    for writer in silent.callers:
        writer.close()
    assert await asyncio.gather(*calls) == ["connection_failed"] * SILENT
