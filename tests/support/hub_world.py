"""A hub in its world: its ledger and streams, and the emulated systems and partners around it."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx
import nats
from nats.aio.client import Client
from nats.js import JetStreamContext
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.base import Receipt
from hub import topology
from hub.demo.stage import our_reference
from hub.intake.store import ReceiptStore
from hub.ledger import account
from hub.ledger.account import Balance
from hub.ledger.engine import open_engine
from hub.publisher import Publisher
from hub.servers.addresses import Addresses
from tests.support.hub_process import Change, HubProcess, site_file
from tests.support.ports import free_port
from tests.support.sandbox_process import SandboxProcess

T = TypeVar("T")

SHOP_SECRET = "sandbox-shop-secret-for-demo-only"  # noqa: S105  the sandbox's own default
CARRIER_SECRET = "sandbox-carrier-secret-for-demo-only"  # noqa: S105
_BOOKS_SECRET = "sandbox-bc-secret-for-demo"  # noqa: S105
_FOLDERS = ("acme-edi", "northside-edi", "lakeside")

SETTLE_SECONDS = 45.0
"""Longest wait for something that a hub on a busy machine does within a second or two."""
SNAPSHOTS = 22
"""Customers, items and stock of the sandbox's company: what orders are checked against."""
EFFECTS = ("sales_order_created", "warehouse_order_received")
"""What an order does in the emulated systems, once each."""


