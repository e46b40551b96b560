"""EDI: documents per second of one core, how cost and memory grow, and peers on the same files.

``python -m tests.bench.edi`` alone, or as a part of `make bench`.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench import edi_orders, orders
from tests.bench.edi_child import READERS

ROOT = Path(__file__).parents[2]
PEERS = ROOT / ".venv" / "peers" / "bin" / "python"
_DOCUMENTS = 1000
_PASSES = 7
_OF_PEERS = 200
_MEGABYTES = (1, 10, 100)
_WRITERS: dict[str, Callable[[int], bytes]] = {
    "x12": orders.interchange,
    "edifact": edi_orders.interchange,
}
_NAMES = {"x12": "X12 850", "edifact": "EDIFACT ORDERS"}
_PEERS = {"pyx12": "x12", "badx12": "x12", "pydifact": "edifact"}


@dataclass(slots=True)
class Figures:
    """What was measured."""

    documents_per_s: dict[str, float] = field(default_factory=dict)
    """Task -> documents per CPU second of one core, the median of seven passes."""
    growth: dict[str, dict[str, float]] = field(default_factory=dict)
    """File -> megabytes per CPU second and peak memory of the process that read it."""
    peers: dict[str, float | None] = field(default_factory=dict)
    """Peer -> documents per CPU second; None: it is not installed, or cannot run here."""

    def as_json(self) -> dict[str, Any]:
        """The figures for ``bench/results.json``."""
        return {
            "documents_per_s": self.documents_per_s,
            "growth": self.growth,
            "peers": self.peers,
        }


def measure(folder: Path) -> Figures:
    """Measure everything; passes of all tasks are interleaved, so that noise meets each."""
    found = Figures(documents_per_s=_speeds())
    for format_ in _WRITERS:
        for megabytes in _MEGABYTES:
            path = folder / f"{megabytes}.{format_}"
            _write(path, format_, megabytes)
            said = _child([sys.executable, "-m", "tests.bench.edi_child", format_, str(path)])
            size = path.stat().st_size / 1e6
            path.unlink()
            found.growth[f"{_NAMES[format_]}, {megabytes} MB"] = {
                "megabytes_per_s": size / said["cpu_seconds"],
                "documents_per_s": said["documents"] / said["cpu_seconds"],
                "peak_rss_mb": said["peak_rss_mb"],
            }
    for format_, writer in _WRITERS.items():
        single = folder / format_
        single.mkdir()
        for n in range(_OF_PEERS):
            (single / f"{n:05}.edi").write_bytes(writer(n))
        for name in (name for name, reads in _PEERS.items() if reads == format_):
            found.peers[name] = _peer(name, single)
    return found


def _speeds() -> dict[str, float]:
    passes: dict[str, list[float]] = {}
    data = {name: b"".join(map(writer, range(_DOCUMENTS))) for name, writer in _WRITERS.items()}
    for _ in range(_PASSES):
        for format_, read in READERS.items():
            for task, checked in (("parse", False), ("parse and guide", True)):
                started = time.process_time()
                count = read(_pieces(data[format_]), checked=checked)
                spent = time.process_time() - started
                assert count == _DOCUMENTS
                passes.setdefault(f"{_NAMES[format_]}, {task}", []).append(count / spent)
    return {task: statistics.median(each) for task, each in passes.items()}


def _pieces(data: bytes) -> Iterator[bytes]:
    return (data[at : at + 65_536] for at in range(0, len(data), 65_536))


def _write(path: Path, format_: str, megabytes: int) -> None:
    with path.open("wb") as file:
        n = 0
        while file.tell() < megabytes * 1_000_000:
            file.write(_WRITERS[format_](n))
            n += 1


def _child(command: list[str]) -> dict[str, Any]:
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _peer(name: str, folder: Path) -> float | None:
    if not PEERS.exists():
        return None
    script = Path(__file__).with_name("edi_peers.py")
    try:
        said = _child([str(PEERS), str(script), name, str(folder)])
    except subprocess.CalledProcessError:
        return None
    return float(said["documents"] / said["cpu_seconds"])


def show(found: Figures, console: Console) -> None:
    """Print the tables."""
    table = Table("task", "documents/s", "CPU us each", title="EDI, twelve lines, one core")
    for name, speed in found.documents_per_s.items():
        table.add_row(name, f"{speed:,.0f}", f"{1e6 / speed:.0f}")
    for name, peer in found.peers.items():
        shown = ("not here", "") if peer is None else (f"{peer:,.0f}", f"{1e6 / peer:.0f}")
        table.add_row(f"{name} ({_NAMES[_PEERS[name]]})", *shown)
    console.print(table)
    table = Table("file, parsed and checked", "MB/s", "documents/s", "peak RSS MB", title="Growth")
    for name, grown in found.growth.items():
        table.add_row(name, *(f"{value:,.1f}" for value in grown.values()))
    console.print(table)


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="crossdock-bench-edi-") as name:
        show(measure(Path(name)), Console(width=120))


if __name__ == "__main__":
    main()
