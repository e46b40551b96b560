"""Text from elsewhere, made fit for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hub.cli.output import cell, printable

__all__ = ["printable", "rows_of"]


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
