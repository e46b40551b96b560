"""A hub in one process around the paper connector, whose mappings a test breaks and repairs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nats as nats_client
import sqlalchemy as sa
import typer
from nats.aio.client import Client
from sqlalchemy.ext.asyncio import AsyncEngine
from typer.testing import CliRunner, Result

from connectors.base import Receipt
from hub import topology
from hub.archive import Archive
from hub.clock import Clock, SystemClock
from hub.dead_letters.runner import ReplayRunner
from hub.delivery.role import DeliverRole
from hub.intake.store import ReceiptStore
from hub.jobs import Jobs, Scheduled
from hub.ledger import account
from hub.ledger.engine import open_engine
from hub.ledger.tables import dead_letter
from hub.ledger.turns import Turns
from hub.normalize.resubmit import Resubmitter
from hub.normalizer import NormalizeRole
from hub.pipeline import Parts, Pipeline
from hub.publisher import Publisher
from hub.relay import Relay
from hub.seen import Seen
from hub.servers.addresses import Addresses
from hub.settings.model import Site, Workers
from hub.telemetry.metrics import Metrics
from hub.telemetry.tracing import Tracing
from hub.workers.pool import WorkerPool
from hub.workers.spec import WorkerSpec
from tests.support.deliveries import ScriptedTarget, parts, spec
from tests.support.waiting import wait_for

SITE = Site.model_validate(
    {
        "control_points": {"reference": "bc", "enabled": []},
        "partners": {
            "acme": {"name": "Acme", "customer_number": "C10010"},
            "contoso": {"name": "Contoso"},
        },
        "connections": {
            "desk": {"system": "paper", "partner": "acme", "transport": {"kind": "webhook"}},
            "bc": {
                "system": "business_central",
                "partner": "contoso",
                "transport": {"kind": "poll"},
            },
        },
        "routes": [{"entity": "order", "to": "bc", "action": "create_order", "flow": "note"}],
    }
)
ONE = Workers(processes=1)


@dataclass(frozen=True)
class Servers:
    """A ledger, streams and an archive, that outlive every hub of a test."""

    engine: AsyncEngine
    client: Client
    archive: Archive
    target: ScriptedTarget

    @property
    def store(self) -> ReceiptStore:
        """The way into INTAKE."""
        js = self.client.jetstream()
        return ReceiptStore(js, Publisher(self.client, js))

    def runner(self, versions: frozenset[str] = frozenset()) -> ReplayRunner:
        """The replay jobs' runner, as a hub that has just been started has it."""
        return ReplayRunner(self.engine, SystemClock(), versions, lambda _target: None)

    def resubmitter(self) -> Resubmitter:
        """The job, as a hub that has just been started has it."""
        return Resubmitter(self.engine, self.archive, self.store, SystemClock())

    async def letters(self, **where: Any) -> list[dict[str, Any]]:
        """The dead letters that fit, the oldest first."""
        query = sa.select(dead_letter).order_by(dead_letter.c.opened_at, dead_letter.c.position)
        query = query.where(*(dead_letter.c[name] == value for name, value in where.items()))
        async with self.engine.connect() as ledger:
            return [dict(row) for row in (await ledger.execute(query)).mappings()]

    async def balance(self) -> account.Balance:
        """The account of everything that was received."""
        async with self.engine.connect() as ledger:
            return (await account.balances(ledger))["total"]

    async def take_in(self, receipt: Receipt) -> None:
        """Store a receipt as a transport would."""
        await self.store.save(receipt)

    async def until_letters(self, count: int, **where: Any) -> list[dict[str, Any]]:
        """Wait until so many letters fit."""

        async def there() -> bool:
            return len(await self.letters(**where)) == count

        await wait_for(there, deadline=30, what=f"{count} letters {where}")
        return await self.letters(**where)


@asynccontextmanager
async def servers(addresses: Addresses, folder: Path) -> AsyncIterator[Servers]:
    """Open them."""
    engine = open_engine(addresses.database_url)
    client = await nats_client.connect(addresses.nats_url)
    archive = Archive(folder / "archive")
    await topology.declare(client.jetstream(), "ledger-1", topology.Sizes())
    try:
        yield Servers(engine, client, archive, ScriptedTarget())
    finally:
        await client.close()
        await engine.dispose()
        archive.close()


