"""Calling addresses that strangers name (SSRF guard): public ones only, and not for ever.

The way there is that of every other call, `connectors.reach`: a name is resolved, every address it
has must be public, and the connection goes to that very address. Here a stranger is refused for
what it names, and it cannot hold us: a call has a deadline in all, however slowly its answer drips
in. Redirects are not followed, proxies of the environment not used.

Codes: ``address_invalid``, ``address_private`` (both `Rejected`), ``address_unknown`` (`Retryable`:
the name does not resolve now), ``connection_failed``, ``answer_lost``, ``target_unavailable``
(`Retryable`), ``call_refused`` (`Rejected`: any other answer than 2xx).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx

from canonical.errors import HubError, Rejected, Retryable
from connectors.reach import Reach
from hub.settings.network import is_private_url

_PORTS = {"http": 80, "https": 443}
_SECONDS = 20.0
"""For a whole call, from resolving the name to the answer's last header."""
_TIMEOUT = httpx.Timeout(15.0, connect=5.0)
_AGAIN = {408, 425, 429, 500, 502, 503, 504}


async def check(url: str, reach: Reach) -> None:
    """Let a URL pass that leads to where we may call.

    Raises:
        Rejected: ``address_invalid``, ``address_private``.
        Retryable: ``address_unknown``.
    """
    host, port = _server(url, reach)
    try:
        await reach.addresses(host, port)
    except Retryable as error:
        raise _of_a_stranger(error) from None


def _server(url: str, reach: Reach) -> tuple[str, int]:
    try:
        urlsplit(url)  # is stricter with what stands in brackets
        parts = httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        raise Rejected("address_invalid", "", "expected an http or https URL") from None
    if parts.scheme not in _PORTS or not parts.host or parts.userinfo:
        raise Rejected("address_invalid", "", "expected an http or https URL")
    if not reach.allow_private and is_private_url(url):
        raise Rejected("address_private", "", "expected a public address")
    return parts.host, parts.port or _PORTS[parts.scheme]


def _of_a_stranger(error: Retryable) -> HubError:
    """Whoever owns a name of ours may mend it; what a stranger names is the stranger's."""
    if error.code == "address_private":
        return Rejected(error.code, error.where, error.detail)
    return error


async def post(url: str, headers: Mapping[str, str], body: bytes, reach: Reach) -> None:
    """Post something to an address that a stranger named; its answer's body is not read.

    Raises:
        Rejected: it will never be taken, or may not be sent there.
        Retryable: not now.
    """
    _server(url, reach)
    try:
        async with (
            asyncio.timeout(_SECONDS),
            httpx.AsyncClient(
                timeout=_TIMEOUT, trust_env=False, transport=reach.transport()
            ) as client,
            client.stream("POST", url, headers=dict(headers), content=body) as answer,
        ):
            status = answer.status_code
    except TimeoutError:
        raise Retryable("answer_lost", "", f"no answer within {_SECONDS:.0f} seconds") from None
    except (httpx.ConnectError, httpx.ConnectTimeout):
        raise Retryable("connection_failed", "", "could not connect") from None
    except httpx.HTTPError:
        raise Retryable("answer_lost", "", "the answer did not come") from None
    except Retryable as error:
        raise _of_a_stranger(error) from None
    if status in _AGAIN:
        raise Retryable("target_unavailable", "", f"HTTP {status}")
    if not httpx.codes.is_success(status):
        raise Rejected("call_refused", "", f"HTTP {status}")
