"""The peers on the same files, with nothing of ours: ``python edi_peers.py NAME FOLDER``.

Runs in an environment of its own (the dependency group `bench`), one process a peer: badx12 wants
click 7, and Python before 3.10. Prints CPU seconds and how many documents were read.
"""

from __future__ import annotations

import collections
import collections.abc
import json
import sys
import time
from pathlib import Path
from typing import Any


def pyx12(paths: list[Path]) -> None:
    """Segments and envelope checks; pyx12 ships no 850 to check against."""
    from pyx12.x12file import X12Reader  # noqa: PLC0415  # only this peer has it

    for path in paths:
        with X12Reader(str(path)) as reader:
            for _ in reader:
                pass


def badx12(paths: list[Path]) -> None:
    """An object tree."""
    collections.Iterable = collections.abc.Iterable  # type: ignore[attr-defined]  # gone since 3.10
    from badx12 import Parser  # noqa: PLC0415

    for path in paths:
        Parser().parse_document(path.read_text("utf-8"))


def pydifact(paths: list[Path]) -> None:
    """Segments of an interchange."""
    from pydifact.segmentcollection import Interchange  # noqa: PLC0415

    for path in paths:
        for message in Interchange.from_str(path.read_text("utf-8")).get_messages():
            list(message.segments)


PEERS: dict[str, Any] = {"pyx12": pyx12, "badx12": badx12, "pydifact": pydifact}


def main() -> None:
    """Read every file of a folder and print what it cost."""
    name, folder = sys.argv[1], Path(sys.argv[2])
    paths = sorted(folder.iterdir())
    PEERS[name](paths[:1])  # what is imported and compiled once is not counted
    started = time.process_time()
    PEERS[name](paths)
    spent = time.process_time() - started
    print(json.dumps({"documents": len(paths), "cpu_seconds": spent}))  # noqa: T201


if __name__ == "__main__":
    main()
