"""Calling addresses that strangers name (SSRF guard): public ones only, and no other meanwhile.

Addresses of the configuration are held to the same by `connectors.reach`. The name is resolved once, every address it has must be public, and the call goes to that very
address: a name that resolves to another one a moment later (DNS rebinding) gains nothing.
Redirects are not followed, proxies of the environment not used.

Codes: ``address_invalid``, ``address_private`` (both `Rejected`), ``address_unknown`` (`Retryable`:
the name does not resolve now), ``connection_failed``, ``answer_lost``, ``target_unavailable``
(`Retryable`), ``call_refused`` (`Rejected`: any other answer than 2xx).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from canonical.errors import Rejected, Retryable
from connectors.addresses import is_public
from connectors.reach import resolved
from hub.settings.network import is_private_url

_PORTS = {"http": 80, "https": 443}
_TIMEOUT = httpx.Timeout(15.0, connect=5.0)
_AGAIN = {408, 425, 429, 500, 502, 503, 504}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a call goes to: an IP address, and the name that it is called by."""

    url: str
    host: str
    netloc: str


async def address_of(url: str, *, allow_private: bool) -> Address:
    """Resolve a URL to an address that may be called.

    Raises:
        Rejected: ``address_invalid``, ``address_private``.
        Retryable: ``address_unknown``.
    """
    scheme, host, port = _parts(url)
    if not allow_private and is_private_url(url):
        raise Rejected("address_private", "", "expected a public address")
    addresses = await resolved(host, port)
    if not addresses or not (allow_private or all(map(is_public, addresses))):
        raise Rejected("address_private", "", "expected a public address")
    ip = f"[{addresses[0]}]" if addresses[0].version == 6 else str(addresses[0])  # noqa: PLR2004
    parts = urlsplit(url)
    pinned = parts._replace(scheme=scheme, netloc=f"{ip}:{port}", fragment="").geturl()
    return Address(pinned, host, parts.netloc)


def _parts(url: str) -> tuple[str, str, int]:
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme.lower(), parts.hostname, parts.port
    except ValueError:
        raise Rejected("address_invalid", "", "expected an http or https URL") from None
    if scheme not in _PORTS or not host or "@" in parts.netloc:
        raise Rejected("address_invalid", "", "expected an http or https URL")
    return scheme, host, port or _PORTS[scheme]


async def post(url: str, headers: Mapping[str, str], body: bytes, *, allow_private: bool) -> None:
    """Post something to an address that a stranger named; its answer's body is not read.

    Raises:
        Rejected: it will never be taken, or may not be sent there.
        Retryable: not now.
    """
    address = await address_of(url, allow_private=allow_private)
    sent = {**headers, "Host": address.netloc}
    async with httpx.AsyncClient(timeout=_TIMEOUT, trust_env=False) as client:
        request = client.build_request(
            "POST",
            address.url,
            headers=sent,
            content=body,
            extensions={"sni_hostname": address.host},
        )
        try:
            answer = await client.send(request, stream=True)
            await answer.aclose()
        except (httpx.ConnectError, httpx.ConnectTimeout):
            raise Retryable("connection_failed", "", "could not connect") from None
        except httpx.HTTPError:
            raise Retryable("answer_lost", "", "the answer did not come") from None
    if answer.status_code in _AGAIN:
        raise Retryable("target_unavailable", "", f"HTTP {answer.status_code}")
    if not answer.is_success:
        raise Rejected("call_refused", "", f"HTTP {answer.status_code}")
