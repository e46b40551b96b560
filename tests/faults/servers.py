"""NATS, PostgreSQL and Redis of a campaign: on ports and in folders of their own, killed by pid."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
from contextlib import suppress
from pathlib import Path

import psutil

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

NAMES = ("nats", "postgres", "redis")
_START_SECONDS = 60


class OwnServers:
    """The three servers, each of which can be killed and stays away until it is started again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._background = Background()
        settings, password = Servers(), secrets.token_urlsafe(16)
        programs = [binaries.postgres(settings, name) for name in ("postgres", "initdb")]
        nats = Nats(
            folder=folder / "nats",
            port=free_port(),
            password=password,
            program=binaries.nats_server(settings),
            sync_always=True,
            monitor_port=None,
        )
        postgres = Postgres(folder / "postgres", free_port(), password, *programs)
        redis = Redis(folder / "redis", free_port(), password, binaries.redis_server(settings))
        self.ports = {"nats": nats.port, "postgres": postgres.port, "redis": redis.port}
        self.addresses = Addresses(nats.url, postgres.url, redis.url)
        self.secrets = (password,)
        self._children = {
            server.name: Child(server, folder / f"{server.name}.log", lambda _: None)
            for server in (nats, postgres, redis)
        }

    def start(self, *names: str) -> None:
        """Start servers and wait until they answer."""
        for name in names or NAMES:
            wait_until(lambda name=name: self._started(name), _START_SECONDS, f"{name} starts")  # type: ignore[misc]

    def _started(self, name: str) -> bool:
        if self._children[name].pid is not None:
            return True
        try:
            self._background.run(self._children[name].start)
        except ConfigError:  # PostgreSQL's orphans are still leaving
            return False
        return True

    def kill(self, name: str) -> None:
        """Kill -9 a server, if it runs; nobody starts it again before `start`."""
        child = self._children[name]

        async def kill() -> None:
            if child.pid is not None:
                os.kill(child.pid, signal.SIGKILL)
                await child.stop()  # before it is noticed and started again

        self._background.run(kill)

    def freeze(self, name: str) -> None:
        """SIGSTOP the server with all its processes."""
        for process in self._family(name):
            with suppress(psutil.NoSuchProcess):
                process.suspend()

    def thaw(self, name: str) -> None:
        """SIGCONT them."""
        for process in self._family(name):
            with suppress(psutil.NoSuchProcess):
                process.resume()

    def wipe(self, name: str) -> None:
        """Forget everything that a killed server had on disk."""
        shutil.rmtree(self._folder / name)

    def _family(self, name: str) -> list[psutil.Process]:
        pid = self._children[name].pid
        if pid is None:
            return []
        with suppress(psutil.NoSuchProcess):
            head = psutil.Process(pid)
            return [head, *head.children(recursive=True)]
        return []

    def close(self) -> None:
        """Stop those that run."""
        for name, child in self._children.items():
            self.thaw(name)
            self._background.run(child.stop)
        self._background.close()
