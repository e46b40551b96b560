"""The documents of a file as papers: all that a guide exists for, in their order."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

from canonical.errors import Rejected
from connectors.base import Json
from connectors.inspectors import INSPECTORS, Inspector
from connectors.paper import Paper
from hub.edi.compare import Head
from hub.edi.files import Judge, looking

_IN_MEMORY = 1_000_000
"""Bytes that need no file."""


def papers(path: Path) -> Iterator[Paper]:
    """Yield the documents of a file, right or wrong, as far as they could be read.

    Raises:
        Rejected: ``format_unknown``.
        OSError: it cannot be read.
    """
    for _, paper in _each(path):
        yield paper


class Shelf:
    """Implements `hub.edi.compare.Documents`: the documents of a file, kept on disk."""

    def __init__(
        self, file: tempfile.SpooledTemporaryFile[bytes], inspector: Inspector | None
    ) -> None:
        self._file = file
        self._inspector = inspector
        self._places: list[int] = []
        self.heads: list[Head] = []

    def put(self, one: Json, paper: Paper) -> None:
        """Put one behind the others.

        Raises:
            OSError: there is no room for it.
        """
        self._places.append(self._file.tell())
        self.heads.append(Head(paper.type, paper.number, paper.name))
        self._file.write(orjson.dumps(one, option=orjson.OPT_APPEND_NEWLINE))

    def paper(self, at: int) -> Paper:
        """Read one of them."""
        self._file.seek(self._places[at])
        found = (
            self._inspector.paper(orjson.loads(self._file.readline())) if self._inspector else None
        )
        if found is None:
            raise LookupError(at)
        return found


@contextmanager
def shelved(path: Path) -> Iterator[Shelf]:
    """Keep the documents of a file of any size, each to be read when it is wanted.

    Raises:
        Rejected: ``format_unknown``.
        OSError: it cannot be read, or there is no room.
    """
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as file:
        shelf: Shelf | None = None
        for (inspector, one), paper in _each(path):
            shelf = shelf or Shelf(file, inspector)
            shelf.put(one, paper)
        yield shelf or Shelf(file, None)


def _each(path: Path) -> Iterator[tuple[tuple[Inspector, Json], Paper]]:
    with looking(path, Judge()) as looked:
        if looked.system is None:
            raise Rejected("format_unknown", path.name, "no format that is known")
        inspector = INSPECTORS[looked.system]
        for kind, each in looked.parts():
            paper = inspector.paper(each) if kind == "set" else None
            if paper is not None:
                yield (inspector, each), paper
