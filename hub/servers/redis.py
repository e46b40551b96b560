"""redis-server with an append-only file, refusing writes rather than forgetting keys."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from canonical.errors import ConfigError
from hub.servers.ports import LOOPBACK
from hub.servers.server import PING_SECONDS, Run, write_private

_STEP = 64 * 1024


def url(port: int, password: str) -> str:
    """How clients reach the embedded server on `port`."""
    return f"redis://:{password}@{LOOPBACK}:{port}/0"


@dataclass(frozen=True, slots=True)
class Redis:
    """The accelerator; nothing is lost for good when it is."""

    folder: Path
    port: int
    password: str
    program: Path
    name: ClassVar[str] = "redis"
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    refuses_root: ClassVar[bool] = False

    @property
    def url(self) -> str:
        """How clients reach it, with its password."""
        return url(self.port, self.password)

    async def prepare(self, _: Run) -> None:
        """Write its configuration; mend its file where a power loss left zeros at its end."""
        await asyncio.to_thread(_without_zeros, self.folder / "appendonly.aof")
        lines = [
            f"bind {LOOPBACK}",
            f"port {self.port}",
            f"requirepass {self.password}",
            # Quoted as JSON quotes: what Redis takes for a string in double quotes.
            f"dir {json.dumps(str(self.folder), ensure_ascii=False)}",
            "daemonize no",
            "appendonly yes",
            "appendfsync everysec",
            "aof-use-rdb-preamble no",  # commands alone, whose end can be told from zeros
            'save ""',
            "maxmemory 256mb",
            # allkeys-lru would drop reservations silently (facts: 17,254 of 30,000).
            "maxmemory-policy noeviction",
        ]
        write_private(self.folder / "redis.conf", "\n".join([*lines, ""]))

    def command(self) -> list[str]:
        """The command that runs it in the foreground."""
        return [str(self.program), str(self.folder / "redis.conf")]

    async def ready(self) -> bool:
        """Connect and ping: False while it still loads its file."""
        import redis.asyncio
        import redis.exceptions

        client = redis.asyncio.Redis.from_url(
            self.url, socket_timeout=PING_SECONDS, socket_connect_timeout=PING_SECONDS
        )
        try:
            await client.ping()
        except redis.exceptions.AuthenticationError as error:
            detail = "it runs with another password than servers.json says"
            raise ConfigError("server_password_wrong", str(self.folder), detail) from error
        except (OSError, redis.exceptions.RedisError):
            return False
        else:
            return True
        finally:
            await client.aclose()


def _without_zeros(file: Path) -> None:
    """Cut zeros off the end of a file of commands; the last one may then be cut short.

    Blocks that a file system had given to the file when the power went, and that were never written,
    read as zeros. Redis takes a file whose last command is cut short, and none that ends in zeros: it
    would never start again, and a hub with it, for the sake of an accelerator.
    """
    if not file.exists():
        return
    with file.open("r+b") as opened:
        size = opened.seek(0, os.SEEK_END)
        while size:
            begin = max(0, size - _STEP)
            opened.seek(begin)
            kept = len(opened.read(size - begin).rstrip(b"\0"))
            size = begin + kept
            if kept:
                break
        opened.truncate(size)
