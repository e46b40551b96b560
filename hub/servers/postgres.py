"""PostgreSQL on TCP, with SCRAM passwords and everything durable.

TCP and not a socket file: a socket's path may have 107 bytes, a data folder's path more.
"""

from __future__ import annotations

import shutil
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import asyncpg

from canonical.errors import ConfigError
from hub.servers import processes
from hub.servers.ports import LOOPBACK
from hub.servers.server import PING_SECONDS, Run, write_private

USER = "crossdock"
DATABASE = "crossdock"
_OPTIONS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "100",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "log_checkpoints": "off",
    # A statement in the log would carry what the documents say.
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
}


def url(port: int, password: str) -> str:
    """How clients reach the embedded server on `port`."""
    return f"postgresql://{USER}:{password}@{LOOPBACK}:{port}/{DATABASE}"


@dataclass(frozen=True, slots=True)
class Postgres:
    """The ledger's database server."""

    folder: Path
    port: int
    password: str
    program: Path
    initdb: Path
    name: ClassVar[str] = "postgres"
    # "Fast": ends sessions and writes a checkpoint; SIGTERM would wait for clients to leave.
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT
    refuses_root: ClassVar[bool] = True

    @property
    def url(self) -> str:
        """How clients reach it, with its password."""
        return url(self.port, self.password)

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own data directory."""
        return self.folder / "cluster"

    async def prepare(self, run: Run) -> None:
        """Make the cluster with initdb, unless an earlier run finished doing so."""
        if self.cluster.exists():
            self._forget_dead_postmaster()
            return
        draft = self.folder / "cluster.new"
        shutil.rmtree(draft, ignore_errors=True)  # of a run that was killed
        password_file = self.folder / "password"
        write_private(password_file, self.password)
        await run(
            [
                str(self.initdb),
                f"--pgdata={draft}",
                f"--username={USER}",
                "--auth=scram-sha-256",
                f"--pwfile={password_file}",
                "--encoding=UTF8",
                # The same order of text on every machine.
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--locale=C",
            ]
        )
        password_file.unlink()
        draft.rename(self.cluster)

    def _forget_dead_postmaster(self) -> None:
        """Remove a pid file whose pid is another program's now (usual in restarted containers).

        PostgreSQL would take that program for a second server and refuse to start.
        """
        if processes.postmaster(self.cluster) is None:
            (self.cluster / "postmaster.pid").unlink(missing_ok=True)

    def command(self) -> list[str]:
        """The command that runs it in the foreground."""
        options = [f"--{name}={value}" for name, value in _OPTIONS.items()]
        return [str(self.program), "-D", str(self.cluster), "-p", str(self.port), *options]

    async def ready(self) -> bool:
        """Connect, and make our database where there is none yet."""
        try:
            await self._ensure_database()
        except asyncpg.InvalidPasswordError as error:
            detail = "it was made with another password than servers.json says"
            raise ConfigError("server_password_wrong", str(self.folder), detail) from error
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        return True

    async def _ensure_database(self) -> None:
        connection = await asyncpg.connect(
            host=LOOPBACK,
            port=self.port,
            user=USER,
            password=self.password,
            database="postgres",
            ssl=False,
            timeout=PING_SECONDS,
            command_timeout=PING_SECONDS,
        )
        try:
            query = "SELECT 1 FROM pg_database WHERE datname = $1"
            if not await connection.fetchval(query, DATABASE):
                await connection.execute(f'CREATE DATABASE "{DATABASE}"')
        finally:
            await connection.close(timeout=PING_SECONDS)
