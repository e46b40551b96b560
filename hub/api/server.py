"""Serving HTTP inside the hub's own event loop and life."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator

import uvicorn
from starlette.types import ASGIApp

from canonical.errors import ConfigError
from hub.settings.model import Http

_GRACE_SECONDS = 5
_MOST_CONNECTIONS = 500
"""Open at once; above that a call hears 503. Half of the 1,024 files a process usually may open."""
_WAITING = 256
"""Connections that the operating system holds until the event loop takes them."""
_IDLE_SECONDS = 5
"""How long a connection may wait for its next request."""
_MOST_HEADER_BYTES = 32 * 1024


class _Server(uvicorn.Server):
    """uvicorn without signal handlers of its own: the hub stops it last."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the composition root."""
        yield


@contextlib.asynccontextmanager
async def serving(app: ASGIApp, http: Http) -> AsyncIterator[int]:
    """Serve `app` for as long as the context lasts; yields the port.

    Raises:
        ConfigError: ``port_in_use``.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((http.host, http.port))
        listener.listen(_WAITING)  # from here on nobody is turned away, though uvicorn starts later
    except OSError as error:
        listener.close()
        detail = f"port {http.port} of {http.host} is taken, or cannot be bound"
        raise ConfigError("port_in_use", "http.port", detail) from error
    config = uvicorn.Config(
        app,
        log_config=None,  # its access log would show paths and its errors would quote payloads
        access_log=False,
        lifespan="off",
        server_header=False,
        http="h11",  # the one whose size of an unfinished request head can be bounded
        ws="none",
        limit_concurrency=_MOST_CONNECTIONS,
        backlog=_WAITING,
        timeout_keep_alive=_IDLE_SECONDS,
        h11_max_incomplete_event_size=_MOST_HEADER_BYTES,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await task
        listener.close()
