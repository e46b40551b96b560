"""One file read as a stream in a process of its own: ``python -m tests.bench.edi_child FORMAT FILE``.

Prints its CPU seconds, the documents that it made and the most memory that it ever held.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from connectors.edifact.engine import checker as edifact_checker
from connectors.edifact.engine import envelope as edifact
from connectors.edifact.engine import reader as edifact_reader
from connectors.edifact.engine.delimiters import Delimiters
from connectors.edifact.engine.directory import load_guide as edifact_guide
from connectors.edifact.engine.tree import Tree as EdifactTree
from connectors.x12.engine import checker as x12_checker
from connectors.x12.engine import envelope as x12
from connectors.x12.engine import reader as x12_reader
from connectors.x12.engine.guide import load_guide as x12_guide
from connectors.x12.engine.tree import Tree as X12Tree

CHUNK = 65_536


def chunks(path: Path) -> Iterator[bytes]:
    """A file, piece by piece."""
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            yield piece


def first(path: Path) -> Iterator[bytes]:
    """The first interchange of a file of many."""
    with path.open("rb") as file:
        start = file.read(CHUNK)
    yield start[: start.index(start[:4], 4)]


def x12_sets(pieces: Iterator[bytes], *, checked: bool) -> int:
    """Make the source document of every 850; how many there were."""
    guide = x12_guide("850", "004010")
    count = 0
    marks = None
    for event in x12.walk(x12_reader.read(pieces)):
        if isinstance(event, x12.InterchangeStart):
            marks = event.delimiters
        elif isinstance(event, x12.TransactionSet) and guide is not None and marks is not None:
            count += 1
            if checked:
                assert not x12_checker.check(guide, event.segments, marks, event.texts).faults
            else:
                X12Tree(guide, marks.component).build(event.segments)
    return count


def edifact_messages(pieces: Iterator[bytes], *, checked: bool) -> int:
    """Make the source document of every ORDERS; how many there were."""
    guide = edifact_guide("ORDERS", "D96A")
    count = 0
    marks = Delimiters()
    for event in edifact.walk(edifact_reader.read(pieces)):
        if isinstance(event, edifact.InterchangeStart):
            marks = event.delimiters
        elif isinstance(event, edifact.Message):
            count += 1
            if checked:
                found = edifact_checker.check(guide, event.segments, marks, escaped=event.escaped)
                assert not found.faults
            else:
                EdifactTree(guide, marks, commas=False).build(event.segments)
    return count


READERS = {"x12": x12_sets, "edifact": edifact_messages}


def main() -> None:
    """Read one file and print what it cost."""
    format_, path = sys.argv[1], Path(sys.argv[2])
    READERS[format_](first(path), checked=True)  # guides are compiled once a process
    started = time.process_time()
    count = READERS[format_](chunks(path), checked=True)
    spent = time.process_time() - started
    said = {"documents": count, "cpu_seconds": spent, "peak_rss_mb": peak_rss_mb()}
    print(json.dumps(said))  # noqa: T201


def peak_rss_mb() -> float:
    """The most memory that this program ever held; `getrusage` would count its parent's before exec."""
    status = Path("/proc/self/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
