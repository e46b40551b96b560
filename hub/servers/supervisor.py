"""Starts the servers that the site names no URL for, keeps them running, stops them in order.

Under the data folder: ``nats/``, ``postgres/``, ``redis/`` (data and configuration),
``servers.json`` (ports, password, process ids), ``servers.lock``, and a log of each server.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from canonical.errors import ConfigError
from hub.servers import addresses, binaries, ports, processes, state
from hub.servers.addresses import Addresses
from hub.servers.child import Child
from hub.servers.lock import DataDirLock
from hub.servers.nats import Nats
from hub.servers.postgres import Postgres
from hub.servers.redis import Redis
from hub.servers.server import Server
from hub.settings.model import Servers

STOP_ORDER = ("redis", "nats", "postgres")
"""The ledger goes last: the others may hold what it has not committed, never more."""
_PORT_TRIES = 3
_ORPHAN_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Status:
    """One embedded server, as it is now."""

    name: str
    port: int
    pid: int | None
    restarts: int


class EmbeddedServers:
    """``async with EmbeddedServers(data_dir, settings) as addresses``.

    Servers with a URL in the settings are left alone. The three others start at once, on the
    ports of the last run where these are free, and are started again when they die.

    Raises:
        ConfigError: ``data_dir_in_use`` where another process runs the servers of this folder;
            ``server_failed``, ``server_slow``, ``server_password_wrong``, ``binary_missing``,
            ``state_unreadable``, ``secret_unset``.

    """

    def __init__(self, data_dir: Path, settings: Servers) -> None:
        self._data_dir = data_dir.absolute()
        self._settings = settings
        self._lock = DataDirLock(self._data_dir)
        self._state = state.State(password="")
        self._children: dict[str, Child] = {}

    def refuse_a_second(self) -> None:
        """Refuse to begin where another process runs the servers of this folder.

        Raises:
            ConfigError: ``data_dir_in_use``.

        """
        if self._missing():
            self._lock.refuse_a_second()

    def _missing(self) -> list[str]:
        given = addresses.given_urls(self._settings)
        return [name for name in STOP_ORDER if name not in given]

    async def __aenter__(self) -> Addresses:
        given = addresses.given_urls(self._settings)
        if missing := self._missing():
            await self._start(missing)
        started = {name: child.server.url for name, child in self._children.items()}
        return addresses.of_urls(given | started)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for name in STOP_ORDER:
            if name in self._children:
                await self._children.pop(name).stop()
        self._lock.release()

    def statuses(self) -> list[Status]:
        """The servers that run here; none before the start and after the stop."""
        return [
            Status(name, child.server.port, child.pid, child.restarts)
            for name, child in self._children.items()
        ]

    async def _start(self, names: Sequence[str]) -> None:
        self._data_dir.mkdir(parents=True, exist_ok=True)
        await asyncio.to_thread(self._lock.take)
        try:
            await asyncio.to_thread(self._recall, names)
            starts = [asyncio.create_task(self._start_one(name)) for name in names]
            # All run to their end, so that none is left starting while the others stop.
            results = await asyncio.gather(*starts, return_exceptions=True)
            _raise_first(results)
        except BaseException:
            await self.__aexit__(None, None, None)
            raise

    def _recall(self, names: Sequence[str]) -> None:
        """Take up the last run's ports and password, and end what it left running."""
        known = state.read(self._data_dir) or state.State(password=secrets.token_urlsafe(24))
        _end_orphans(self._data_dir, known)
        chosen = dict(known.ports)
        fresh = ports.free_ports(len(names))
        for name, port in zip(names, fresh, strict=True):
            if name not in chosen or not ports.is_free(chosen[name]):
                chosen[name] = port
        self._remember(state.State(password=known.password, ports=chosen))

    async def _start_one(self, name: str) -> None:
        for tries_left in reversed(range(_PORT_TRIES)):
            port = self._state.ports[name]
            server = self._make(name, port)
            child = Child(server, self._data_dir / f"{name}.log", self._spawned(name))
            try:
                await child.start()
            except ConfigError as error:
                # Between our choice and its start another program may have taken the port.
                if tries_left == 0 or error.code != "server_failed" or ports.is_free(port):
                    raise
                self._move(name)
            else:
                self._children[name] = child
                return

    def _make(self, name: str, port: int) -> Server:
        folder, password, settings = self._data_dir / name, self._state.password, self._settings
        if name == "postgres":
            programs = (binaries.postgres(settings, each) for each in ("postgres", "initdb"))
            return Postgres(folder, port, password, *programs)
        if name == "redis":
            return Redis(folder, port, password, binaries.redis_server(settings))
        program = binaries.nats_server(settings)
        sync, monitor = settings.sync_always, settings.nats_monitor_port
        return Nats(folder, port, password, program, sync, monitor)

    def _move(self, name: str) -> None:
        moved = self._state.ports | {name: ports.free_ports(1)[0]}
        self._remember(self._state.model_copy(update={"ports": moved}))

    def _spawned(self, name: str) -> Callable[[int], None]:
        def note(pid: int) -> None:
            running = self._state.processes | {name: processes.mark(pid)}
            self._remember(self._state.model_copy(update={"processes": running}))

        return note

    def _remember(self, known: state.State) -> None:
        state.write(self._data_dir, known)
        self._state = known


def _raise_first(results: Sequence[BaseException | None]) -> None:
    for result in results:
        if result is not None:
            raise result


def _end_orphans(data_dir: Path, known: state.State) -> None:
    """End servers that a killed hub left on this folder; never a process that is not its own."""
    signals = {"postgres": Postgres.stop_signal, "nats": Nats.stop_signal}
    for name, mark in known.processes.items():
        orphan = processes.find(mark)
        if orphan is not None:
            processes.end(orphan, signals.get(name, Redis.stop_signal), _ORPHAN_SECONDS)
    postmaster = processes.postmaster(data_dir / "postgres" / "cluster")
    if postmaster is not None:
        processes.end(postmaster, Postgres.stop_signal, _ORPHAN_SECONDS)
