"""Three NATS servers as one cluster on loopback, each of which can be killed and started again."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hub.servers import binaries
from hub.settings.model import Servers
from tests.support.ports import free_port
from tests.support.waiting import wait_until

_SIZE = 3


@dataclass
class Node:
    """One server."""

    name: str
    folder: Path
    port: int = field(default_factory=free_port)
    route: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """How clients reach it."""
        return f"nats://127.0.0.1:{self.port}"

    def configure(self, routes: list[int]) -> None:
        """Write its configuration; the server's language is a superset of JSON."""
        self.folder.mkdir(parents=True)
        said = {
            "server_name": self.name,
            "listen": f"127.0.0.1:{self.port}",
            "max_payload": 8 * 1024 * 1024,
            "jetstream": {"store_dir": str(self.folder), "sync_interval": "always"},
            "cluster": {
                "name": "crossdock",
                "listen": f"127.0.0.1:{self.route}",
                "routes": [f"nats://127.0.0.1:{port}" for port in routes],
            },
        }
        (self.folder / "nats.conf").write_text(json.dumps(said))

    def start(self) -> None:
        """Start it, with the data that it left."""
        program = str(binaries.nats_server(Servers()))
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [program, "--config", str(self.folder / "nats.conf")], stdout=log, stderr=log
            )

    def ready(self) -> bool:
        """Whether it takes clients."""
        return "Server is ready" in (self.folder / "log").read_text("utf-8", "replace")

    def kill(self) -> None:
        """Kill -9, if it runs."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@dataclass
class Cluster:
    """The three."""

    nodes: list[Node]

    @property
    def url(self) -> str:
        """All of them, comma separated."""
        return ",".join(node.url for node in self.nodes)

    def named(self, name: str) -> Node:
        """The node of a name."""
        return next(node for node in self.nodes if node.name == name)


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """A cluster that runs until the block ends."""
    made = Cluster([Node(f"n{i}", folder / f"n{i}") for i in range(_SIZE)])
    routes = [node.route for node in made.nodes]
    try:
        for node in made.nodes:
            node.configure(routes)
            node.start()
        wait_until(lambda: all(node.ready() for node in made.nodes), 30, "the cluster is ready")
        yield made
    finally:
        for node in made.nodes:
            node.kill()
