"""The peer: the pipeline that one writes in an afternoon, on the same servers in the same run.

Split at the delimiters, map by hand, dump with `json`, publish, insert, acknowledge. It checks
nothing, knows no duplicates, has no outbox (a crash between publish and insert loses or doubles)
and cannot change a mapping without a release. Once one order at a time, as most are written, and
once in batches of 100 with everything of a batch under way at once.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import asyncpg
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from hub.publisher import Outgoing, Publisher
from tests.bench import cpu
from tests.bench.orders import interchange
from tests.bench.runs import Run
from tests.bench.world import World, connected, stored

Json = dict[str, Any]

BATCH = 100
_TABLE = (
    "CREATE TABLE naive (id text PRIMARY KEY, partner text, number text, ordered_on date, "
    "currency text, amount numeric, lines int, canonical jsonb)"
)
_INSERT = "INSERT INTO naive VALUES ($1, $2, $3, $4::text::date, $5, $6, $7, $8)"


def parse(raw: bytes) -> Json:  # noqa: C901  # as one writes it in an afternoon
    """Read one interchange, trusting it."""
    text = raw.decode()
    order: Json = {"lines": [], "parties": {}, "references": {}, "dates": {}}
    party: Json = {}
    for segment in text.split(text[105]):
        e = segment.split("*")
        match e[0]:
            case "PO1":
                order["lines"].append(e)
            case "PID":
                order["lines"][-1].append(e[5])
            case "BEG":
                order["number"], order["date"] = e[3], e[5]
            case "CUR":
                order["currency"] = e[2]
            case "REF":
                order["references"][e[1]] = e[2]
            case "DTM":
                order["dates"][e[1]] = e[2]
            case "TD5":
                order["ship_method"] = e[3]
            case "N1":
                party = order["parties"][e[1]] = {"name": e[2], "id": e[4]}
            case "N3":
                party["street"] = e[1]
            case "N4":
                party["city"], party["region"], party["zip"], party["country"] = e[1:5]
            case _:
                pass
    return order


def mapped(order: Json) -> Json:
    """Map it by hand."""
    return {
        "po_number": order["number"],
        "buyer": {"customer_number": "C10010", **order["parties"]["BY"]},
        "ship_to": order["parties"]["ST"],
        "currency": order["currency"],
        "ordered_on": _date(order["date"]),
        "requested_delivery_on": _date(order["dates"]["002"]),
        "ship_method": order["ship_method"],
        "references": order["references"],
        "lines": [
            {
                "number": e[1],
                "item": {"seller_sku": e[7], "buyer_sku": e[9]},
                "description": e[10],
                "quantity": {"value": e[2], "unit": e[3]},
                "unit_price": {"amount": e[4], "currency": order["currency"]},
            }
            for e in order["lines"]
        ],
        "total": str(sum(Decimal(e[2]) * Decimal(e[4]) for e in order["lines"])),
    }


def _date(text: str) -> str:
    return f"{text[:4]}-{text[4:6]}-{text[6:]}"


def _row(canonical: Json, text: str) -> tuple[Any, ...]:
    number = canonical["po_number"]
    return (
        f"acme/{number}",
        "acme",
        number,
        canonical["ordered_on"],
        canonical["currency"],
        Decimal(canonical["total"]),
        len(canonical["lines"]),
        text,
    )


@dataclass(frozen=True, slots=True)
class _Pipeline:
    js: JetStreamContext
    ledger: asyncpg.Connection

    async def one(self, message: Msg) -> None:
        """Take one order all the way before the next."""
        canonical = mapped(parse(message.data))
        text = json.dumps(canonical)
        await self.js.publish("naive.out", text.encode())
        await self.ledger.execute(_INSERT, *_row(canonical, text))
        await message.ack()

    async def batch(self, messages: list[Msg]) -> None:
        """Publish all at once, insert all at once."""
        orders = [mapped(parse(message.data)) for message in messages]
        texts = [json.dumps(order) for order in orders]
        await asyncio.gather(*(self.js.publish("naive.out", text.encode()) for text in texts))
        rows = [_row(order, text) for order, text in zip(orders, texts, strict=True)]
        await self.ledger.executemany(_INSERT, rows)
        for message in messages:
            await message.ack()


async def drain(world: World, orders: int, *, batched: bool) -> Run:
    """Measure the naive pipeline over a stream that holds so many orders."""
    addresses = await world.fresh()
    async with connected(addresses.nats_url) as (client, js), _ledger(addresses.database_url) as pg:
        await js.add_stream(name="NAIVE_IN", subjects=["naive.in"], allow_atomic=True)
        await js.add_stream(name="NAIVE_OUT", subjects=["naive.out"])
        sent = [Outgoing("naive.in", interchange(n), f"n-{n}") for n in range(orders)]
        await Publisher(client, js).publish(sent)
        pull = await js.pull_subscribe("naive.in", "naive")
        pipeline = _Pipeline(js, pg)
        groups = {"hub": cpu.own(), **world.pids}
        used, started = cpu.seconds(groups), time.perf_counter()
        left = orders
        while left:
            messages = await pull.fetch(min(BATCH, left), timeout=10)
            left -= len(messages)
            if batched:
                await pipeline.batch(messages)
            else:
                for message in messages:
                    await pipeline.one(message)
        seconds = time.perf_counter() - started
        spent = cpu.difference(used, cpu.seconds(groups))
        found = await stored(js, "NAIVE_OUT"), await pg.fetchval("SELECT count(*) FROM naive")
        if found != (orders, orders):
            raise AssertionError(f"{found} published and inserted instead of {orders}")
    await world.drop(addresses)
    return Run(orders, seconds, spent)


@asynccontextmanager
async def _ledger(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(_TABLE)
        yield connection
    finally:
        await connection.close()
