"""Addresses that strangers name: only public ones are called."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from canonical.errors import Rejected, Retryable
from hub.outward import address_of


def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Let every name have these addresses."""

    async def getaddrinfo(_host: str, port: int, **_options: Any) -> list[Any]:
        return [(0, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)


async def test_a_public_name_is_called_by_the_address_that_was_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolving(monkeypatch, "93.184.216.34")
    found = await address_of("https://as2.them.example:8443/mdn?x=1#y", allow_private=False)
    assert found.url == "https://93.184.216.34:8443/mdn?x=1"
    assert (found.host, found.netloc) == ("as2.them.example", "as2.them.example:8443")


async def test_an_address_of_version_six_is_written_as_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolving(monkeypatch, "2606:2800:220:1::1")
    found = await address_of("http://as2.them.example/mdn", allow_private=False)
    assert found.url == "http://[2606:2800:220:1::1]:80/mdn"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.8",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104  # it is refused
        "224.0.0.1",
        "::1",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:192.168.0.1",
        "2002:7f00:1::",
        "64:ff9b::7f00:1",
    ],
)
async def test_a_name_that_resolves_to_a_private_address_is_refused(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    resolving(monkeypatch, "93.184.216.34", address)
    with pytest.raises(Rejected, match="address_private"):
        await address_of("https://as2.them.example/mdn", allow_private=False)


async def test_a_name_without_addresses_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch)
    with pytest.raises(Rejected, match="address_private"):
        await address_of("https://as2.them.example/mdn", allow_private=False)


async def test_a_name_that_does_not_resolve_is_for_later() -> None:
    with pytest.raises(Retryable, match="address_unknown"):
        await address_of("https://as2.them.invalid/mdn", allow_private=False)


@pytest.mark.parametrize(
    "url", ["", "as2.example", "ftp://a.example/", "http://", "http://u:p@a.example/", "http://[/"]
)
async def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(Rejected, match="address_invalid"):
        await address_of(url, allow_private=False)
