"""Processes that a test starts, and that end with it whatever happens."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]


def python_path() -> str:
    """This working copy, and whatever this process itself was given (`tests/faults/teeth`)."""
    return os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))


class Spawner:
    """Starts Python programs; `end_all` kills them and all their descendants, by pid."""

    def __init__(self) -> None:
        self._started: list[subprocess.Popen[bytes]] = []

    def python(
        self,
        arguments: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        log: Path | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start ``python *arguments`` in the root of the project, in a process group of its own.

        Args:
            arguments: after the interpreter: ``["-c", code]``, ``["-m", module, ...]``.
            env: added to this process's environment.
            log: where both outputs go; nowhere by default.

        """
        with (log or Path(os.devnull)).open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": python_path(), **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                process_group=0,
            )
        self._started.append(process)
        return process

    def end_all(self) -> None:
        """Kill what still runs."""
        for process in self._started:
            for descendant in _family(process.pid):
                with suppress(psutil.NoSuchProcess):
                    descendant.kill()
            process.wait()


def kill(process: subprocess.Popen[bytes]) -> None:
    """``kill -9``, and nothing else: what becomes of its children is what is tested."""
    process.send_signal(signal.SIGKILL)
    process.wait()


def _family(pid: int) -> list[psutil.Process]:
    try:
        head = psutil.Process(pid)
        return [*head.children(recursive=True), head]
    except psutil.NoSuchProcess:
        return []


@contextmanager
def spawning() -> Iterator[Spawner]:
    """A `Spawner` whose processes end with the block."""
    spawner = Spawner()
    try:
        yield spawner
    finally:
        spawner.end_all()
