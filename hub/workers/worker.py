"""One worker process, as its parent sees it: start it, hand it a chunk, kill it, read its end."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from canonical.errors import ConfigError
from hub.workers.frames import pack, receive_async, send_async
from hub.workers.messages import OUT_OF_MEMORY, READY, Reply, Settings, Task
from hub.workers.progress import Progress, Word, shared_file
from hub.workers.spec import WorkerSpec

_ROOT = Path(__file__).parents[2]
_KEPT = ("LD_LIBRARY_PATH", "PATH", "TMPDIR")
"""All of the environment that a worker gets: secrets may stand in the rest."""
_BURNT = 0.25
"""Of its deadline in processor time: what is due to a loop, and not to a machine that is busy."""
_REAP_SECONDS = 5.0
_ALLOCATION = b"memory allocation of"
"""What a Rust program writes before it aborts because memory ran out."""


class WorkerGone(Exception):
    """The worker died, or was killed; never leaves `hub.workers`."""


class Worker:
    """A worker process. `start` makes one; the pool owns it."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        channel: socket.socket,
        progress: Progress,
        errors: IO[bytes],
        seconds: float,
    ) -> None:
        self._process = process
        self._channel = channel
        self._progress = progress
        self._errors = errors
        self._seconds = seconds
        self.expired = False
        """It was killed because a step ran over its deadline."""
        self._burnt = False
        self._judged: Word | None = None

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @classmethod
    async def start(cls, spec: WorkerSpec, settings: Settings) -> Worker:
        """Start a process and wait until it is ready.

        Raises:
            ConfigError: the process says that it cannot work with this spec.
            WorkerGone: it died before it was ready.

        """
        ours, theirs = socket.socketpair()
        progress = Progress(shared_file())
        errors = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as the worker
        with theirs:
            process = _spawn(theirs.fileno(), progress.descriptor, errors)
        ours.settimeout(0)
        worker = cls(process, ours, progress, errors, settings.seconds)
        try:
            await send_async(ours, pack((spec, settings)))
            answer = await receive_async(ours)
        except (EOFError, OSError):
            worker.end()
            raise WorkerGone from None
        except BaseException:
            worker.end()
            raise
        if isinstance(answer, ConfigError):
            worker.end()
            raise answer
        if answer != READY:
            worker.end()
            raise WorkerGone
        return worker

    async def give(self, chunk: Sequence[Task]) -> None:
        """Send it a chunk, to be done after those that it has.

        Raises:
            WorkerGone: it died.

        """
        try:
            await send_async(self._channel, pack(chunk))
        except OSError as error:
            raise WorkerGone from error

    async def reply(self) -> Reply:
        """Wait for the results of the oldest chunk that it has not answered.

        Raises:
            WorkerGone: it died on the way; `in_hand` says at what.

        """
        try:
            reply = await receive_async(self._channel)
        except Exception as error:  # cut short, or garbled by whatever ended it: gone either way
            raise WorkerGone from error
        if not isinstance(reply, Reply):
            raise WorkerGone
        return reply

    def in_hand(self) -> Word:
        """The step that it has, or had when it died, in hand."""
        return self._progress.read()

    def overdue(self) -> bool:
        """The step in hand is past its deadline."""
        word = self._progress.read()
        return not word.idle and time.monotonic_ns() > word.deadline

    def expire(self) -> None:
        """Kill it because the step in hand is past its deadline."""
        self.expired = True
        self._judged = self._progress.read()
        self._burnt = self._processor_seconds(self._judged) >= self._seconds * _BURNT
        self.kill()

    @property
    def burnt(self) -> bool:
        """It was killed over its deadline, and the step in hand had kept the processor busy.

        Not so where it had gone on to another step before the signal came.
        """
        return self._burnt and self._judged == self._progress.read()

    def _processor_seconds(self, word: Word) -> float:
        """What the step in hand has used so far; the whole deadline where that cannot be known."""
        try:
            ticks = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        except OSError:
            return self._seconds
        used = sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
        return used - word.cpu / 1e9

    def kill(self) -> None:
        """End it at once; `work` then raises."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)

    def end(self) -> str:
        """Kill it if it still lives, give everything back, and say how it ended.

        Returns:
            ``worker_timeout``, ``worker_memory`` or ``worker_died``.

        """
        self.kill()
        status = _reap(self._process)
        self._errors.seek(max(0, self._errors.seek(0, os.SEEK_END) - 65_536))
        said = self._errors.read()
        self._errors.close()
        self._channel.close()
        self._progress.close()
        if self.expired or status == -signal.SIGALRM:
            return "worker_timeout"
        if status == OUT_OF_MEMORY or (status == -signal.SIGABRT and _ALLOCATION in said):
            return "worker_memory"
        return "worker_died"


def _spawn(channel: int, progress: int, errors: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start the program with nothing of ours but the two descriptors and where to find itself."""
    paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    environment |= {"PYTHONPATH": os.pathsep.join(paths), "PYTHONUTF8": "1"}
    arguments = [str(channel), str(progress), str(os.getpid())]
    return subprocess.Popen(  # noqa: S603  # our own program
        [sys.executable, "-m", "hub.workers.process", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=errors,
        pass_fds=(channel, progress),
        env=environment,
    )


def _reap(process: subprocess.Popen[Any]) -> int:
    """Wait for a process that was killed; the kernel ends it within milliseconds."""
    try:
        return process.wait(_REAP_SECONDS)
    except subprocess.TimeoutExpired:
        return 0
