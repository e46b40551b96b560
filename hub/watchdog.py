"""A thread that ends the process when its event loop stands still.

A zombie is worse than a crash: it looks healthy by its pid and does nothing. The measured causes
were a client library that spins, and a blocked loop; a supervisor starts the process again, and
nothing accepted is lost.

A loop that waits for a processor does not stand still: a machine with too much to do would only
have more to do with a process that starts again. So that is counted which the loop spent at work or
blocked, not what it spent waiting for its turn (Linux tells: the second number of
``/proc/<pid>/task/<tid>/schedstat``, nanoseconds), nor the time for which the process was stopped.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

TICK_SECONDS = 1.0
STALL_SECONDS = 15.0
EXIT_CODE = 70
"""EX_SOFTWARE of sysexits.h."""


@dataclass(slots=True)
class Standstill:
    """For how long a loop has not ticked although it could have. Pure: all times are passed in.

    Args:
        now: seconds on any clock that only rises.
        starved: seconds for which the loop has waited for a processor, since it began.

    """

    now: float
    starved: float
    ticks: int = 0
    seconds: float = 0.0

    def look(self, ticks: int, now: float, starved: float) -> float:
        """Return the seconds of standstill, given how often the loop has ticked by now."""
        # More than two ticks between two looks: nobody ran, we neither.
        passed = min(now - self.now, 2 * TICK_SECONDS)
        waited = max(starved - self.starved, 0.0)
        stands = ticks == self.ticks
        self.seconds = self.seconds + max(passed - waited, 0.0) if stands else 0.0
        self.now, self.starved, self.ticks = now, starved, ticks
        return self.seconds


class Watchdog:
    """Ends the process with `EXIT_CODE` when the loop has stood still for `stall` seconds."""

    def __init__(self, stall: float = STALL_SECONDS) -> None:
        self._stall = stall
        self._ticks = 0
        self._stopped = threading.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Tick on the event loop, watched from a thread, until stopped."""
        starved = starvation(threading.get_native_id())
        thread = threading.Thread(target=self._watch, args=(starved,), name="watchdog", daemon=True)
        thread.start()
        try:
            while not stop.is_set():
                self._ticks += 1
                try:
                    async with asyncio.timeout(TICK_SECONDS):
                        await stop.wait()
                except TimeoutError:
                    continue
        finally:
            self._stopped.set()

    def _watch(self, starved: Callable[[], float]) -> None:
        standstill = Standstill(time.monotonic(), starved())
        while not self._stopped.wait(TICK_SECONDS):
            if standstill.look(self._ticks, time.monotonic(), starved()) > self._stall:
                sys.stderr.write(f"watchdog: the event loop stood still for {self._stall:.0f} s\n")
                sys.stderr.flush()
                os._exit(EXIT_CODE)


def starvation(thread: int) -> Callable[[], float]:
    """Return what tells how long a thread of this process has waited for a processor, in seconds.

    Where the system does not tell, it never has.
    """
    told = Path(f"/proc/self/task/{thread}/schedstat")

    def seconds() -> float:
        with suppress(OSError, ValueError, IndexError):
            return int(told.read_text("ascii").split()[1]) / 1e9
        return 0.0

    return seconds
