"""Webhook calls over real sockets: what strangers can make the hub hold."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson
import pytest

from canonical.errors import Rejected
from connectors.base import Verified, WebhookCall
from hub.api import server
from hub.api.app import http_app
from hub.api.server import serving
from hub.intake import http
from hub.intake.http import WebhookIntake
from hub.settings.model import Http
from tests.support.doors import Shelf, door
from tests.support.waiting import wait_for


class Signed:
    """Believes whoever writes "good" into a header."""

    def verify(self, call: WebhookCall) -> Verified:
        """Believe or not."""
        given = call.headers.get("x-signature")
        if not given:
            raise Rejected("signature_missing", "x-signature")
        if given != b"good":
            raise Rejected("signature_invalid", "x-signature")
        return Verified("d-1", "orders/create")


@dataclass
class Site:
    """A served intake."""

    port: int
    intake: WebhookIntake
    shelf: Shelf

    async def call(self, body: bytes = b"", *, length: int | None = None, **change: str) -> Call:
        """Begin a call that says it has `length` bytes; `change` replaces headers and the place."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        place = change.pop("to", "shop")
        headers = {
            "host": "hub",
            "content-type": "application/json",
            "content-length": str(len(body) if length is None else length),
            "x-signature": "good",
        } | {name.replace("_", "-"): value for name, value in change.items()}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items() if value)
        writer.write(f"POST /in/{place} HTTP/1.1\r\n{head}\r\n".encode() + body)
        return Call(reader, writer)


@dataclass
class Call:
    """A call under way."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def answer(self) -> tuple[int, str]:
        """Return the status and, of a refusal, the code."""
        async with asyncio.timeout(10):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
            body = orjson.loads(await self.reader.readexactly(length))
        self.writer.close()
        status = int(head.split()[1])
        assert ("retry-after" in head) == (status == 503)
        return status, body.get("error", {}).get("code", "")


@asynccontextmanager
async def site(**caps: int) -> AsyncIterator[Site]:
    settings = Http(port=0, **caps)
    intake = WebhookIntake(door(shelf := Shelf()), {"shop": Signed()}, settings)
    async with serving(http_app([intake.routes()]), settings) as port:
        yield Site(port, intake, shelf)


@pytest.mark.parametrize(
    ("change", "code"),
    [({"to": "nobody"}, "signature_invalid"), ({"x_signature": ""}, "signature_missing")],
)
async def test_who_cannot_be_genuine_is_refused_before_a_byte_of_the_body(
    change: dict[str, Any], code: str
) -> None:
    async with site() as at:
        call = await at.call(length=5_000_000, **change)
        assert await call.answer() == (401, code)


async def test_a_genuine_call_is_stored_and_leaves_the_budget_as_it_was() -> None:
    async with site() as at:
        assert await (await at.call(b"{}")).answer() == (200, "")
        packed = gzip.compress(b'{"a": 1}')
        assert await (await at.call(packed, content_encoding="gzip")).answer() == (200, "")
        assert [receipt.body for receipt in at.shelf.receipts] == [b"{}", b'{"a": 1}']
        assert at.intake.budget.used == 0


async def test_a_body_that_does_not_arrive_in_time_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http, "_BODY_SECONDS", 0.2)
    async with site() as at:
        call = await at.call(b"{", length=2)
        assert await call.answer() == (408, "body_too_slow")
        assert (at.shelf.receipts, at.intake.budget.used) == ([], 0)


async def test_bodies_beyond_the_budget_are_told_to_come_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http, "_BUDGET_BYTES", 0)
    async with site(max_body=1000, max_decompressed=1000) as at:
        slow = [await at.call(b"x" * 900, length=901) for _ in range(2)]
        await wait_for(lambda: at.intake.budget.used == 1800)
        assert await (await at.call(b"y" * 900)).answer() == (503, "bodies_full")
        packed = await at.call(gzip.compress(b"{}"), content_encoding="gzip")
        assert await packed.answer() == (503, "bodies_full")
        for call in slow:
            call.writer.write(b"x")
            assert await call.answer() == (200, "")
        assert await (await at.call(b"y" * 900)).answer() == (200, "")


async def test_what_a_caller_who_went_away_had_sent_is_given_back() -> None:
    async with site() as at:
        call = await at.call(b"x" * 900, length=901)
        await wait_for(lambda: at.intake.budget.used == 900)
        call.writer.close()
        await wait_for(lambda: at.intake.budget.used == 0)
        assert await (await at.call(b"{}")).answer() == (200, "")
        assert len(at.shelf.receipts) == 1


async def test_connections_beyond_the_limit_are_refused_and_those_within_it_served(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server, "_MOST_CONNECTIONS", 3)
    async with site() as at:
        idle = [await asyncio.open_connection("127.0.0.1", at.port) for _ in range(3)]
        reader, refused = await asyncio.open_connection("127.0.0.1", at.port)
        refused.write(b"POST /in/shop HTTP/1.1\r\nhost: hub\r\ncontent-length: 0\r\n\r\n")
        async with asyncio.timeout(10):
            assert (await reader.readline()).split()[1] == b"503"
        for _, each in [*idle, (reader, refused)]:
            each.close()

        async def served() -> bool:
            reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
            writer.write(b"POST /in/shop HTTP/1.1\r\nhost: hub\r\ncontent-length: 0\r\n\r\n")
            status = (await reader.readline()).split()[1]
            writer.close()
            return status == b"401"

        await wait_for(served)


async def test_a_head_that_never_ends_is_refused() -> None:
    async with site() as at:
        call = await at.call(x_long="x" * 200_000)
        async with asyncio.timeout(10):
            assert (await call.reader.readline()).split()[1] == b"400"
        call.writer.close()
