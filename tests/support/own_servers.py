"""Servers of a test's own: each can be killed, stays away, and comes back with its data or without."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
from pathlib import Path

from canonical.errors import ConfigError
from hub.servers import binaries
from hub.servers.addresses import Addresses
from hub.servers.child import Child
from hub.servers.nats import Nats
from hub.servers.postgres import Postgres
from hub.servers.redis import Redis
from hub.settings.model import Servers
from tests.support.hub_world import Background
from tests.support.ports import free_port
from tests.support.waiting import wait_until


class OwnServers:
    """The three servers, each of which can be killed and stays away until it is started again."""

    def __init__(self, folder: Path) -> None:
        self._background = Background()
        settings, password = Servers(), secrets.token_urlsafe(16)
        nats = Nats(
            folder=folder / "nats",
            port=free_port(),
            password=password,
            program=binaries.nats_server(settings),
            sync_always=True,
            monitor_port=None,
        )
        programs = [binaries.postgres(settings, name) for name in ("postgres", "initdb")]
        postgres = Postgres(folder / "postgres", free_port(), password, *programs)
        redis = Redis(folder / "redis", free_port(), password, binaries.redis_server(settings))
        self.addresses = Addresses(nats.url, postgres.url, redis.url)
        self._children = {
            server.name: Child(server, folder / f"{server.name}.log", lambda _: None)
            for server in (nats, postgres, redis)
        }

    def start(self, *names: str) -> None:
        """Start servers and wait until they answer."""
        for name in names:
            wait_until(lambda name=name: self._started(name), 30, f"{name} starts")  # type: ignore[misc]

    def _started(self, name: str) -> bool:
        try:
            self._background.run(self._children[name].start)
        except ConfigError:  # PostgreSQL's orphans are still leaving
            return False
        return True

    def kill(self, name: str) -> None:
        """Kill -9 a server, if it runs; nobody starts it again."""
        child = self._children[name]

        async def kill() -> None:
            if child.pid is not None:
                os.kill(child.pid, signal.SIGKILL)
                await child.stop()  # before it is noticed and started again

        self._background.run(kill)

    def wipe(self, name: str) -> None:
        """Kill a server and lose its data; it starts again with nothing."""
        self.kill(name)
        shutil.rmtree(self._children[name].server.folder)
        self._children[name].server.folder.mkdir()

    def close(self) -> None:
        """Stop those that run."""
        for child in self._children.values():
            self._background.run(child.stop)
        self._background.close()
