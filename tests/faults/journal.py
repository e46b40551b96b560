"""Journals of the world outside the hub: one JSON object a line, on disk before anything follows.

What a partner was told, what a target received and what was done to the servers is written here
by whoever saw it; the checker reads nothing else.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Entry = dict[str, Any]


class Journal:
    """One file of entries; safe to append to from many threads."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._lock = threading.Lock()
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def append(self, **entry: Any) -> None:
        """Write one entry with the wall clock as `at`; on disk when this returns."""
        row = {"at": time.time(), **entry}
        with self._lock:
            os.write(self._file, json.dumps(row, separators=(",", ":")).encode() + b"\n")
            os.fsync(self._file)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)


def read(path: Path) -> Iterator[Entry]:
    """Yield the whole entries of a journal; a torn last line was never acted upon."""
    if not path.exists():
        return
    with path.open("rb") as lines:
        for line in lines:
            if line.endswith(b"\n"):
                yield json.loads(line)
