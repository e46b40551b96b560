"""One supervised server process: started, waited for, started again when it dies, stopped.

Codes: ``server_failed`` (it ended at once), ``server_slow`` (not ready before the deadline).
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

import structlog

from canonical.errors import ConfigError
from hub.servers.server import Server

_log = structlog.get_logger(__name__)

READY_SECONDS = 60.0
"""Longest start: PostgreSQL may first have to replay its log after a crash."""
_STOP_SECONDS = 20.0
_POLL_SECONDS = 0.02
_BACK_OFF_SECONDS = (0.05, 0.2, 0.5, 1, 2, 5)
_STEADY_SECONDS = 30.0
"""A server that ran this long before it died starts again without a wait."""
_LOG_BYTES = 10_000_000
_LAUNCHER = Path(__file__).with_name("launch.py")
# Nothing else of our environment reaches a server: it holds the site's secrets.
_PASSED_ON = ("PATH", "HOME", "TMPDIR", "TZ", "LD_LIBRARY_PATH", "CROSSDOCK_NO_NAMESPACE")


class Child:
    """A server and its process.

    Args:
        server: what to run.
        log_file: where its output goes, appended.
        on_spawn: told the pid of every process, as soon as there is one.

    """

    def __init__(self, server: Server, log_file: Path, on_spawn: Callable[[int], None]) -> None:
        self.server = server
        self.restarts = 0
        self._log_file = log_file
        self._on_spawn = on_spawn
        self._process: Process | None = None
        self._watch: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process id, while it runs."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if self._process is not None and running else None

    async def start(self) -> None:
        """Start the server, wait until it answers, and watch it from then on.

        Raises:
            ConfigError: ``server_failed``, ``server_slow``, or what the server says.

        """
        self.server.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._rotate_log()
        await self.server.prepare(self._run)
        try:
            await self._start_once()
        except BaseException:
            await self.stop()
            raise
        self._watch = asyncio.create_task(self._keep_running(), name=f"{self.server.name} watch")

    async def stop(self) -> None:
        """Stop the server, politely at first; may be called twice."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
            self._watch = None
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.send_signal(self.server.stop_signal)
        try:
            await asyncio.wait_for(process.wait(), _STOP_SECONDS)
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _start_once(self) -> None:
        self._process = process = await self._spawn(self.server.command())
        self._on_spawn(process.pid)
        try:
            async with asyncio.timeout(READY_SECONDS):
                await self._until_ready(process)
        except TimeoutError as error:
            raise ConfigError("server_slow", str(self._log_file), self.server.name) from error

    async def _until_ready(self, process: Process) -> None:
        while not await self.server.ready():
            if process.returncode is not None:
                self._raise_failed(self.server.name, process.returncode)
            await asyncio.sleep(_POLL_SECONDS)

    async def _keep_running(self) -> None:
        failures = 0
        clock = asyncio.get_running_loop().time
        while self._process is not None:
            since = clock()
            status = await self._process.wait()
            failures = 0 if clock() - since > _STEADY_SECONDS else failures
            wait = _BACK_OFF_SECONDS[min(failures, len(_BACK_OFF_SECONDS) - 1)]
            _log.warning("server_died", server=self.server.name, status=status)
            failures += 1
            self.restarts += 1
            await asyncio.sleep(wait)
            await self._start_again()

    async def _start_again(self) -> None:
        try:
            await self.server.prepare(self._run)
            await self._start_once()
        except Exception as error:  # whatever it is: the watch goes on
            _log.error("server_not_started", server=self.server.name, reason=str(error))
            process = self._process
            if process is not None and process.returncode is None:
                process.kill()  # slow or not ours to use: the next round starts afresh

    async def _run(self, command: Sequence[str]) -> None:
        """Run a command of the server's preparation to its end."""
        process = await self._spawn(command)
        try:
            status = await asyncio.wait_for(process.wait(), READY_SECONDS)
        except BaseException:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            raise
        if status != 0:
            self._raise_failed(Path(command[0]).name, status)

    async def _spawn(self, command: Sequence[str]) -> Process:
        server = self.server
        with self._open_log() as log:
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(_LAUNCHER)),
                *(str(os.getpid()), str(int(server.stop_signal))),
                str(server.folder) if server.refuses_root else "",
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=server.folder,
                env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
                # Its own session: Ctrl-C in a terminal reaches the hub alone, which then stops
                # its servers in order.
                start_new_session=True,
            )

    def _open_log(self) -> IO[bytes]:
        self._log_file.touch(mode=0o600)
        return self._log_file.open("ab")

    def _rotate_log(self) -> None:
        if self._log_file.exists() and self._log_file.stat().st_size > _LOG_BYTES:
            self._log_file.replace(self._log_file.with_suffix(".log.1"))

    def _raise_failed(self, program: str, status: int) -> None:
        name = signal.Signals(-status).name if status < 0 else f"status {status}"
        raise ConfigError("server_failed", str(self._log_file), f"{program} ended with {name}")
