"""A TCP connection that can be reset for real, as a crashing server or a proxy does it."""

from __future__ import annotations

import asyncio
import socket
import struct

from uvicorn.protocols.http.h11_impl import H11Protocol


class Connection:
    """The connection under a request."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def reset(self) -> None:
        """Close with a linger time of zero: the kernel sends RST, unread data is thrown away."""
        raw: socket.socket | None = self._transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()


class ResettableProtocol(H11Protocol):
    """HTTP/1.1 that shows each request its connection, as ``scope["state"]["connection"]``."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Keep the transport where the application can reach it."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "connection": Connection(transport)}
