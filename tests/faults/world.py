"""The world of a campaign: two hubs on one ledger, their servers, an ERP, a dock, and partners."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psutil
from nats.js import JetStreamContext

from hub import topology
from hub.servers.addresses import Addresses
from tests.faults.dock import Dock
from tests.faults.journal import Journal
from tests.faults.load import Load, Rates
from tests.faults.proxy import Proxy
from tests.faults.servers import NAMES, OwnServers
from tests.faults.site import FOLDERS, campaign_site
from tests.support.hub_process import PROGRAM, ROOT, HubProcess, site_file
from tests.support.hub_world import CARRIER_SECRET, SHOP_SECRET, Books
from tests.support.ports import free_port
from tests.support.processes import python_path
from tests.support.sandbox_process import SandboxProcess
from tests.support.waiting import wait_until

BC_SECRET = "sandbox-bc-secret-for-demo"  # noqa: S105  the sandbox's own default
API_TOKEN = "a-token-of-this-campaign-and-no-other"  # noqa: S105
SNAPSHOTS = 22
"""Customers, items and stock of the emulated company."""
_START_SECONDS = 240
_COMMAND_SECONDS = 180
TOO_LONG = 124
"""Status of a command that did not end, as timeout(1) has it."""


class World:
    """Everything that runs; `start` it, load it, strike it, `settle` it, `close` it."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.seed = seed
        self.servers = OwnServers(folder / "servers")
        self._proxies = asyncio.new_event_loop()
        self._proxying = threading.Thread(target=self._proxies.run_forever, daemon=True)
        self._proxying.start()
        for connection in FOLDERS:
            for side in ("in", "out"):
                (folder / "folders" / connection / side).mkdir(parents=True)
        self.sandbox = SandboxProcess(folder / "sandbox", ["--port", str(free_port())])
        ports = self.servers.ports | {"sandbox": int(self.sandbox.arguments[1])}
        self.links = {name: Proxy(port, self._proxies).start() for name, port in ports.items()}
        config = site_file(folder, campaign_site)
        direct = self._environment(ports)
        through = self._environment({name: proxy.port for name, proxy in self.links.items()})
        self.hubs = {
            "hub-a": HubProcess(config, folder / "hub-a.log", direct),
            "hub-b": HubProcess(config, folder / "hub-b.log", through),
        }
        self.partners = Journal(folder / "partners.jsonl")
        self.dock = Dock(folder / "folders" / "dock" / "out", Journal(folder / "dock.jsonl"))
        self._ends = threading.Event()
        self._docking = threading.Thread(target=self.dock.run, args=(self._ends,), daemon=True)
        self._books: Books | None = None

    def _environment(self, ports: dict[str, int]) -> dict[str, str]:
        own = self.servers.addresses
        urls = Addresses(
            _on_port(own.nats_url, ports["nats"]),
            _on_port(own.database_url, ports["postgres"]),
            _on_port(own.redis_url, ports["redis"]),
        )
        return {
            "NATS_URL": urls.nats_url,
            "DATABASE_URL": urls.database_url,
            "REDIS_URL": urls.redis_url,
            "CROSSDOCK_DATA_DIR": str(self.folder),
            "CROSSDOCK_SHOPIFY_SECRET": SHOP_SECRET,
            "CROSSDOCK_EASYPOST_SECRET": CARRIER_SECRET,
            "CROSSDOCK_BC_CLIENT_SECRET": BC_SECRET,
            "CROSSDOCK_API_TOKEN": API_TOKEN,
            "SANDBOX_URL": f"http://127.0.0.1:{ports['sandbox']}",
        }

    def secrets(self) -> Sequence[str]:
        """What must stand in no artefact of the hub."""
        return (SHOP_SECRET, CARRIER_SECRET, BC_SECRET, API_TOKEN, *self.servers.secrets)

    @property
    def books(self) -> Books:
        """The ledger and the streams, past all proxies."""
        if self._books is None:
            self._books = Books(self.servers.addresses)
        return self._books

    def forget_books(self) -> None:
        """Close the connections to servers that are about to die."""
        if self._books is not None:
            with suppress(Exception):
                self._books.close()
            self._books = None

    def start(self) -> None:
        """Start everything; returns when orders can be checked against customers and items."""
        self.servers.start()
        self.sandbox.start()
        self._docking.start()
        for name in self.hubs:
            self.start_hub(name)
        for hub in self.hubs.values():
            wait_until(hub.ready, _START_SECONDS, "a hub is ready")
        count = "SELECT count(*) FROM reference"
        wait_until(lambda: self.books.count(count) >= SNAPSHOTS, _START_SECONDS, "reference data")

    def load(self, rate: float) -> Load:
        """The partners, sending about so many documents a second."""
        urls = [hub.url for hub in self.hubs.values()]
        return Load(self.folder, self.partners, urls, self.seed, Rates.of(rate))

    def start_hub(self, name: str, failpoint: str = "") -> None:
        """Start a hub again, without waiting for it."""
        self.hubs[name].start(failpoint, wait=False)

    def mend(self) -> None:
        """Bring everything back that a strike may have left broken."""
        for proxy in self.links.values():
            proxy.behave("pass")
        for name in NAMES:
            self.servers.thaw(name)
        self.servers.start()
        self.start_sandbox()
        with suppress(Exception):
            self.sandbox.control("DELETE", "/misbehave")
        for name, hub in self.hubs.items():
            with suppress(Exception):
                hub.thaw()
            if not hub.alive:
                self.start_hub(name)

    def start_sandbox(self) -> None:
        """Start the ERP if it does not run."""
        process = self.sandbox.process
        if process is not None and process.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGCONT)
            return
        self.sandbox.start()

    def under_way(self) -> dict[str, int]:
        """What is not finished, by kind; empty when all has come to rest."""
        books = self.books
        found = {
            "receipts": books.in_hand(),
            "outbox": books.count("SELECT count(*) FROM outbox"),
            "documents": books.count("SELECT count(*) FROM document WHERE state = 'accepted'"),
            "deliveries": books.count(
                "SELECT count(*) FROM delivery "
                "WHERE state NOT IN ('delivered', 'dead', 'cancelled') OR claimed_until IS NOT NULL"
            ),
        }
        return {name: count for name, count in found.items() if count}

    def undecided(self) -> int:
        """How many receipts are stored, and not yet decided: what a wiped NATS would lose."""

        async def ask(js: JetStreamContext) -> int:
            info = await js.consumer_info(topology.INTAKE, topology.NORMALIZE)
            return (info.num_pending or 0) + (info.num_ack_pending or 0)

        return self.books.streams(ask)

    def command(self, *words: str) -> dict[str, Any]:
        """Run a command of the product as a person would, on the ledger of this world."""
        hub = self.hubs["hub-a"]
        try:
            run = subprocess.run(
                [sys.executable, *PROGRAM, *words, "--output", "json", "--config", str(hub.config)],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": python_path(), **hub.environment},
                capture_output=True,
                text=True,
                timeout=_COMMAND_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return {"status": TOO_LONG, "out": "", "errors": ""}
        return {"status": run.returncode, "out": run.stdout, "errors": run.stderr}

    def processes(self, hub: str) -> list[psutil.Process]:
        """The worker processes of a hub."""
        with suppress(psutil.NoSuchProcess):
            return psutil.Process(self.hubs[hub].pid).children(recursive=True)
        return []

    def close(self) -> None:
        """End everything, by its pid."""
        for hub in self.hubs.values():
            hub.close()
        with suppress(Exception):
            self.sandbox.kill()
        self._ends.set()
        if self._docking.ident is not None:
            self._docking.join(10)
        self.forget_books()
        for proxy in self.links.values():
            proxy.close()
        self._proxies.call_soon_threadsafe(self._proxies.stop)
        self._proxying.join(10)
        self._proxies.close()
        self.servers.close()
        self.partners.close()
        self.dock.journal.close()


def _on_port(url: str, port: int) -> str:
    parts = urlsplit(url)
    user = parts.netloc.rpartition("@")[0]
    return urlunsplit(parts._replace(netloc=f"{user}@127.0.0.1:{port}"))
