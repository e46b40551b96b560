"""A TCP proxy that can be told to be a bad network.

Stands between a hub and one of its servers. Modes apply to what passes from then on, and to
connections that are open already:

=============  =================================================================
``pass``       bytes pass
``latency``    every chunk waits `amount` seconds, in both directions
``reset``      a connection is reset after `amount` more bytes of answers
``half_open``  bytes are taken and go nowhere; nobody is told
``partition``  open connections fall silent and no new one is answered
=============  =================================================================
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, get_args

Mode = Literal["pass", "latency", "reset", "half_open", "partition"]
MODES: tuple[str, ...] = get_args(Mode)

_CHUNK = 65536
_SILENT = ("half_open", "partition")


@dataclass(frozen=True, slots=True)
class State:
    """What the proxy does now; replaced as a whole."""

    mode: Mode = "pass"
    amount: float = 0.0


class Proxy:
    """Listens on a port of its own and leads to `target` on loopback; runs on `loop`."""

    def __init__(self, target: int, loop: asyncio.AbstractEventLoop) -> None:
        self.port = 0
        self.connections = 0
        self._target = target
        self._loop = loop
        self._state = State()
        self._changed = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> Proxy:
        """Begin to listen; from any thread."""
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        return self

    def behave(self, mode: Mode, amount: float = 0.0) -> None:
        """Change what it does; from any thread, in force when this returns."""
        done = threading.Event()

        def change() -> None:
            self._state = State(mode, amount)
            self._changed.set()
            self._changed = asyncio.Event()
            done.set()

        self._loop.call_soon_threadsafe(change)
        done.wait(10)

    def close(self) -> None:
        """Stop listening and drop what is open; from any thread."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            await self._carry(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            _close(writer)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._audible()
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        left = [int(self._state.amount)]
        ways = [
            asyncio.create_task(self._pump(reader, back, None)),
            asyncio.create_task(self._pump(there, writer, left)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            _close(back)

    async def _pump(
        self,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        left: list[int] | None,
    ) -> None:
        """Move bytes one way; `left` counts the answers down in mode ``reset``."""
        while chunk := await source.read(_CHUNK):
            state = self._state
            if state.mode == "latency":
                await asyncio.sleep(state.amount)
            await self._audible()
            if state.mode == "reset" and left is not None:
                left[0] -= len(chunk)
                if left[0] <= 0:
                    _reset(sink)
                    return
            sink.write(chunk)
            await sink.drain()

    async def _audible(self) -> None:
        """Wait out a silence: what was under way arrives late, as on a real network."""
        while self._state.mode in _SILENT:
            await self._changed.wait()


def _close(writer: asyncio.StreamWriter) -> None:
    with suppress(OSError, RuntimeError):
        writer.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with a RST instead of a FIN."""
    sock = writer.get_extra_info("socket")
    if sock is not None:
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