@asynccontextmanager
async def hub(
    at: Servers, mappings: WorkerSpec, *, delivering: bool = True, clock: Clock | None = None
) -> AsyncIterator[None]:
    """Run the hub's normalize and deliver roles and the replay job, with these mappings."""
    stop, clock = asyncio.Event(), clock or SystemClock()
    js = at.client.jetstream()
    publisher = Publisher(at.client, js)
    async with AsyncExitStack() as stack:
        workers = await stack.enter_async_context(WorkerPool(mappings, ONE))
        pipeline = Pipeline(
            Parts(
                SITE,
                at.engine,
                workers,
                Relay(at.engine, publisher),
                at.archive,
                Seen(None, clock),
                clock,
                Tracing(Metrics()),
            )
        )
        replay = Scheduled(0.05, at.resubmitter().run)
        letters = Scheduled(0.05, at.runner().run)
        both = {"replay": replay, "letters": letters}
        turns = Turns(at.engine)
        stack.push_async_callback(turns.close)
        jobs = Jobs(turns, both, Metrics().job_failures, clock)
        runs = [
            NormalizeRole(at.client, js, at.store, pipeline).run(stop),
            jobs.run(stop),
        ]
        if delivering:
            runs.append(DeliverRole(spec(at.target), parts(at.engine, clock=clock)).run(stop))
        tasks = [asyncio.ensure_future(run) for run in runs]
        try:
            yield
        finally:
            stop.set()
            async with asyncio.timeout(30):
                await asyncio.gather(*tasks)


@asynccontextmanager
async def replaying(at: Servers, versions: frozenset[str] = frozenset()) -> AsyncIterator[None]:
    """Run the replay jobs alone, as a hub's role `jobs` does."""
    stop = asyncio.Event()
    letters = Scheduled(0.02, at.runner(versions).run)
    turns = Turns(at.engine)
    jobs = Jobs(turns, {"letters": letters}, Metrics().job_failures, SystemClock())
    task = asyncio.ensure_future(jobs.run(stop))
    try:
        yield
    finally:
        stop.set()
        async with asyncio.timeout(30):
            await task
        await turns.close()


@dataclass(frozen=True)
class Shell:
    """A person's shell beside the hub: runs commands of `app` on a site."""

    app: typer.Typer
    environment: dict[str, str]

    async def run(self, *arguments: str) -> Result:
        """Run a command without a terminal."""

        def invoke() -> Result:
            return CliRunner().invoke(self.app, list(arguments), env=self.environment)

        return await asyncio.to_thread(invoke)

    async def json(self, *arguments: str) -> Any:
        """Run a command that must succeed; its JSON."""
        result = await self.run(*arguments, "--output", "json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)


def shell(app: typer.Typer, folder: Path, addresses: Addresses) -> Shell:
    """A shell on a site whose servers are these."""
    path = folder / "site.yaml"
    path.write_text(
        f"""
data_dir: {folder}
servers:
  nats_url: env:DEAD_LETTERS_NATS
  database_url: env:DEAD_LETTERS_DATABASE
  redis_url: env:DEAD_LETTERS_REDIS
  allow_private_networks: true
control_points: {{reference: bc, enabled: []}}
partners:
  acme: {{name: Acme}}
  contoso: {{name: Contoso}}
connections:
  bc:
    system: business_central
    partner: contoso
    transport: {{kind: poll}}
    options:
      base_url: http://127.0.0.1:1/api/v2.0
      company_id: e160007b-5faa-5628-bfda-1df6a9c51cd4
      token_url: http://127.0.0.1:1/token
      client_id: crossdock
      client_secret: env:DEAD_LETTERS_SECRET
    limits: {{timeout_seconds: 2}}
    bindings: {{currency: USD, site: MAIN, units: {{PCS: EA}}}}
"""
    )
    environment = {
        "CROSSDOCK_CONFIG": str(path),
        "DEAD_LETTERS_NATS": addresses.nats_url,
        "DEAD_LETTERS_DATABASE": addresses.database_url,
        "DEAD_LETTERS_REDIS": addresses.redis_url,
        "DEAD_LETTERS_SECRET": "s3cret-of-nobody",
    }
    return Shell(app, environment)
