"""No connection of a site connects to an address that is not public, whatever its names lead to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from canonical.errors import HubError
from hub.connections import Live, live
from hub.mailboxes import opener
from hub.settings.model import Site
from hub.settings.transports import FtpsTransport, SftpTransport
from tests.support.reach import resolving

COMPANY = "e160007b-5faa-5628-bfda-1df6a9c51cd4"


@dataclass
class Doorstep:
    """A server of this machine's own, which nobody from outside is to be led to."""

    port: int
    visits: int = 0


@pytest.fixture
async def inside() -> AsyncIterator[Doorstep]:
    async def visit(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        at.visits += 1
        writer.close()

    server = await asyncio.start_server(visit, "127.0.0.1", 0)
    at = Doorstep(server.sockets[0].getsockname()[1])
    async with server:
        yield at


def erp(port: int, **options: Any) -> dict[str, Any]:
    own = {"base_url": f"http://erp.example:{port}/api", "company_id": COMPANY, "allow_http": True}
    transport = {"kind": "poll", "flows": ["items"]}
    return {"system": "business_central", "transport": transport, "options": {**own, **options}}


def mailbox(kind: str, port: int) -> dict[str, Any]:
    own = {"kind": kind, "host": "box.example", "port": port, "username": "us", "inbox": "/in"}
    if kind == "sftp":
        own["host_fingerprints"] = ["SHA256:" + "A" * 43]
    options = {"our_id": "US", "partner_id": "THEM"}
    return {
        "system": "x12",
        "transport": {**own, "password": "env:REACH_SECRET"},
        "options": options,
    }


async def polls(each: Live) -> None:
    poller = each.poller()
    assert poller is not None
    async for _ in poller.poll("items", ""):
        pass


async def opens(each: Live) -> None:
    transport = each.connection.transport
    assert isinstance(transport, SftpTransport | FtpsTransport)
    async with opener(each.name, transport, each.reach)():
        pass


FIXED = {"token": "env:REACH_SECRET"}
FAR = {"client_id": "us", "client_secret": "env:REACH_SECRET"}
CONNECTIONS: dict[
    str, tuple[Callable[[int], dict[str, Any]], Callable[[Live], Awaitable[None]]]
] = {
    "an ERP": (lambda port: erp(port, **FIXED), polls),
    "an ERP's tokens": (
        lambda port: erp(port, token_url=f"http://t.example:{port}/", **FAR),
        polls,
    ),
    "SFTP": (lambda port: mailbox("sftp", port), opens),
    "FTPS": (lambda port: mailbox("ftps", port), opens),
}


@pytest.mark.parametrize("allowed", [False, True])
@pytest.mark.parametrize("kind", CONNECTIONS)
async def test_a_name_that_leads_inside_is_not_followed_there(
    monkeypatch: pytest.MonkeyPatch, inside: Doorstep, kind: str, *, allowed: bool
) -> None:
    monkeypatch.setenv("REACH_SECRET", "a secret of nobody")
    make, call = CONNECTIONS[kind]
    site = Site.model_validate(
        {
            "control_points": {"reference": "it", "enabled": []},
            "servers": {"allow_private_networks": allowed},
            "partners": {"them": {"name": "Them"}},
            "connections": {"it": {"partner": "them", **make(inside.port)}},
        }
    )
    resolving(monkeypatch, ["127.0.0.1"])
    with pytest.raises(HubError) as refused:
        await call(live(site)["it"])
    assert (refused.value.code == "address_private") is not allowed
    assert (inside.visits > 0) is allowed
