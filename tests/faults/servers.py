"""NATS, PostgreSQL and Redis of a campaign: killed, stopped and wiped while hubs are at work."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from tests.support import own_servers
from tests.support.waiting import wait_until

NAMES = ("nats", "postgres", "redis")
_START_SECONDS = 90


class OwnServers(own_servers.OwnServers):
    """Servers that can also be stopped in their tracks."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        urls = (self.addresses.nats_url, self.addresses.database_url, self.addresses.redis_url)
        parts = [urlsplit(url) for url in urls]
        self.ports = {name: part.port or 0 for name, part in zip(NAMES, parts, strict=True)}
        self.secrets = tuple({part.password for part in parts if part.password})

    def start(self, *names: str) -> None:
        """Start servers (all, if none is named) that do not run, and wait until they answer."""
        for name in names or NAMES:
            wait_until(lambda name=name: self._started(name), _START_SECONDS, f"{name} starts")  # type: ignore[misc]

    def _started(self, name: str) -> bool:
        return self._children[name].pid is not None or super()._started(name)

    def freeze(self, name: str) -> None:
        """SIGSTOP the server with all its processes."""
        for process in self.family(name):
            with suppress(psutil.NoSuchProcess):
                process.suspend()

    def thaw(self, name: str) -> None:
        """SIGCONT them."""
        for process in self.family(name):
            with suppress(psutil.NoSuchProcess):
                process.resume()

    def family(self, name: str) -> list[psutil.Process]:
        """All processes of a server that runs."""
        pid = self._children[name].pid
        if pid is None:
            return []
        with suppress(psutil.NoSuchProcess):
            head = psutil.Process(pid)
            return [head, *head.children(recursive=True)]
        return []

    def close(self) -> None:
        """Stop those that run."""
        for name in NAMES:
            self.thaw(name)
        super().close()
