"""The servers for callers that are not the hub: a command beside it, and synchronous code."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from hub.servers.addresses import Addresses, find_running
from hub.servers.supervisor import EmbeddedServers
from hub.settings.model import Servers


@asynccontextmanager
async def reach(data_dir: Path, settings: Servers) -> AsyncIterator[Addresses]:
    """The servers of the hub that runs on this folder, or our own until the block ends.

    Raises:
        ConfigError: as `EmbeddedServers`.

    """
    running = await asyncio.to_thread(find_running, data_dir, settings)
    if running is not None:
        yield running
        return
    async with EmbeddedServers(data_dir, settings) as addresses:
        yield addresses


@contextmanager
def embedded(data_dir: Path, settings: Servers) -> Iterator[Addresses]:
    """`EmbeddedServers` for synchronous code: a thread supervises them until the block ends.

    Raises:
        ConfigError: as `EmbeddedServers`.

    """
    started: Future[Addresses] = Future()
    stop = threading.Event()

    async def supervise() -> None:
        try:
            async with EmbeddedServers(data_dir, settings) as addresses:
                started.set_result(addresses)
                await asyncio.to_thread(stop.wait)
        except Exception as error:
            if started.done():
                raise
            started.set_exception(error)

    # The thread stays until the end: the kernel ends the servers at the death of the very thread
    # that started them.
    thread = threading.Thread(target=lambda: asyncio.run(supervise()), name="embedded servers")
    thread.start()
    try:
        yield started.result()
    finally:
        stop.set()
        thread.join()
