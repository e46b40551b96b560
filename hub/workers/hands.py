"""A worker at work, with the chunks that it was given: the one in hand, and one that waits there.

The second lies in the socket already when the first is done: a worker that had to wait for the
parent's event loop between two chunks stood still for a tenth of its time.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque

from hub.workers.entry import Entry
from hub.workers.worker import Worker, WorkerGone

_MOST_CHUNKS = 2


class Hands:
    """One worker; for the event loop that makes it.

    Args:
        worker: a process that is ready.

    """

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.given: deque[list[Entry]] = deque()
        """Chunks that are not answered, the one in hand first."""
        self._outgoing: asyncio.Queue[list[Entry]] = asyncio.Queue()

    @property
    def full(self) -> bool:
        """It can be given no more."""
        return len(self.given) >= _MOST_CHUNKS

    def give(self, chunk: list[Entry]) -> None:
        """Have a chunk done after those that it has."""
        self.given.append(chunk)
        self._outgoing.put_nowait(chunk)

    async def send(self) -> None:
        """Send what is given, until cancelled; who waits for replies learns of a death."""
        with contextlib.suppress(WorkerGone):
            while True:
                chunk = await self._outgoing.get()
                await self.worker.give([entry.task() for entry in chunk])
