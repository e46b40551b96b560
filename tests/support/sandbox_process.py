"""A started sandbox process for tests: real HTTP, real files, killed by its pid."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]
START_SECONDS = 30.0
DEADLINE_SECONDS = 20.0


@dataclass
class SandboxProcess:
    """One sandbox; `start` again after `kill` to let it come back on the same data."""

    data: Path
    arguments: Sequence[str] = ()
    environment: dict[str, str] = field(default_factory=dict)
    ready: dict[str, Any] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None
    _token: str = ""

    def start(self) -> SandboxProcess:
        """Start it and wait for its ready line."""
        command = [sys.executable, "-m", "sandbox", "--data", str(self.data), *self.arguments]
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            process_group=0,
        )
        self.ready = json.loads(self._ready_line())
        self._token = ""
        return self

    def _ready_line(self) -> str:
        assert self.process is not None
        assert self.process.stdout is not None
        with selectors.DefaultSelector() as waiting:
            waiting.register(self.process.stdout, selectors.EVENT_READ)
            assert waiting.select(START_SECONDS), "the sandbox did not become ready"
        return self.process.stdout.readline()

    def kill(self) -> None:
        """Kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM; gives the exit status."""
        return self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> int:
        if self.process is None:
            return 0
        self.process.send_signal(number)
        status = self.process.wait(DEADLINE_SECONDS)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.process = None
        return status

    @property
    def address(self) -> str:
        """Where it listens."""
        return str(self.ready["address"])

    @property
    def company(self) -> str:
        """The address of the company in Business Central."""
        return f"{self.ready['business_central']}/companies({self.ready['company_id']})"

    def token(self) -> str:
        """A bearer token from its sign-in service."""
        if not self._token:
            form = {
                "grant_type": "client_credentials",
                "client_id": "crossdock",
                "client_secret": "sandbox-bc-secret-for-demo",
                "scope": "https://api.businesscentral.dynamics.com/.default",
            }
            answer = httpx.post(self.ready["token_url"], data=form)
            self._token = answer.raise_for_status().json()["access_token"]
        return self._token

    def books(self) -> httpx.Client:
        """A client of the company, signed in."""
        headers = {"Authorization": f"Bearer {self.token()}"}
        return httpx.Client(base_url=self.company, headers=headers, timeout=10)

    def control(self, method: str, path: str, **request: Any) -> Any:
        """Call a control endpoint and give its JSON."""
        answer = httpx.request(method, f"{self.ready['control']}{path}", timeout=30, **request)
        return answer.raise_for_status().json()

    def journal(self, **query: str | int) -> list[dict[str, Any]]:
        """The effects so far."""
        entries: list[dict[str, Any]] = self.control("GET", "/journal", params=query)["entries"]
        return entries
