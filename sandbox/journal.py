"""The effects journal: append-only JSON lines, on disk before anything is acknowledged.

An effect is one line ``{"seq", "until", "at", "system", "effect", "reference", ...}``. Effects that
belong together carry the `seq` of their last one in `until`: after a crash a group of which only
a part reached the disk is dropped whole, together with a torn last line. Nothing of it was ever
acknowledged, because an answer leaves only after `flushed`.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

from sandbox.json_text import dumps, loads

Entry = dict[str, Any]

STRIDE = 256
"""Every how many entries the journal remembers a file offset, to find a `seq` quickly."""


class Journal:
    """One file of effects; one process at a time holds it.

    Many requests that wait for `flushed` share one fsync (group commit).

    Raises:
        BlockingIOError: another process holds the journal.
        ValueError: it is damaged before its end, which no crash of ours can do.

    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._offsets: list[int] = []
        self._seq, self._size = self._recover()
        self._written = self._seq
        self._buffer: list[bytes] = []
        self._filling = threading.Lock()
        self._writing = threading.Lock()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._flushing: asyncio.Future[None] | None = None
        self._failure: OSError | None = None

    @property
    def seq(self) -> int:
        """The number of the last effect; 0 in a new world."""
        return self._seq

    def append(self, effects: Sequence[Entry]) -> list[Entry]:
        """Number effects that stand or fall together; they are on disk only after a flush."""
        until = self._seq + len(effects)
        entries = [
            {"seq": seq, "until": until, **effect}
            for seq, effect in enumerate(effects, start=self._seq + 1)
        ]
        lines = [dumps(entry) + b"\n" for entry in entries]
        with self._filling:
            for line in lines:
                self._seq += 1
                self._remember(self._seq, self._size)
                self._size += len(line)
            self._buffer += lines
        return entries

    def flush(self) -> None:
        """Write all that was appended and fsync; blocks.

        Raises:
            OSError: the disk refused; from then on every flush fails.

        """
        with self._writing:
            if self._failure is not None:
                raise self._failure
            with self._filling:
                lines, self._buffer = self._buffer, []
            if not lines:
                return
            try:
                _write_all(self._file, b"".join(lines))
                os.fsync(self._file)
            except OSError as error:
                self._failure = error
                raise
            self._written += len(lines)

    async def flushed(self) -> None:
        """Wait until everything appended so far is on disk."""
        target = self._seq
        while self._written < target:
            if self._flushing is None or self._flushing.done():
                loop = asyncio.get_running_loop()
                self._flushing = loop.run_in_executor(self._writer, self.flush)
            await asyncio.shield(self._flushing)

    def entries(self, since: int = 0, limit: int | None = None) -> Iterator[Entry]:
        """Read effects with a `seq` above `since` from the file, oldest first."""
        if self._written <= since:
            return
        with self.path.open("rb") as lines:
            lines.seek(self._offsets[since // STRIDE])
            wanted = islice(lines, since % STRIDE, None)
            for line, _ in zip(wanted, range(limit or self._written), strict=False):
                if not line.endswith(b"\n"):
                    return
                yield loads(line)

    def close(self) -> None:
        """Flush and let go of the file; may be called twice."""
        self._writer.shutdown()
        if self._file >= 0:
            try:
                self.flush()
            finally:
                os.close(self._file)
                self._file = -1

    def _remember(self, seq: int, offset: int) -> None:
        if (seq - 1) % STRIDE == 0:
            self._offsets.append(offset)

    def _recover(self) -> tuple[int, int]:
        """Find the last whole group and cut off what follows it; gives its seq and end."""
        seq, end, good_seq, good_end = 0, 0, 0, 0
        with self.path.open("rb") as lines:
            for line in lines:
                entry = _whole(line)
                if entry is None or entry["seq"] != seq + 1:
                    if lines.read(1):
                        raise ValueError(f"the journal is damaged at its line {seq + 1}")
                    break
                seq += 1
                self._remember(seq, end)
                end += len(line)
                if entry["until"] == seq:
                    good_seq, good_end = seq, end
        os.ftruncate(self._file, good_end)
        os.fsync(self._file)
        _sync_folder(self.path.parent)
        del self._offsets[(good_seq + STRIDE - 1) // STRIDE :]
        return good_seq, good_end


def _whole(line: bytes) -> Entry | None:
    """Read a line of the journal; None where a crash tore it."""
    if not line.endswith(b"\n"):
        return None
    try:
        entry: Entry = loads(line)
    except ValueError:
        return None
    return entry


def _write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
