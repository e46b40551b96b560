"""Text from elsewhere, made fit for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hub.cli.output import cell


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


def rows_of(rows: Iterable[Mapping[str, Any]], columns: Iterable[str]) -> list[dict[str, str]]:
    """Return rows of cells that any terminal shows as text."""
    names = tuple(columns)
    return [{name: printable(_plain(row.get(name))) for name in names} for row in rows]


def _plain(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{_plain(amount)} {name}".strip() for name, amount in value.items())
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(_plain(each) for each in value)
    return cell(value)
