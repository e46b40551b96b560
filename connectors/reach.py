"""What a configured address may lead to (SSRF guard): public servers only, unless a site says otherwise.

A name is resolved here, every address that it has must be public, and the connection goes to one of
those very addresses: a name that resolves to another one a moment later (DNS rebinding) gains nothing,
and a name that somebody moves to this machine, to a private network or to a cloud's metadata service
is not called. Redirects are nobody's business here: no client of ours follows one.

Codes: ``address_private`` (`Retryable`: who owns a name may mend it, and nothing has left us),
``address_unknown`` (`Retryable`: the name does not resolve now).
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass

import httpx

from canonical.errors import Retryable
from connectors.addresses import IpAddress, is_public

RESOLVE_SECONDS = 5.0
_MOST_TRIED = 3
"""Addresses of one name that a connection is tried at, in the resolver's order (RFC 6724)."""
_PORTS = {"http": 80, "https": 443}


async def resolved(host: str, port: int) -> Sequence[IpAddress]:
    """Return the addresses of a name, the resolver's first choice first.

    Raises:
        Retryable: ``address_unknown``.

    """
    try:
        async with asyncio.timeout(RESOLVE_SECONDS):
            loop = asyncio.get_running_loop()
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, TimeoutError):
        raise Retryable("address_unknown", "", "the name does not resolve") from None
    return [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]


@dataclass(frozen=True, slots=True)
class Reach:
    """How far connections of a site may go; `allow_private` lifts every limit."""

    allow_private: bool = False

    async def addresses(self, host: str, port: int) -> Sequence[str]:
        """Return where a connection to a name may go, each as an IP address; the first is the best.

        With `allow_private` it is the name itself, resolved by whoever connects.

        Raises:
            Retryable: ``address_private``, ``address_unknown``.

        """
        if self.allow_private:
            return [host]
        found = await resolved(host, port)
        if not found or not all(map(is_public, found)):
            raise Retryable("address_private", "", "expected a public address")
        return list(dict.fromkeys(map(str, found)))[:_MOST_TRIED]

    def transport(
        self, *, verify: ssl.SSLContext | bool = True, limits: httpx.Limits | None = None
    ) -> httpx.AsyncBaseTransport:
        """Return what carries the calls of an HTTP client; no proxy of the environment is used."""
        limits = limits or httpx.Limits()
        inner = httpx.AsyncHTTPTransport(verify=verify, limits=limits, trust_env=False)
        return inner if self.allow_private else Pinned(self, inner)


class Pinned(httpx.AsyncBaseTransport):
    """Connects to addresses that were checked, under the name that was asked for."""

    def __init__(self, reach: Reach, inner: httpx.AsyncBaseTransport) -> None:
        self._reach = reach
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Call the first address that can be connected to; certificates are held to the name."""
        host = request.url.host
        port = request.url.port or _PORTS.get(request.url.scheme, 0)
        *others, last = await self._addresses(request, host, port)
        for address in others:
            try:
                return await self._call(request, host, address)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue  # nothing of the request has left
        return await self._call(request, host, last)

    async def _addresses(self, request: httpx.Request, host: str, port: int) -> Sequence[str]:
        try:
            return await self._reach.addresses(host, port)
        except Retryable as error:
            if error.code != "address_unknown":
                raise
            raise httpx.ConnectError(error.detail, request=request) from None

    async def _call(self, request: httpx.Request, host: str, address: str) -> httpx.Response:
        extensions = {**request.extensions, "sni_hostname": host}
        pinned = httpx.Request(
            request.method,
            request.url.copy_with(host=address),
            headers=request.headers,  # with the `Host` of the name
            stream=request.stream,
            extensions=extensions,
        )
        return await self._inner.handle_async_request(pinned)

    async def aclose(self) -> None:
        """Release the connections."""
        await self._inner.aclose()
