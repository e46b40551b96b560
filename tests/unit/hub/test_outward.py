"""Addresses that strangers name: only public ones are called, and none for ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from canonical.errors import Rejected, Retryable
from connectors.reach import Reach
from hub import outward
from hub.outward import check, post
from tests.support.reach import ANYWHERE, ToThisMachine, resolving
from tests.support.webhook_catcher import Catcher, catching

PUBLIC = Reach()
URL = "https://as2.them.example/mdn"


@pytest.fixture
def catcher() -> Iterator[Catcher]:
    with catching() as opened:
        yield opened


async def posting(url: str, reach: Reach) -> None:
    await post(url, {"X-Mark": "1"}, b"mdn", reach)


EITHER: list[Callable[[str, Reach], Coroutine[Any, Any, None]]] = [check, posting]
either = pytest.mark.parametrize("call", EITHER, ids=["check", "post"])


async def test_a_public_name_is_called_by_the_address_that_was_checked(catcher: Catcher) -> None:
    port = catcher.url.rpartition(":")[2]
    await posting(f"http://as2.them.example:{port}/mdn?x=1#y", ToThisMachine())
    (caught,) = catcher.caught
    assert (caught.path, caught.body) == ("/mdn?x=1", b"mdn")
    assert caught.headers["host"] == f"as2.them.example:{port}"
    assert caught.headers["x-mark"] == "1"


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
@either
async def test_a_name_that_resolves_to_a_private_address_is_refused(
    monkeypatch: pytest.MonkeyPatch, address: str, call: Callable[[str, Reach], Any]
) -> None:
    resolving(monkeypatch, ["93.184.216.34", address])
    with pytest.raises(Rejected, match="address_private"):
        await call(URL, PUBLIC)


@either
async def test_a_name_without_addresses_is_refused(
    monkeypatch: pytest.MonkeyPatch, call: Callable[[str, Reach], Any]
) -> None:
    resolving(monkeypatch, [])
    with pytest.raises(Rejected, match="address_private"):
        await call(URL, PUBLIC)


async def test_a_name_that_does_not_resolve_is_for_later() -> None:
    with pytest.raises(Retryable, match="address_unknown"):
        await check("https://as2.them.invalid/mdn", PUBLIC)
    with pytest.raises(Retryable, match="connection_failed"):
        await posting("https://as2.them.invalid/mdn", PUBLIC)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "as2.example",
        "ftp://a.example/",
        "http://",
        "http://u:p@a.example/",
        "http://[/",
        "http://a.example:port/",
        "http://a.example/\x00",
    ],
)
@either
async def test_what_is_no_address_is_refused(url: str, call: Callable[[str, Reach], Any]) -> None:
    with pytest.raises(Rejected, match="address_invalid"):
        await call(url, PUBLIC)


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "http://localhost/", "http://2130706433/"])
@either
async def test_what_is_private_as_it_is_written_is_refused(
    url: str, call: Callable[[str, Reach], Any]
) -> None:
    with pytest.raises(Rejected, match="address_private"):
        await call(url, PUBLIC)


@asynccontextmanager
async def dripping(beginning: bytes) -> AsyncIterator[str]:
    """A server whose answer goes on for ever, a byte at a time; its address."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(beginning)
        try:
            while True:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.01)
        except ConnectionError:
            return
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


@pytest.mark.parametrize("beginning", [b"", b"HTTP/1.1 200 OK\r\nX-Slow: "], ids=["line", "header"])
async def test_an_answer_that_drips_in_is_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch, beginning: bytes
) -> None:
    monkeypatch.setattr(outward, "_SECONDS", 0.2)
    async with dripping(beginning) as url, asyncio.timeout(20):
        with pytest.raises(Retryable, match="answer_lost"):
            await posting(url, ANYWHERE)


@pytest.mark.parametrize(
    ("status", "error", "code"),
    [(503, Retryable, "target_unavailable"), (302, Rejected, "call_refused"), (404, Rejected, "call_refused")],
)  # fmt: skip
async def test_an_answer_that_is_no_yes_says_whether_to_come_again(
    catcher: Catcher, status: int, error: type[Exception], code: str
) -> None:
    catcher.statuses = [status]
    with pytest.raises(error, match=code):
        await posting(catcher.url, ANYWHERE)
