"""The demo's processes: the sandbox and the hub, on free ports, in a folder of their own."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import signal
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from canonical.errors import ConfigError, Retryable

CONFIG = Path(__file__).parents[2] / "config" / "demo.yaml"
CROSSDOCK = (sys.executable, "-m", "dlq_tools.main")
"""The command line of this very environment."""
_MARK = ".crossdock-demo"
_START_SECONDS = 60.0
_STOP_SECONDS = 25.0
_SECRETS = {
    "CROSSDOCK_SHOPIFY_SECRET": "SANDBOX_SHOP_SECRET",
    "CROSSDOCK_EASYPOST_SECRET": "SANDBOX_CARRIER_SECRET",
    "CROSSDOCK_BC_CLIENT_SECRET": "SANDBOX_BC_CLIENT_SECRET",
}
"""Secrets that the hub and the emulated systems share; made anew for every demo."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where everything of one demo is."""

    root: Path

    def inbox(self, connection: str) -> Path:
        """Return where a partner drops files for the hub."""
        return self.root / "folders" / connection / "in"

    def outbox(self, connection: str) -> Path:
        """Return where the hub leaves files for a partner."""
        return self.root / "folders" / connection / "out"

    @property
    def sandbox(self) -> Path:
        """Return the sandbox's own folder, with the effects journal."""
        return self.root / "sandbox"


@dataclass(slots=True)
class World:
    """The running demo: two processes of ours and what they are called by."""

    places: Places
    environment: dict[str, str] = field(default_factory=dict)
    hub_url: str = ""
    sandbox_url: str = ""
    processes: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)
    prepared: bool = False
    """The folder is this demo's: one that was refused touches nothing of another's."""

    def prepare(self) -> None:
        """Make the folder.

        Raises:
            ConfigError: ``demo_running`` where an earlier demo still is at work, ``folder_in_use``.
        """
        prepare(self.places)
        self.prepared = True

    async def start(self) -> None:
        """Start the sandbox and the hub and wait until both can work; `prepare` came before.

        Raises:
            Retryable: ``demo_start_failed`` with the place of its log.
        """
        hub_port, sandbox_port = _free_ports(2)
        self.hub_url = f"http://127.0.0.1:{hub_port}"
        self.sandbox_url = f"http://127.0.0.1:{sandbox_port}"
        self.environment = _environment(self.places, self.sandbox_url, hub_port)
        await self._start_sandbox(sandbox_port)
        await self.start_hub()

    async def start_hub(self) -> None:
        """Start the hub; also after it was killed."""
        command = [*CROSSDOCK, "run", "--config", str(CONFIG)]
        self.processes["hub"] = await self._spawn("hub", command)
        self._remember()
        await self._until_ready("hub", f"{self.hub_url}/readyz")

    async def _start_sandbox(self, port: int) -> None:
        places = self.places
        command = [
            sys.executable, "-m", "sandbox", "--data", str(places.sandbox), "--port", str(port),
            "--hub-url", self.hub_url,
            "--lakeside-inbox", str(places.inbox("lakeside")),
            "--lakeside-outbox", str(places.outbox("lakeside")),
            "--ship-seconds", "1.0", "--carrier-seconds", "0.4",
            "--retry-seconds", "0.3,1,2,4,8,8,8",
        ]  # fmt: skip
        for name, connection in (("acme", "acme-edi"), ("northside", "northside-edi")):
            folders = f"{places.inbox(connection)},{places.outbox(connection)}"
            command += ["--partner", f"{name}={folders}"]
        self.processes["sandbox"] = await self._spawn("sandbox", command)
        self._remember()
        await self._until_ready("sandbox", f"{self.sandbox_url}/_control/idle")

    async def _spawn(self, name: str, command: list[str]) -> asyncio.subprocess.Process:
        log = (self.places.root / f"{name}.log").open("ab")
        try:
            return await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self.environment},
                start_new_session=True,  # its own group: a Ctrl-C here does not reach it
            )
        finally:
            log.close()

    async def _until_ready(self, name: str, url: str) -> None:
        log = self.places.root / f"{name}.log"
        async with httpx.AsyncClient(timeout=2) as client:
            for _ in range(int(_START_SECONDS * 10)):
                if self.processes[name].returncode is not None:
                    break
                with suppress(httpx.HTTPError):
                    if (await client.get(url)).is_success:
                        return
                await asyncio.sleep(0.1)
        raise Retryable("demo_start_failed", str(log), f"the {name} did not start; see its log")

    async def stop(self) -> None:
        """End both processes by their ids, the hub first; returns when they are gone."""
        for name in ("hub", "sandbox"):
            process = self.processes.pop(name, None)
            if process is not None:
                await _end(process)
        if self.prepared:
            self._remember()

    def write_environment(self) -> Path:
        """Write what a shell needs to use the CLI beside the demo; readable by its owner only."""
        path = self.places.root / "env"
        known = self.environment | {"CROSSDOCK_CONFIG": str(CONFIG)}
        lines = "".join(f"export {name}='{value}'\n" for name, value in known.items())
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(lines)
        return path

    def _remember(self) -> None:
        """Write down whom to end, should this process be killed."""
        pids = {name: process.pid for name, process in self.processes.items()}
        (self.places.root / "pids.json").write_text(json.dumps(pids))


def prepare(places: Places) -> None:
    """Make an empty folder for a demo; a folder that is not a demo's is left alone.

    Raises:
        ConfigError: ``demo_running`` or ``folder_in_use``.
    """
    root = places.root
    if root.exists() and any(root.iterdir()) and not (root / _MARK).exists():
        raise ConfigError("folder_in_use", str(root), "expected an empty folder or an old demo")
    for name, pid in _earlier(root).items():
        if _alive(pid, "sandbox" if name == "sandbox" else "dlq_tools.main"):
            raise ConfigError("demo_running", str(root), "stop it first: crossdock demo --stop")
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    (root / _MARK).touch()
    for connection in ("acme-edi", "northside-edi", "lakeside"):
        places.inbox(connection).mkdir(parents=True)
        places.outbox(connection).mkdir(parents=True)


async def stop_kept(places: Places) -> list[str]:
    """End the processes of a demo that was kept; return their names."""
    ended = []
    for name, pid in _earlier(places.root).items():
        if _alive(pid, "sandbox" if name == "sandbox" else "dlq_tools.main"):
            os.kill(pid, signal.SIGTERM)
            for _ in range(int(_STOP_SECONDS * 10)):
                if not _alive(pid, ""):
                    break
                await asyncio.sleep(0.1)
            ended.append(name)
    (places.root / "pids.json").unlink(missing_ok=True)
    return ended


def _earlier(root: Path) -> Mapping[str, int]:
    with suppress(OSError, ValueError):
        return {str(k): int(v) for k, v in json.loads((root / "pids.json").read_text()).items()}
    return {}


def _alive(pid: int, word: str) -> bool:
    """Tell whether a process lives and is what we think: a pid alone may be another's by now."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z" and word in command


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _environment(places: Places, sandbox_url: str, hub_port: int) -> dict[str, str]:
    shared = {name: secrets.token_urlsafe(32) for name in _SECRETS}
    return {
        **shared,
        **{theirs: shared[ours] for ours, theirs in _SECRETS.items()},
        "SANDBOX_URL": sandbox_url,
        "CROSSDOCK_DATA_DIR": str(places.root),
        "CROSSDOCK_HTTP__PORT": str(hub_port),
        "CROSSDOCK_API_TOKEN": secrets.token_urlsafe(32),
    }


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
