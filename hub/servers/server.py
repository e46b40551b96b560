"""What the supervisor must know about a server."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Protocol

Run = Callable[[Sequence[str]], Awaitable[None]]
"""Runs a command to its end as the server's user; raises ConfigError where it fails."""


class Server(Protocol):
    """One server program on one port; frozen, cheap to make anew for another port."""

    @property
    def name(self) -> str:
        """``nats``, ``postgres`` or ``redis``."""
        ...

    @property
    def folder(self) -> Path:
        """Where it keeps its data; the supervisor makes it."""
        ...

    @property
    def port(self) -> int:
        """Where it listens, on loopback."""
        ...

    @property
    def url(self) -> str:
        """How clients reach it, with its password."""
        ...

    @property
    def stop_signal(self) -> signal.Signals:
        """What makes it stop at once and cleanly."""
        ...

    @property
    def refuses_root(self) -> bool:
        """It will not run as root: the launcher becomes someone else."""
        ...

    async def prepare(self, run: Run) -> None:
        """Write what it needs before it starts; may be called before every start."""
        ...

    def command(self) -> list[str]:
        """The command that runs it in the foreground."""
        ...

    async def ready(self) -> bool:
        """Connect and ask. False: not yet. Has its own deadline.

        Raises:
            ConfigError: it answers, and will never take our password.

        """
        ...


PING_SECONDS = 2.0
"""Longest time that one `Server.ready` may take."""


def write_private(path: Path, text: str) -> None:
    """Write a file that holds a password."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text)
