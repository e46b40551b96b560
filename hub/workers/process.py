"""A worker process: ``python -m hub.workers.process <socket> <progress> <parent>``.

It reads the spec, builds its tools, then works off chunks of tasks until its parent is gone. It
may be killed at any moment without harm. It ends by itself when the parent dies (Linux: PR_SET_PDEATHSIG;
everywhere: end of file on the socket), and, should the parent stand still, an alarm ends a step
that is long past its deadline.
"""

from __future__ import annotations

import ctypes
import gc
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from canonical.errors import ConfigError
from hub.workers.frames import receive, send
from hub.workers.messages import OUT_OF_MEMORY, READY, Reply, Settings, Task
from hub.workers.progress import Progress

_MEGABYTE = 2**20
_ENGINE_MEGABYTES = 300
"""Room for importing and compiling. jsonatapy reserves 1 GB of address space when it is imported
without a limit, which would then be spare memory for a bomb; under this limit it takes 135 MB."""
_GRACE_SECONDS = 1.0
_PR_SET_PDEATHSIG = 1
_NICE = 10
"""A worker has seconds for a document; the hub's loop, the ledger and NATS, which all documents pass
one batch after the other, wait for a processor in milliseconds. With equals beside them they stood
still for a tenth of the time."""
_COLLECT_AFTER = 16
"""Chunks between two collections: documents make hardly any cycles, and looking for them while
hundreds are in hand took 3 % of a worker's time."""


class _Alarmed:
    """The progress word, with an alarm behind it that needs no parent and no GIL to strike."""

    def __init__(self, progress: Progress, task: int) -> None:
        self._progress = progress
        self._task = task

    def begin(self, step: int, seconds: float) -> None:
        """A step of the task begins."""
        signal.setitimer(signal.ITIMER_REAL, seconds + _GRACE_SECONDS)
        self._progress.begin(self._task, step, seconds)


def main(arguments: list[str]) -> None:
    """Work until the parent is gone."""
    channel = socket.socket(fileno=int(arguments[0]))
    progress = Progress(int(arguments[1]))
    os.nice(_NICE)
    _die_with(int(arguments[2]))
    try:
        spec, settings = receive(channel)
        run = _prepare(spec, settings, progress)
    except ConfigError as error:
        send(channel, error)
        return
    send(channel, READY)
    most = _size() + settings.memory_mb * _MEGABYTE // 2
    leaving, chunks = False, 0
    while not leaving:
        results = run(receive(channel))
        progress.rest()
        signal.setitimer(signal.ITIMER_REAL, 0)
        leaving = _size() > most
        send(channel, Reply(results, leaving))
        del results
        chunks += 1
        if chunks % _COLLECT_AFTER == 0:
            gc.collect()


def _prepare(spec: Any, settings: Settings, progress: Progress) -> Callable[[list[Task]], Any]:
    """Import the engine under the memory limit, build the tools, and say how a chunk is run."""
    _limit_memory(_ENGINE_MEGABYTES)
    from hub.workers.chunk import Bench  # noqa: PLC0415  # only now: the limit must stand before

    bench = Bench(spec, settings.seconds, lambda task: _Alarmed(progress, task))
    _limit_memory(settings.memory_mb)
    gc.collect()
    gc.freeze()
    gc.disable()

    def run(chunk: list[Task]) -> list[Any]:
        try:
            return bench.run(chunk)
        except MemoryError:
            # What else it holds may be another document's: end, so that the suspect runs alone.
            os._exit(OUT_OF_MEMORY)

    return run


def _die_with(parent: int) -> None:
    """Leave no orphan, no core file with documents in it, and let the parent handle Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the parent is gone")


def _limit_memory(megabytes: int) -> None:
    """Let the address space grow by so much from where it stands (Linux only)."""
    if sys.platform == "linux":
        most = _size() + megabytes * _MEGABYTE
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(resource.RLIMIT_AS, (allowed, hard))


def _size() -> int:
    """The bytes of the address space, which is what the limit counts; 0 where that is not known."""
    if sys.platform != "linux":
        return 0
    return int(Path("/proc/self/statm").read_bytes().split()[0]) * resource.getpagesize()


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (EOFError, ConnectionError):
        sys.exit(0)
