"""How a command lists what it found; nothing found is an exit code of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import typer

from hub.cli.exits import Exit
from hub.cli.output import Output, print_rows

_SHORT = 8
"""Characters of an id that a table shows, and that commands take for the whole."""
_IDS = ("id", "delivery")


def print_listed(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[str], output: Output, nothing: str
) -> None:
    """Print rows; if there are none, say so on stderr and end with exit code 3."""
    if rows or output is Output.JSON:
        print_rows(rows if output is Output.JSON else short(rows), columns, output)
    if not rows:
        end_empty(nothing)


def end_empty(nothing: str) -> None:
    """Say on stderr that nothing matched, and end with its exit code."""
    typer.echo(nothing, err=True)
    raise typer.Exit(Exit.NOTHING_MATCHED)


def short(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return rows as tables show them: with the beginning of their ids."""
    return [
        {**row} | {name: str(row[name])[:_SHORT] for name in _IDS if row.get(name)} for row in rows
    ]