class Background:
    """An event loop in a thread, so that synchronous tests keep their connections open."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop itself."""
        return self._loop

    def run(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do async work and wait for it."""

        async def do() -> T:
            return await work()

        return asyncio.run_coroutine_threadsafe(do(), self._loop).result(60)

    def close(self) -> None:
        """Stop the loop."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Books:
    """The ledger and the streams of a hub, as a test looks into them."""

    def __init__(self, addresses: Addresses) -> None:
        self._addresses = addresses
        self._background = Background()
        self._engine = open_engine(addresses.database_url, pool_size=2)

    def rows(self, statement: str, **values: object) -> list[dict[str, Any]]:
        """Run a statement on the ledger; its rows, if it has any."""

        async def ask() -> list[dict[str, Any]]:
            async with self._engine.begin() as ledger:
                result = await ledger.execute(text(statement), values)
                return [dict(row) for row in result.mappings()] if result.returns_rows else []

        return self._background.run(ask)

    def count(self, statement: str, **values: object) -> int:
        """The one number that a statement selects."""
        (row,) = self.rows(statement, **values)
        return int(next(iter(row.values())))

    def now(self) -> datetime:
        """The ledger's clock."""
        (row,) = self.rows("SELECT clock_timestamp() AS now")
        moment: datetime = row["now"]
        return moment

    def balance(self, since: datetime | None = None) -> Balance:
        """The account of everything received since a moment."""

        async def ask() -> Balance:
            async with self._engine.connect() as ledger:
                return (await account.balances(ledger, since))["total"]

        return self._background.run(ask)

    def client(self, work: Callable[[Client], Awaitable[T]]) -> T:
        """Do something with a connection to NATS."""

        async def do() -> T:
            servers = self._addresses.nats_url.split(",")
            client = await nats.connect(servers, connect_timeout=10)
            try:
                return await work(client)
            finally:
                await client.close()

        return self._background.run(do)

    def streams(self, work: Callable[[JetStreamContext], Awaitable[T]]) -> T:
        """Do something with the streams."""
        return self.client(lambda client: work(client.jetstream(timeout=10)))

    def forget_streams(self) -> None:
        """Delete the streams: they belong to an earlier test's ledger."""

        async def forget(js: JetStreamContext) -> None:
            for stream in await js.streams_info():
                await js.delete_stream(str(stream.config.name))

        self.streams(forget)

    def published(self, subject: str) -> int:
        """How many messages of a subject the CANONICAL stream holds."""

        async def ask(js: JetStreamContext) -> int:
            info = await js.stream_info(topology.CANONICAL, subjects_filter=subject)
            return (info.state.subjects or {}).get(subject, 0)

        return self.streams(ask)

    def stored(self) -> int:
        """How many receipts were ever stored in INTAKE."""

        async def ask(js: JetStreamContext) -> int:
            return (await js.stream_info(topology.INTAKE)).state.last_seq

        return self.streams(ask)

    def in_hand(self) -> int:
        """How many receipts were delivered to a hub and not acknowledged."""

        async def ask(js: JetStreamContext) -> int:
            return (
                await js.consumer_info(topology.INTAKE, topology.NORMALIZE)
            ).num_ack_pending or 0

        return self.streams(ask)

    def store(self, receipts: Sequence[Receipt]) -> None:
        """Store receipts, as `crossdock send` does."""

        async def save(client: Client) -> None:
            js = client.jetstream(timeout=10)
            await ReceiptStore(js, Publisher(client, js)).save_all(receipts)

        self.client(save)

    @contextmanager
    def locked(self, table: str) -> Iterator[None]:
        """Let nobody write into a table of the ledger meanwhile."""
        connection = self._background.run(self._lock(table))
        yield
        self._background.run(connection.close)

    def _lock(self, table: str) -> Callable[[], Awaitable[AsyncConnection]]:
        async def lock() -> AsyncConnection:
            connection = await self._engine.connect()
            await connection.execute(text(f"LOCK TABLE {table} IN EXCLUSIVE MODE"))
            return connection

        return lock

    def acks_run_out(self, seconds: float = 0.5) -> None:
        """Let receipts that are not acknowledged come back soon; a starting hub sets 30 s again."""
        config = topology.normalize_consumer(ack_wait=seconds)
        self.streams(lambda js: topology.declare_consumer(js, topology.INTAKE, config))

    def leases_run_out(self) -> None:
        """Let what a dead hub had claimed be anyone's at once, as it would be in 8 to 30 seconds."""
        self.rows("UPDATE delivery SET claimed_until = now() WHERE claimed_until IS NOT NULL")
        self.acks_run_out()

    def close(self) -> None:
        """Close the connections."""
        self._background.run(self._engine.dispose)
        self._background.close()


@dataclass
class World:
    """A hub, its books, and what is around it; the warehouse takes orders in and never ships."""

    folder: Path
    hub: HubProcess
    sandbox: SandboxProcess
    books: Books
    replicas: list[HubProcess] = field(default_factory=list)
    _http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=30))
    _quantities: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def replica(self) -> HubProcess:
        """Another process of the same hub, not started; it ends with the first."""
        log = self.folder / f"replica-{len(self.replicas) + 1}.log"
        hub = HubProcess(self.hub.config, log, self.hub.environment)
        self.replicas.append(hub)
        return hub

    def folder_of(self, connection: str, side: str = "in") -> Path:
        """A partner's folder, named as the hub names it."""
        return self.folder / "folders" / connection / side

    def control(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        """Call the sandbox's control side."""
        answer = self._http.request(method, f"{self.sandbox.ready['control']}{path}", **request)
        found: dict[str, Any] = answer.raise_for_status().json()
        return found

    def send(self, *numbers: str, partner: str = "acme") -> str:
        """A partner drops one 850 with orders of these numbers; the file's name."""
        orders = [self.purchase(number) for number in numbers]
        body = {"partner": partner, "orders": orders}
        return str(self.control("POST", "/partner/orders", json=body)["name"])

    def purchase(self, number: str) -> dict[str, Any]:
        """An order that passes every control point and is like no other: that would be a twin."""
        line = {"sku": "1928-S", "quantity": str(next(self._quantities)), "price": "54.90"}
        days = {"ordered_on": "2026-11-20", "requested_on": "2026-11-27"}
        return {"number": number, **days, "ship_method": "UPSN", "lines": [line]}

    def send_again(self, name: str, partner: str = "acme") -> str:
        """The partner drops the same bytes under another name."""
        body = {"partner": partner, "name": name}
        return str(self.control("POST", "/partner/again", json=body)["name"])

    def shop_order(self, number: str) -> str:
        """The shop takes an order and tells the hub until it hears yes; the delivery's id."""
        line = {"sku": "1928-S", "quantity": next(self._quantities), "price": "54.90"}
        body = {"name": number, "lines": [line]}
        return str(self.control("POST", "/shop/orders", json=body)["delivery_id"])

    def shop_again(self, delivery_id: str) -> int:
        """The shop calls with an earlier delivery again; the hub's status."""
        body = {"webhook_id": delivery_id, "wait": True}
        return int(self.control("POST", "/shop/redeliver", json=body)["status"])

    def misbehave(self, number: str, partner: str = "acme", **rule: Any) -> None:
        """Let the ERP go wrong at one order's creation."""
        reference = our_reference(partner, number)
        match = {"method": "POST", "path_contains": "/salesOrders", "reference": reference}
        self.control("POST", "/misbehave", json={"match": match, **rule})

    def journal(self, number: str, partner: str = "acme") -> list[dict[str, Any]]:
        """What the emulated systems recorded under our reference of an order."""
        query = {"reference": our_reference(partner, number)}
        entries: list[dict[str, Any]] = self.control("GET", "/journal", params=query)["entries"]
        return entries

    def effects(self, number: str, partner: str = "acme") -> dict[str, int]:
        """How often an order took effect in the ERP and in the warehouse."""
        counted = Counter(entry["effect"] for entry in self.journal(number, partner))
        return {name: counted[name] for name in EFFECTS}

    def plays(self, number: str, partner: str = "acme") -> bool:
        """Whether the ERP has begun to go wrong at an order."""
        return any(e["effect"] == "misbehaviour_played" for e in self.journal(number, partner))

    def double_effects(self) -> list[dict[str, Any]]:
        """What took effect twice in the emulated systems."""
        found: list[dict[str, Any]] = self.control("GET", "/double-effects")["double_effects"]
        return found

    def documents(self, number: str) -> list[tuple[str, str]]:
        """(verdict, state) of each received document with a number, oldest first."""
        rows = self.books.rows(
            "SELECT verdict, state FROM document WHERE direction = 'in' AND number = :number "
            "ORDER BY created_at, id",
            number=number,
        )
        return [(row["verdict"], row["state"]) for row in rows]

    def deliveries(self, number: str) -> dict[str, str]:
        """Target -> state of the deliveries of an order."""
        rows = self.books.rows(
            "SELECT d.target, d.state FROM delivery d JOIN document o ON o.id = d.document_id "
            "WHERE o.number = :number",
            number=number,
        )
        return {row["target"]: row["state"] for row in rows}

    def outcomes(self, number: str, target: str = "bc") -> list[str]:
        """How each try of an order at a target ended, in order."""
        rows = self.books.rows(
            "SELECT a.outcome FROM attempt a JOIN delivery d ON d.id = a.delivery_id "
            "JOIN document o ON o.id = d.document_id "
            "WHERE o.number = :number AND d.target = :target ORDER BY a.n",
            number=number,
            target=target,
        )
        return [row["outcome"] for row in rows]

    def seeded(self) -> bool:
        """Whether customers, items and stock are there."""
        return self.books.count("SELECT count(*) FROM reference") >= SNAPSHOTS

    def kill_hubs(self) -> None:
        """Kill -9 all hubs that run."""
        self.hub.kill()
        while self.replicas:
            self.replicas.pop().close()

    def close(self) -> None:
        """End everything, by its pid."""
        self.kill_hubs()
        self.hub.close()
        self.sandbox.kill()
        self.books.close()
        self._http.close()


@contextmanager
def world(
    folder: Path, addresses: Addresses, change: Change | None = None, **hub: Any
) -> Iterator[World]:
    """A world whose sandbox runs and whose hub has not been started.

    Args:
        folder: where everything of it is.
        addresses: the servers.
        change: changes the site.
        **hub: more of `HubProcess`.

    """
    for connection in _FOLDERS:
        for side in ("in", "out"):
            (folder / "folders" / connection / side).mkdir(parents=True)
    environment = {
        "NATS_URL": addresses.nats_url,
        "DATABASE_URL": addresses.database_url,
        "REDIS_URL": addresses.redis_url,
        "CROSSDOCK_DATA_DIR": str(folder),
        "CROSSDOCK_SHOPIFY_SECRET": SHOP_SECRET,
        "CROSSDOCK_EASYPOST_SECRET": CARRIER_SECRET,
        "CROSSDOCK_BC_CLIENT_SECRET": _BOOKS_SECRET,
        "CROSSDOCK_API_TOKEN": "a-token-of-this-test-and-no-other",
        "SANDBOX_URL": f"http://127.0.0.1:{free_port()}",
    }
    first = HubProcess(site_file(folder, change), folder / "hub.log", environment, **hub)
    made = World(folder, first, _sandbox(folder, first), Books(addresses))
    try:
        made.sandbox.start()
        yield made
    finally:
        made.close()


def _sandbox(folder: Path, hub: HubProcess) -> SandboxProcess:
    folders = folder / "folders"
    arguments = [
        "--port", hub.environment["SANDBOX_URL"].rpartition(":")[2],
        "--hub-url", hub.url,
        "--lakeside-inbox", str(folders / "lakeside" / "in"),
        "--lakeside-outbox", str(folders / "lakeside" / "out"),
        "--partner", f"acme={folders / 'acme-edi' / 'in'},{folders / 'acme-edi' / 'out'}",
        "--ship-seconds", "86400", "--acknowledge", "no",
        "--retry-seconds", ",".join(["0.2"] * 200),
    ]  # fmt: skip
    return SandboxProcess(folder / "sandbox", arguments)
