"""Whatever a name leads to, no client connects to an address that is not public."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from canonical.errors import Retryable
from connectors.reach import Pinned, Reach
from tests.support.ftps_house import NAME, write_certificate
from tests.support.reach import ANYWHERE, ToThisMachine, resolving

PUBLIC = "93.184.216.34"
PRIVATE = [
    "127.0.0.1",
    "10.0.0.8",
    "172.16.5.4",
    "192.168.1.1",
    "169.254.169.254",  # the metadata service of most clouds
    "100.100.100.200",  # of Alibaba's, in the shared address space of RFC 6598
    "192.0.0.192",  # of Oracle's
    "0.0.0.0",  # noqa: S104  # it is refused
    "224.0.0.1",
    "255.255.255.255",
    "198.18.0.1",
    "::",
    "::1",
    "::7f00:1",
    "fe80::1%eth0",
    "fd00:ec2::254",  # the metadata service of AWS
    "ff02::1",
    "::ffff:192.168.0.1",
    "2002:7f00:1::",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a9fe:a9fe",
    "2001::1",
    "fec0::1",
]


@pytest.mark.parametrize("address", PRIVATE)
async def test_a_name_with_a_private_address_is_refused_whole(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    resolving(monkeypatch, [PUBLIC, address])
    with pytest.raises(Retryable, match="address_private"):
        await Reach().addresses("erp.example", 443)


async def test_a_name_without_addresses_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, [])
    with pytest.raises(Retryable, match="address_private"):
        await Reach().addresses("erp.example", 443)


async def test_a_name_is_connected_to_at_a_few_of_its_addresses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    many = [f"93.184.216.{n}" for n in range(30, 60)]
    resolving(monkeypatch, [many[0], *many])
    assert await Reach().addresses("erp.example", 443) == many[:3]


async def test_a_name_that_does_not_resolve_is_for_later() -> None:
    with pytest.raises(Retryable, match="address_unknown"):
        await Reach().addresses("erp.invalid", 443)


async def test_a_site_that_allows_private_networks_is_not_asked() -> None:
    assert await ANYWHERE.addresses("erp.invalid", 443) == ["erp.invalid"]
    assert isinstance(ANYWHERE.transport(), httpx.AsyncHTTPTransport)


@dataclass
class Wire(httpx.AsyncBaseTransport):
    """Notes where calls go; some addresses take none."""

    deaf: Sequence[str] = ()
    seen: list[httpx.Request] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer."""
        self.seen.append(request)
        if request.url.host in self.deaf:
            raise httpx.ConnectError("nobody listens", request=request)
        return httpx.Response(200)


@asynccontextmanager
async def http(wire: Wire, reach: Reach | None = None) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=Pinned(reach or Reach(), wire)) as client:
        yield client


async def test_a_call_goes_to_the_address_that_was_checked_under_the_name_it_was_made_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolving(monkeypatch, [PUBLIC])
    wire = Wire()
    async with http(wire) as client:
        await client.post("https://erp.example:8443/orders?x=1", content=b"body")
    (sent,) = wire.seen
    assert str(sent.url) == f"https://{PUBLIC}:8443/orders?x=1"
    assert sent.headers["host"] == "erp.example:8443"
    assert sent.extensions["sni_hostname"] == "erp.example"
    assert await sent.aread() == b"body"


async def test_a_name_that_is_moved_after_a_call_is_refused_at_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolving(monkeypatch, [PUBLIC], ["169.254.169.254"])
    wire = Wire()
    async with http(wire) as client:
        await client.get("https://erp.example/")
        with pytest.raises(Retryable, match="address_private"):
            await client.get("https://erp.example/")
    assert len(wire.seen) == 1


async def test_a_redirect_to_a_private_address_is_refused_even_where_it_is_followed() -> None:
    class Moved(Wire):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            self.seen.append(request)
            return httpx.Response(302, headers={"location": "http://169.254.169.254/latest"})

    wire = Moved()
    async with http(wire) as client:
        with pytest.raises(Retryable, match="address_private"):
            await client.get(f"http://{PUBLIC}/", follow_redirects=True)
    assert [request.url.host for request in wire.seen] == [PUBLIC]


async def test_where_nobody_listens_the_next_address_is_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolving(monkeypatch, ["2606:2800:220:1::1", PUBLIC])
    wire = Wire(deaf=["2606:2800:220:1::1"])
    async with http(wire) as client:
        assert (await client.get("http://erp.example/")).status_code == 200
    assert [request.url.host for request in wire.seen] == ["2606:2800:220:1::1", PUBLIC]


async def test_a_name_that_does_not_resolve_is_a_connection_that_failed() -> None:
    async with http(Wire()) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get("https://erp.invalid/")


@pytest.mark.parametrize(("name", "believed"), [(NAME, True), ("other.example", False)])
async def test_a_certificate_is_held_to_the_name_and_not_to_the_address(
    tmp_path: Path, name: str, *, believed: bool
) -> None:
    file = write_certificate(tmp_path)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(file)
    trusting = ssl.create_default_context(cafile=file)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=serving)
    port = server.sockets[0].getsockname()[1]
    carried = httpx.AsyncHTTPTransport(verify=trusting)
    async with server, httpx.AsyncClient(transport=Pinned(ToThisMachine(), carried)) as client:
        if believed:
            assert (await client.get(f"https://{name}:{port}/")).status_code == 200
        else:
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                await client.get(f"https://{name}:{port}/")
