"""A started hub for tests: the real command line on real servers, ended by its pid."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import yaml

from hub.failpoints import VARIABLE
from tests.support.ports import free_port
from tests.support.processes import python_path
from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ("-m", "dlq_tools.main")
"""What the console script `crossdock` runs."""

START_SECONDS = 60.0
END_SECONDS = 40.0

Change = Callable[[dict[str, Any]], None]
"""Changes the site before it is written."""


@dataclass
class HubProcess:
    """One process of the hub; `start` again after it ended, with a failpoint or without."""

    config: Path
    log_file: Path
    environment: Mapping[str, str]
    port: int = field(default_factory=free_port)
    program: Sequence[str] = PROGRAM
    process: subprocess.Popen[bytes] | None = None
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=10))
    _began: int = 0
    """Where the log of the last start begins."""

    @property
    def url(self) -> str:
        """Where its HTTP side listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process that runs, or ran last."""
        assert self.process is not None
        return self.process.pid

    def start(self, failpoint: str = "", *, wait: bool = True) -> HubProcess:
        """Start it; with `wait`, until it can do its work or has died of its failpoint."""
        environment = {**os.environ, "PYTHONPATH": python_path(), **self.environment}
        environment |= {VARIABLE: failpoint, "CROSSDOCK_HTTP__PORT": str(self.port)}
        self._began = len(self.log())
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *self.program, "run", "--config", str(self.config)],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
            )
        if wait:
            self.wait_until_ready()
            assert self.alive or failpoint, f"the hub ended at its start: {self.log()[-2000:]}"
        return self

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self.process is not None and self.process.poll() is None

    def wait_until_ready(self) -> None:
        """Wait until it can do its work, or has ended."""
        wait_until(lambda: self.ready() or not self.alive, START_SECONDS, "the hub is ready")

    def ready(self) -> bool:
        """Whether it says that it can do its work."""
        return self.ask("/readyz") == 200

    def ask(self, path: str) -> int:
        """The status that a GET brings; 0: no answer."""
        try:
            return self.http.get(f"{self.url}{path}").status_code
        except httpx.HTTPError:
            return 0

    def metrics(self) -> str:
        """What it exposes to Prometheus."""
        return self.http.get(f"{self.url}/metrics").raise_for_status().text

    def log(self) -> str:
        """Everything that it has written so far."""
        return self.log_file.read_text("utf-8", "replace") if self.log_file.exists() else ""

    def events(self, name: str) -> list[dict[str, Any]]:
        """The log lines of one event since the last start."""
        lines = (line for line in self.log()[self._began :].splitlines() if line.startswith("{"))
        return [entry for line in lines if (entry := json.loads(line)).get("event") == name]

    def worker_pids(self) -> set[int]:
        """Its worker processes that are alive."""
        return {child.pid for child in psutil.Process(self.pid).children(recursive=True)}

    def cpu_seconds(self) -> float:
        """Processor time of the process and its workers so far."""
        head = psutil.Process(self.pid)
        times = [each.cpu_times() for each in (head, *head.children(recursive=True))]
        return sum(each.user + each.system for each in times)

    def wait_for_death(self) -> None:
        """Wait until its failpoint has killed it; a hub that ended otherwise proves nothing."""
        assert self.process is not None
        status = self.process.wait(END_SECONDS)
        assert status == -signal.SIGKILL, f"ended with {status}: {self.log()[-2000:]}"

    def freeze(self) -> None:
        """SIGSTOP: it neither works nor knows that time passes."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        os.kill(self.pid, signal.SIGCONT)

    def terminate(self) -> int:
        """SIGTERM; the exit status."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(END_SECONDS)

    def kill(self) -> None:
        """Kill -9 the process, and nothing else, if it runs."""
        if self.process is not None and self.alive:
            self.process.kill()
            self.process.wait()

    def close(self) -> None:
        """Kill it, and forget the connections to it."""
        self.kill()
        self.http.close()


def site_file(folder: Path, change: Change | None = None) -> Path:
    """The demo's site in a file of the test's own: patient with targets, quick to look again."""
    site = yaml.safe_load((ROOT / "config" / "demo.yaml").read_text("utf-8"))
    site["retry"]["delays_seconds"] = [0.2, 0.5, *[1] * 40]
    site["workers"]["processes"] = 1
    site["connections"]["bc"]["limits"] |= {"timeout_seconds": 3, "breaker_seconds": 0.5}
    for name in ("acme-edi", "northside-edi", "lakeside"):
        limits = site["connections"][name].setdefault("limits", {})
        limits |= {"per_second": 500, "breaker_seconds": 0.5}
    if change is not None:
        change(site)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "site.yaml"
    path.write_text(yaml.safe_dump(site), "utf-8")
    return path
