"""What tests of the Business Central connector share: options, deliveries, clocks, bad networks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from connectors.base import Json, Numbers, Outbound
from connectors.business_central.api import Clocks
from connectors.business_central.codec import BusinessCentralCodec
from connectors.business_central.config import BusinessCentralConfig

REFERENCE = "XDABCDEFGHIJ"
COMPANY_ID = "11111111-2222-3333-4444-555555555555"
BASE = "http://localhost/api/v2.0"
COMPANY_URL = f"{BASE}/companies({COMPANY_ID})"
NOW = datetime(2026, 5, 5, 10, tzinfo=UTC)

ORDER: Json = {
    "externalDocumentNumber": REFERENCE,
    "customerNumber": "C10010",
    "orderDate": "2026-05-04",
    "currencyCode": "USD",
    "salesOrderLines": [
        {
            "lineType": "Item",
            "lineObjectNumber": item,
            "description2": f"LINE {number}",
            "unitOfMeasureCode": "PCS",
            "quantity": quantity,
            "unitPrice": price,
        }
        for number, item, quantity, price in (
            ("1", "1896-S", "2", "1000.80"),
            ("2", "1928-S", "10", "54.90"),
            ("3", "1928-S", "5", "50.00"),
        )
    ],
}


def options(**changes: Any) -> BusinessCentralConfig:
    """Options that wait for nothing."""
    given: dict[str, Any] = {
        "base_url": BASE,
        "company_id": COMPANY_ID,
        "token": "t",
        "operation_limit_seconds": 0,
    }
    return BusinessCentralConfig.model_validate(given | changes)


def outbound(action: str, body: Json, reference: str = REFERENCE, id_: str = "d-1") -> Outbound:
    """One delivery; only an order goes out as it was encoded, other bodies are read."""
    encoded = b""
    if action == "create_order":
        numbers = Numbers(interchange=0, group=0, at=NOW)
        encoded = BusinessCentralCodec().encode("salesOrder", body, numbers)
    return Outbound(id_, action, reference, body, encoded, "x.json")


def shipment(number: str, *lines: tuple[str, str, str], **changes: Any) -> Json:
    """The body of a shipment of (line number, item, quantity)."""
    return {
        "order_reference": REFERENCE,
        "shipment_number": number,
        "posting_date": "2026-05-06",
        "lines": [
            {"line_number": line, "item_number": item, "quantity": quantity, "unit": "PCS"}
            for line, item, quantity in lines
        ],
    } | changes


@dataclass
class ManualClock:
    """Clocks that stand still until told otherwise."""

    seconds: float = 1000.0

    def clocks(self) -> Clocks:
        """As the client takes them; reads are tried again at once."""
        return Clocks(monotonic=lambda: self.seconds, utc=lambda: NOW, longest_pause=0.0)


Fault = Callable[[httpx.Request], Awaitable[httpx.Response] | httpx.Response]


@dataclass
class Network(httpx.AsyncBaseTransport):
    """A network in front of `inner` on which chosen requests go wrong once, in order."""

    inner: httpx.AsyncBaseTransport
    seen: list[httpx.Request] = field(default_factory=list)
    faults: list[tuple[str, str, Fault]] = field(default_factory=list)

    def lose_answer(self, method: str, path: str) -> None:
        """Let the next such request take effect, and drop its answer."""
        self.faults.append((method, path, self._lose))

    def answer(self, method: str, path: str, response: httpx.Response) -> None:
        """Answer the next such request with this, without effect."""
        self.faults.append((method, path, lambda _: response))

    def before(self, method: str, path: str, happens: Callable[[], Awaitable[object]]) -> None:
        """Let something else happen at the target just before the next such request."""

        async def fault(request: httpx.Request) -> httpx.Response:
            await happens()
            return await self.inner.handle_async_request(request)

        self.faults.append((method, path, fault))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on, or play a fault."""
        self.seen.append(request)
        for fault in self.faults:
            method, path, play = fault
            if request.method == method and path in request.url.path:
                self.faults.remove(fault)
                played = play(request)
                return played if isinstance(played, httpx.Response) else await played
        return await self.inner.handle_async_request(request)

    def count(self, method: str, path: str = "") -> int:
        """How many such requests came by."""
        return sum(1 for one in self.seen if one.method == method and path in one.url.path)

    async def _lose(self, request: httpx.Request) -> httpx.Response:
        response = await self.inner.handle_async_request(request)
        await response.aread()
        raise httpx.ReadError("reset", request=request)


Talk = Callable[[bytes, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def raw_server(talk: Talk) -> AsyncIterator[str]:
    """A real TCP server that reads one request and then does what `talk` says; its base URL."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await talk(await read_request(reader), reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            tasks.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/api/v2.0"
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """Read one HTTP/1.1 request with its body."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    return head + (await reader.readexactly(length) if length else b"")
