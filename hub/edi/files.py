"""EDI files on disk: found in folders, read under a cap, told apart by their format.

Codes: ``format_unknown`` (no inspector recognises the bytes), ``file_too_large``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from canonical.errors import Rejected
from connectors.base import ConnectorConfig
from connectors.inspectors import INSPECTORS

MOST_BYTES = 128_000_000
"""Files beyond this are refused: they are looked into as a whole."""


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
    """Read a file.

    Raises:
        Rejected: ``file_too_large``.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise Rejected("file_too_large", path.name, f"more than {MOST_BYTES} bytes")
    known = (name for name, each in INSPECTORS.items() if each.recognises(data))
    return Opened(path, data, next(known, None))


def looked(file: Opened, judge: Judge) -> dict[str, Any]:
    """Return what a file holds and what is wrong with it; see `connectors.report`."""
    head = {"file": str(file.path)}
    if file.system is None:
        unknown = {"code": "format_unknown", "where": "byte 0", "detail": "no format that is known"}
        error = {"level": "syntax", **unknown, "message": "byte 0: no format that is known"}
        return {**head, "ok": False, "verdict": "rejected", "errors": [error], "interchanges": []}
    inspector = INSPECTORS[file.system]
    config = judge.config(file.system)
    return {
        **head,
        "format": file.system,
        **inspector.inspect(file.data, config, tolerant=judge.tolerant, bodies=judge.bodies),
    }


def errors_of(result: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield all errors of a file: its own, then those of its sets in their order."""
    yield from result["errors"]
    for interchange in result["interchanges"]:
        for each in interchange["sets"]:
            yield from each["errors"]


def without_values(result: dict[str, Any]) -> dict[str, Any]:
    """Return the same without anything that stands in the file but its numbers and types.

    Args:
        result: without bodies.
    """

    def told(error: dict[str, Any]) -> dict[str, Any]:
        kept = {key: value for key, value in error.items() if key != "value"}
        if "value" in error:
            place = error["where"].replace(".", " ")
            kept["message"] = f"{place}: {error['detail']}"
        return kept

    return {
        **result,
        "errors": [told(each) for each in result["errors"]],
        "interchanges": [
            {
                **interchange,
                "sets": [
                    {**each, "errors": [told(error) for error in each["errors"]]}
                    for each in interchange["sets"]
                ],
            }
            for interchange in result["interchanges"]
        ],
    }
