"""What commands print: a table for people, JSON for scripts."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table


class Output(StrEnum):
    """How to print."""

    TABLE = "table"
    JSON = "json"


OutputOption = Annotated[Output, typer.Option("--output", "-o", help="table or json.")]


def print_json(value: object) -> None:
    """Print one JSON value; times as RFC 3339, decimals as text."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS
    sys.stdout.write(orjson.dumps(value, default=_plain, option=options).decode() + "\n")


def print_rows(
    rows: Iterable[Mapping[str, Any]], columns: Sequence[str], output: Output, *, title: str = ""
) -> None:
    """Print rows as a table with these columns, or as a JSON array with all they hold."""
    if output is Output.JSON:
        print_json([dict(row) for row in rows])
        return
    table = Table(title=title or None, title_justify="left", show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(cell(row.get(column)) for column in columns))
    console().print(table)


def console() -> Console:
    """Return where tables go; wide when nobody watches, so that nothing is cut."""
    found = Console(markup=False, highlight=False)
    return found if found.is_terminal else Console(markup=False, highlight=False, width=200)


def cell(value: object) -> str:
    """Return a value as a table shows it."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return str(value)


def printable(text: str, keep: str = "") -> str:
    """Return the text with what is no plain character written as an escape.

    Control characters move the cursor and change colours, format characters (U+202E) turn the line
    round: the number of a partner's document must do neither.

    Args:
        text: any.
        keep: characters to leave as they are, such as line ends of a payload.
    """
    return "".join(each if each in keep or each.isprintable() else _escaped(each) for each in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode()
