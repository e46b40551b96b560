"""HL trees: hierarchical levels as they belong together, and flat again for writing.

X12 writes a tree as a list: each HL names itself (HL01) and its parent (HL02; X12.6, 3.10). In a
body the children of a level stand in its own ``HL_loop``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

Node = dict[str, Any]

KEY = "HL_loop"
"""The loop's key in a body, and in each level that has levels below it."""


def nest(levels: Sequence[Node]) -> list[Node]:
    """Put every level into the one that it names as its parent.

    A parent must come before its children. A level that names none, or one that has not come
    yet, stands at the top: nothing is lost, and `engine.application` says what is wrong.
    """
    top: list[Node] = []
    known: dict[str, Node] = {}
    for level in levels:
        segment = level["HL"]
        parent = known.get(segment.get("HL02", ""))
        (top if parent is None else parent.setdefault(KEY, [])).append(level)
        known.setdefault(segment.get("HL01", ""), level)
    return top


def nested(areas: dict[str, Node]) -> None:
    """Make a tree of a set's levels, in place; a set without levels stays as it is."""
    detail = areas.get("detail")
    if detail is not None and KEY in detail:
        detail[KEY] = nest(detail[KEY])


def flatten(levels: Sequence[object]) -> Iterator[object]:
    """Give each level before the levels below it, in their order, without its children.

    What is no level passes as it is, for the writer to refuse.
    """
    waiting = list(reversed(levels))
    while waiting:
        level = waiting.pop()
        if isinstance(level, dict) and KEY in level:
            below = level[KEY]
            waiting += reversed(below if isinstance(below, list) else [below])
            level = {key: value for key, value in level.items() if key != KEY}  # its own part of it
        yield level
