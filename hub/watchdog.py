"""A thread that ends the process when its event loop stands still.

A zombie is worse than a crash: it looks healthy by its pid and does nothing. The measured causes
were a client library that spins, and a blocked loop; a supervisor starts the process again, and
nothing accepted is lost.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time

TICK_SECONDS = 1.0
STALL_SECONDS = 15.0
EXIT_CODE = 70
"""EX_SOFTWARE of sysexits.h."""


class Watchdog:
    """Ends the process with `EXIT_CODE` when the loop has not ticked for `stall` seconds."""

    def __init__(self, stall: float = STALL_SECONDS) -> None:
        self._stall = stall
        self._ticked = time.monotonic()
        self._stopped = threading.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Tick on the event loop, watched from a thread, until stopped."""
        thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        thread.start()
        try:
            while not stop.is_set():
                self._ticked = time.monotonic()
                try:
                    async with asyncio.timeout(TICK_SECONDS):
                        await stop.wait()
                except TimeoutError:
                    continue
        finally:
            self._stopped.set()

    def _watch(self) -> None:
        while not self._stopped.wait(TICK_SECONDS):
            if time.monotonic() - self._ticked > self._stall:
                sys.stderr.write(f"watchdog: the event loop stood still for {self._stall:.0f} s\n")
                sys.stderr.flush()
                os._exit(EXIT_CODE)
