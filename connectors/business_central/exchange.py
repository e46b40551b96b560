"""One HTTP exchange with everything that can go wrong put into words: did the request leave or not."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.LocalProtocolError,
    httpx.UnsupportedProtocol,
)
"""What httpx raises while nothing of the request has left yet."""


class Unsent(Exception):
    """The request never left us: trying again is safe whatever it was."""


class Unanswered(Exception):
    """The request left, or may have; no whole answer came back."""


class TooLarge(Unanswered):
    """An answer came, larger than we are willing to hold."""


@dataclass(frozen=True, slots=True)
class Raw:
    """An answer as it came, decoded by nobody."""

    status: int
    headers: httpx.Headers
    body: bytes


@dataclass(frozen=True, slots=True)
class Caps:
    """What one exchange may cost."""

    seconds: float
    bytes: int


class _Trail:
    """How far a request got, as httpcore's trace tells; unknown counts as sent."""

    def __init__(self) -> None:
        self.connecting = False

    async def note(self, event: str, _: Mapping[str, Any]) -> None:
        if event in {"connection.connect_tcp.started", "connection.start_tls.started"}:
            self.connecting = True
        elif event.endswith(".send_request_headers.started"):
            self.connecting = False


async def exchange(http: httpx.AsyncClient, request: httpx.Request, caps: Caps) -> Raw:
    """Send one request and read its whole answer within `caps`, redirects not followed.

    The deadline covers everything from waiting for a connection to the last byte, so that an
    answer that drips in cannot hold its lane.

    Raises:
        Unsent: nothing left us.
        Unanswered: the answer was lost, late or broken; `TooLarge` above the cap.

    """
    trail = _Trail()
    request.extensions = {**request.extensions, "trace": trail.note}
    try:
        async with asyncio.timeout(caps.seconds):
            response = await http.send(request, stream=True)
            try:
                return Raw(
                    response.status_code, response.headers, await _body(response, caps.bytes)
                )
            finally:
                await response.aclose()
    except NOT_SENT as error:
        raise Unsent(type(error).__name__) from error
    except TimeoutError as error:
        kind = Unsent if trail.connecting else Unanswered
        raise kind("deadline") from error
    except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as error:
        raise Unanswered(type(error).__name__) from error


async def _body(response: httpx.Response, most: int) -> bytes:
    if response.headers.get("Content-Encoding", "identity") != "identity":
        # We ask for no compression, so that nothing small becomes something large here.
        raise Unanswered("compressed, though we asked for none")
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > most:
            raise TooLarge(f"more than {most} bytes")
    return bytes(body)
