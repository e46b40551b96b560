"""A warehouse that takes files away the moment they appear and writes down each of them."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path

from tests.faults.journal import Journal

_LOOK_SECONDS = 0.1


@dataclass(slots=True)
class Dock:
    """Collects an outbox of the hub; a file that comes a second time is a second effect."""

    outbox: Path
    journal: Journal
    taken: int = 0

    def run(self, stop: threading.Event) -> None:
        """Collect until stopped."""
        while not stop.is_set():
            if not self.collect():
                time.sleep(_LOOK_SECONDS)

    def collect(self) -> int:
        """Take what is there; how many files that were."""
        ready = [path for path in self.outbox.iterdir() if not path.name.startswith(".")]
        for path in sorted(ready):
            self.journal.append(took=path.name, orders=orders_in(path.read_bytes()))
            path.unlink()
            self.taken += 1
        return len(ready)


def orders_in(body: bytes) -> list[list[str]]:
    """[our reference, purchase order, quantity] of each 940 of a file; 997s have none."""
    found: list[list[str]] = []
    for segment in body.decode("latin-1").split(body[105:106].decode("latin-1")):
        parts = segment.strip().split("*")
        if parts[0] == "W05":
            found.append([parts[2], parts[3], ""])
        elif parts[0] == "W01" and found:
            found[-1][2] = parts[1]
    return found
