"""nats-server with JetStream on disk."""

from __future__ import annotations

import json
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import nats.errors
from nats.aio.client import Client as NATS  # noqa: N814 - as the library names it

from canonical.errors import ConfigError
from hub.servers.ports import LOOPBACK
from hub.servers.server import PING_SECONDS, Run, write_private

USER = "crossdock"
MAX_PAYLOAD = 8 * 1024 * 1024
"""The largest message; `hub.workers.reading` refuses documents that no event could carry."""
"""Bytes; the server's own advice for the most. Receipts go by claim check from 512 kB, but a
512 kB interchange can become several times that as a canonical document."""


def url(port: int, password: str) -> str:
    """How clients reach the embedded server on `port`."""
    return f"nats://{USER}:{password}@{LOOPBACK}:{port}"


@dataclass(frozen=True, slots=True)
class Nats:
    """The stream server; with `sync_always` a PubAck means that the message is on disk."""

    folder: Path
    port: int
    password: str
    program: Path
    sync_always: bool
    monitor_port: int | None
    name: ClassVar[str] = "nats"
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    refuses_root: ClassVar[bool] = False

    @property
    def url(self) -> str:
        """How clients reach it, with its password."""
        return url(self.port, self.password)

    async def prepare(self, _: Run) -> None:
        """Write its configuration."""
        write_private(
            self.folder / "nats.conf",
            json.dumps(self._configuration(), indent=2, ensure_ascii=False),
        )

    def _configuration(self) -> dict[str, Any]:
        # The server's configuration language is a superset of JSON.
        jetstream: dict[str, Any] = {"store_dir": str(self.folder)}
        if self.sync_always:
            jetstream["sync_interval"] = "always"
        configuration: dict[str, Any] = {
            "server_name": "crossdock",
            "listen": f"{LOOPBACK}:{self.port}",
            "max_payload": MAX_PAYLOAD,
            "jetstream": jetstream,
            "authorization": {"user": USER, "password": self.password},
        }
        if self.monitor_port is not None:
            configuration["http"] = f"{LOOPBACK}:{self.monitor_port}"
        return configuration

    def command(self) -> list[str]:
        """The command that runs it in the foreground."""
        return [str(self.program), "--config", str(self.folder / "nats.conf")]

    async def ready(self) -> bool:
        """Connect, and ask JetStream: it may come later than the connection."""
        client = NATS()
        try:
            await client.connect(
                self.url,
                allow_reconnect=False,
                reconnect_time_wait=0,  # else it waits 2 s before it says that nobody answers
                max_reconnect_attempts=1,
                connect_timeout=int(PING_SECONDS),
                error_cb=_ignore,  # the library prints them otherwise
            )
            await client.jetstream(timeout=PING_SECONDS).account_info()
        except (OSError, TimeoutError, nats.errors.Error) as error:
            # The driver has a class for it, and raises it only on a connection that stood already.
            if "authorization" not in str(error).lower():
                return False
            detail = "it runs with another password than servers.json says"
            raise ConfigError("server_password_wrong", str(self.folder), detail) from error
        else:
            return True
        finally:
            await client.close()  # after a failure too: the library leaves its socket open


async def _ignore(_: Exception) -> None:
    """Errors of a ping that show in its result anyway."""
