"""The wire against a real server: resets, drips, silence, and nobody at home."""

from __future__ import annotations

import asyncio
import socket
import struct

import pytest

from canonical.errors import InDoubt, Retryable
from connectors.business_central.api import Api, Write
from tests.support.business_central import COMPANY_ID, ManualClock, Talk, options, raw_server

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"


def api_at(base: str, **changes: object) -> Api:
    return Api(options(base_url=base, **changes), clocks=ManualClock().clocks())


def post(base: str) -> Write:
    return Write("POST", f"{base}/companies({COMPANY_ID})/salesOrders", b'{"a":1}')


async def reset(_: bytes, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    sock: socket.socket = writer.get_extra_info("socket")
    # A linger of zero makes the close a RST instead of a FIN.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def drip(_: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD)
    while not reader.at_eof():
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.01)  # the drip itself; nothing waits for it


async def silence(_: bytes, reader: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
    await reader.read()


async def half(_: bytes, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b'{"id":')
    await writer.drain()


@pytest.mark.parametrize("talk", [reset, half])
async def test_a_connection_that_breaks_after_the_request_leaves_a_write_in_doubt(
    talk: Talk,
) -> None:
    async with raw_server(talk) as base, api_at(base) as api:
        with pytest.raises(InDoubt, match="answer_lost"):
            await api.write(post(base))
        with pytest.raises(Retryable, match="answer_lost"):
            await api.get(post(base).url)


@pytest.mark.parametrize("talk", [drip, silence])
async def test_one_deadline_covers_an_answer_that_drips_or_never_comes(talk: Talk) -> None:
    async with raw_server(talk) as base, api_at(base, deadline_seconds=0.2) as api:
        async with asyncio.timeout(20):
            with pytest.raises(InDoubt, match="answer_lost"):
                await api.write(post(base))
            with pytest.raises(Retryable, match="answer_lost"):
                await api.get(post(base).url)


async def test_nobody_at_home_changed_nothing() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{unused.getsockname()[1]}/api/v2.0"
        async with api_at(base) as api:
            with pytest.raises(Retryable, match="connection_failed"):
                await api.write(post(base))
            with pytest.raises(Retryable, match="connection_failed"):
                await api.get(post(base).url)


async def test_a_connection_that_is_never_accepted_changed_nothing() -> None:
    # A listener with a full backlog: the SYN is dropped, and the deadline ends the wait.
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        try:
            for one in waiting:
                one.setblocking(False)  # noqa: FBT003  # the standard library's own
                one.connect_ex(address)
            base = f"http://127.0.0.1:{address[1]}/api/v2.0"
            async with api_at(base, deadline_seconds=0.3, connect_seconds=30) as api:
                with pytest.raises(Retryable, match="connection_failed"):
                    await api.write(post(base))
        finally:
            for one in waiting:
                one.close()
