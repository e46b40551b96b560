"""Run the sandbox: ``python -m sandbox --data DIR --port N``.

Prints one JSON line with its addresses once it answers; serves until SIGTERM or SIGINT, then
exits with 0.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import uvicorn

from sandbox import reference_data
from sandbox.app import Sandbox
from sandbox.connection import ResettableProtocol
from sandbox.options import Options, parse

BUSY = 75
"""Exit status when another process holds the journal (sysexits.h, EX_TEMPFAIL)."""
GRACE_SECONDS = 1


class _Server(uvicorn.Server):
    """A server that says when it is ready and ends with 0 on a signal."""

    def __init__(self, config: uvicorn.Config, ready: str) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then print the line that starters wait for."""
        await super().startup(sockets)
        sys.stdout.write(self._ready + "\n")
        sys.stdout.flush()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on a signal without raising it again, as uvicorn would."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        yield

    def _stop(self) -> None:
        self.should_exit = True


def addresses(options: Options, port: int) -> dict[str, object]:
    """What the ready line says."""
    base = f"http://127.0.0.1:{port}"
    return {
        "ready": True,
        "pid": os.getpid(),
        "address": base,
        "control": f"{base}/_control",
        "business_central": f"{base}/api/v2.0",
        "company_id": reference_data.COMPANY["id"],
        "token_url": f"{base}/oauth2/v2.0/token",
        "journal": str(options.data / "effects.jsonl"),
    }


def main() -> int:
    """Run until told to stop."""
    options = parse(None)
    if os.getpgrp() != os.getpid() and not sys.stdin.isatty():
        os.setpgid(0, 0)  # its own process group: a kill of the hub's group must not reach it
    try:
        sandbox = Sandbox(options, lambda: datetime.now(UTC))
    except BlockingIOError:
        sys.stderr.write("another sandbox holds the journal of this data folder\n")
        return BUSY
    listener = socket.create_server(("127.0.0.1", options.port), backlog=512)
    config = uvicorn.Config(
        sandbox.app,
        http=ResettableProtocol,
        lifespan="on",
        log_level="warning",
        access_log=False,
        ws="none",
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=30,
    )
    ready = json.dumps(addresses(options, listener.getsockname()[1]))
    asyncio.run(_Server(config, ready).serve(sockets=[listener]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
