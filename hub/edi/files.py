"""EDI files on disk: found in folders, told apart by their format, looked into while they are read.

Codes: ``format_unknown`` (no inspector recognises the bytes), ``format_not_agreed`` (no connection
of the partner takes the format), ``interchange_too_large``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from canonical.errors import Rejected
from connectors.base import ConnectorConfig, Json
from connectors.inspectors import INSPECTORS
from connectors.pile import Pile
from connectors.report import Found, Look, Report
from hub.edi.looked import Looked
from hub.edi.spool import Spool

MOST_BYTES = 64_000_000
"""An interchange beyond this is refused where it is taken as a whole."""
CHUNK = 65_536
"""Bytes that are read at a time; the first must tell the format."""


@dataclass(frozen=True, slots=True)
class Interchange:
    """One interchange of a file."""

    system: str
    """Its format, as `connectors.inspectors` names it."""
    head: Json
    """Its number, sender, receiver, usage and byte, as in `connectors.report`."""
    data: bytes


@dataclass(frozen=True, slots=True)
class Judge:
    """By what files are judged."""

    tolerant: bool = False
    bodies: bool = True
    """The documents are wanted, too."""
    configs: tuple[tuple[str, ConnectorConfig], ...] = ()
    """Connections of a partner: (system, options); none: the standard's guides count."""
    hidden: bool = False
    """Nothing that stands in the file is told but its numbers and types."""

    def config(self, system: str) -> ConnectorConfig | None:
        """The options for a format; None: no partner was named.

        Raises:
            Rejected: ``format_not_agreed``: the partner that was named has no connection of it.
        """
        if not self.configs:
            return None
        for name, config in self.configs:
            if name == system:
                return config
        agreed = ", ".join(sorted({name for name, _ in self.configs}))
        detail = f"{system}, and the connections that were named take {agreed}"
        raise Rejected("format_not_agreed", "byte 0", detail)


def found(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield files as they are, and those in folders in the order of their names; no links there."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        inside = (each for each in path.rglob("*") if not each.name.startswith("."))
        yield from sorted(each for each in inside if each.is_file() and not each.is_symlink())


def interchanges(path: Path) -> Iterator[Interchange | Rejected]:
    """Yield the interchanges of a file one by one, and why nothing more can be read.

    Raises:
        Rejected: ``format_unknown``; ``interchange_too_large``.
        OSError: it cannot be read.
    """
    with path.open("rb") as whole, path.open("rb") as piece:
        first = whole.read(CHUNK)
        system = format_of(first)
        if system is None:
            raise Rejected("format_unknown", path.name, "no format that is known")
        begun: Json | None = None
        for each in INSPECTORS[system].starts(chain((first,), _rest(whole))):
            if isinstance(each, Rejected):
                yield each
                continue
            if begun is not None:
                yield Interchange(system, begun, _between(piece, begun["byte"], each["byte"]))
            begun = each
        if begun is not None:
            yield Interchange(system, begun, _between(piece, begun["byte"], None))


def _between(file: BinaryIO, start: int, end: int | None) -> bytes:
    """Read from `start` to `end`, or to the file's end."""
    file.seek(start)
    size = MOST_BYTES + 1 if end is None else end - start
    data = file.read(size) if size <= MOST_BYTES + 1 else b""
    if size > MOST_BYTES + 1 or len(data) > MOST_BYTES:
        detail = f"the interchange has more than {MOST_BYTES} bytes"
        raise Rejected("interchange_too_large", f"byte {start}", detail)
    return data


@contextmanager
def looking(path: Path, judge: Judge) -> Iterator[Looked]:
    """Look into a file of any size: what it holds is in temporary files until this ends.

    Raises:
        OSError: it cannot be read.
    """
    with ExitStack() as open_, path.open("rb") as file:
        first = file.read(CHUNK)
        system = format_of(first)
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
    try:
        how = Look(judge.config(system), judge.tolerant, judge.bodies, pile, judge.hidden)
    except Rejected as error:
        return _refused(Found("partner", error.code, error.where, error.detail))
    return INSPECTORS[system].look(chunks, how)


def _refused(why: Found) -> Report:
    report = Report(tolerant=False)
    report.stray(why)
    report.close()
    return report


def format_of(start: bytes) -> str | None:
    """The format of a file by its first bytes, as `connectors.inspectors` names it; None: none."""
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
