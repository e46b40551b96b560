"""EDI files on disk: found in folders, told apart by their format, looked into while they are read.

Codes: ``format_unknown`` (no inspector recognises the bytes), ``file_too_large``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from canonical.errors import Rejected
from connectors.base import ConnectorConfig
from connectors.inspectors import INSPECTORS
from connectors.pile import Pile
from connectors.report import Found, Look, Report
from hub.edi.looked import Looked
from hub.edi.spool import Spool

MOST_BYTES = 128_000_000
"""Files beyond this are refused where they are taken as a whole."""
CHUNK = 65_536
"""Bytes that are read at a time; the first must tell the format."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that was read."""

    path: Path
    data: bytes
    system: str | None
    """Its format, as `connectors.inspectors` names it; None: none that is known."""


@dataclass(frozen=True, slots=True)
class Judge:
    """By what files are judged."""

    tolerant: bool = False
    bodies: bool = True
    """The documents are wanted, too."""
    configs: tuple[tuple[str, ConnectorConfig], ...] = ()
    """Connections of a partner: (system, options); none: the standard's guides count."""

    def config(self, system: str) -> ConnectorConfig | None:
        """The options for a format; None: the partner has no connection of it."""
        return next((config for name, config in self.configs if name == system), None)


def found(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield files as they are, and those in folders in the order of their names; no links there."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        inside = (each for each in path.rglob("*") if not each.name.startswith("."))
        yield from sorted(each for each in inside if each.is_file() and not each.is_symlink())


def opened(path: Path) -> Opened:
    """Read a file as a whole.

    Raises:
        Rejected: ``file_too_large``.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise Rejected("file_too_large", path.name, f"more than {MOST_BYTES} bytes")
    return Opened(path, data, _format(data[:CHUNK]))


@contextmanager
def looking(path: Path, judge: Judge) -> Iterator[Looked]:
    """Look into a file of any size: what it holds is in temporary files until this ends.

    Raises:
        OSError: it cannot be read.
    """
    with ExitStack() as open_, path.open("rb") as file:
        first = file.read(CHUNK)
        system = _format(first)
        pile = lambda: open_.enter_context(closing(Spool()))  # noqa: E731  # one expression
        chunks = chain((first,), _rest(file))
        yield Looked(path, system, _reported(chunks, system, judge, pile))


def looked(path: Path, judge: Judge) -> dict[str, Any]:
    """Return what a file holds and what is wrong with it as one object; see `connectors.report`.

    Raises:
        OSError: it cannot be read.
    """
    with looking(path, judge) as found_:
        return found_.whole()


def unread(path: Path, code: str, detail: str) -> Looked:
    """Return what is said of a file that cannot be read."""
    return Looked(path, None, _refused(Found("syntax", code, "", detail)))


def _reported(
    chunks: Iterable[bytes], system: str | None, judge: Judge, pile: Callable[[], Pile]
) -> Report:
    if system is None:
        return _refused(Found("syntax", "format_unknown", "byte 0", "no format that is known"))
    how = Look(judge.config(system), judge.tolerant, judge.bodies, pile)
    return INSPECTORS[system].look(chunks, how)


def _refused(why: Found) -> Report:
    report = Report(tolerant=False)
    report.stray(why)
    report.close()
    return report


def _format(start: bytes) -> str | None:
    return next((name for name, each in INSPECTORS.items() if each.recognises(start)), None)


def _rest(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        yield chunk


def errors_of(result: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield all errors of a file: its own, then those of its sets in their order."""
    yield from result["errors"]
    for interchange in result["interchanges"]:
        for each in interchange["sets"]:
            yield from each["errors"]
