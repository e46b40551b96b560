"""Paced HTTP calls from a process of their own: each has its moment, and is timed from it.

    python -m tests.bench.intake_load URL --rate 500 --seconds 10

Prints one JSON line. A call that could not be made in time because those before it were slow is
timed from when it should have been made: nothing is left out (coordinated omission).
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import hmac
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from sandbox.shopify import SHOP_DOMAIN
from tests.support.hub_world import SHOP_SECRET

_CONNECTIONS = 64
_SIZE = 2048


@dataclass
class Timed:
    """What became of the calls."""

    ms: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)


def call(path: str, host: str, n: int, run: str) -> bytes:
    """Return a signed order of the shop, of 2 kB, as it goes over the wire."""
    line = {"id": 1, "sku": "1928-S", "name": "Lamp", "quantity": 1 + n % 997, "price": "54.90"}
    order = {
        "id": n, "name": f"#{run}-{n}", "created_at": "2026-11-20T11:00:00-08:00",
        "currency": "USD", "line_items": [line], "note": "",
        "shipping_address": {"name": "Ada Miller", "address1": "12 Harbor Street",
            "city": "Portland", "province_code": "OR", "zip": "97201", "country_code": "US"},
    }  # fmt: skip
    bare = json.dumps(order).encode()
    body = json.dumps(order | {"note": "x" * (_SIZE - len(bare))}).encode()
    mark = base64.b64encode(hmac.digest(SHOP_SECRET.encode(), body, hashlib.sha256)).decode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        f"X-Shopify-Topic: orders/create\r\nX-Shopify-Shop-Domain: {SHOP_DOMAIN}\r\n"
        f"X-Shopify-Webhook-Id: {run}-{n}\r\nX-Shopify-Hmac-Sha256: {mark}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def calls(url: str, rate: float, seconds: float, run: str) -> Timed:
    """Make calls at a rate, over kept connections."""
    parts = urlsplit(url)
    ready = [
        call(parts.path, parts.netloc, n, run) for n in range(round(rate * seconds))
    ]  # made beforehand: signing is the shop's work
    begun = time.perf_counter() + 0.2
    timed, due = Timed(), iter(enumerate(ready))

    async def connection() -> None:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        for n, message in due:
            moment = begun + n / rate
            await asyncio.sleep(max(0.0, moment - time.perf_counter()))
            writer.write(message)
            status = await _answer(reader)
            timed.ms.append((time.perf_counter() - moment) * 1000)
            timed.statuses[status] = timed.statuses.get(status, 0) + 1
        writer.close()

    await asyncio.gather(*(connection() for _ in range(_CONNECTIONS)))
    return timed


async def _answer(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    length = next(
        int(line.split(b":")[1]) for line in lines if line.lower().startswith(b"content-length")
    )
    await reader.readexactly(length)
    return int(lines[0].split()[1])


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return what so large a share is not above."""
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def main() -> None:
    """Make the calls and print what became of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--rate", type=float, default=500)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--run", default="load")
    given = parser.parse_args()
    timed = asyncio.run(calls(given.url, given.rate, given.seconds, given.run))
    ordered = sorted(timed.ms)
    found = {
        "calls": len(ordered),
        "statuses": timed.statuses,
        "p50_ms": round(percentile(ordered, 0.5), 1),
        "p95_ms": round(percentile(ordered, 0.95), 1),
        "p99_ms": round(percentile(ordered, 0.99), 1),
        "worst_ms": round(ordered[-1], 1),
        "client_cpu_us": round(time.process_time() / len(ordered) * 1e6),
    }
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
