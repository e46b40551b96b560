"""The components of a segment to the object that a body holds: ``{"QTY0101": "21", "QTY0102": "5"}``.

For each segment of a guide and each number of elements one small function is made of the guide's
own names, when it is first needed: what a person would write by hand for this one segment. A loop
over names and elements costs twice as much, and it is most of what a tree costs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from connectors.source import is_name, made

Node = dict[str, Any]
Keys = tuple[tuple[str, ...], ...]
Namer = Callable[[list[str], str], Node]
"""A segment and the component separator -> its values by their keys; what is empty is not there."""


class Namers(dict[int, Namer]):
    """How a segment's elements are named: how many parts it has, its tag included -> function.

    At most as many as the segment has elements, and one: what stands after them is no part of a
    body.
    """

    __slots__ = ("_keys",)

    def __init__(self, keys: Keys) -> None:
        """Take the keys of a segment's components, for every position."""
        super().__init__()
        self._keys = keys

    def __missing__(self, parts: int) -> Namer:
        """Make the function for a segment of so many parts."""
        if parts > len(self._keys) + 1:
            return _longer(self._keys)
        namer = self[parts] = _namer(self._keys[: parts - 1])
        return namer


@lru_cache(maxsize=4096)
def _namer(keys: Keys) -> Namer:
    """A function that names the components of exactly so many elements."""
    if not all(is_name(key) for names in keys for key in names):
        raise ValueError("a name of a component holds letters and digits only")
    lines = [
        "def made(segment, mark):",
        f"    {', '.join(['_', *(f'e{at}' for at in range(len(keys)))])}, = segment",
        "    node = {}",
    ]
    for at, names in enumerate(keys):
        lines += _element(f"e{at}", names)
    namer: Namer = made([*lines, "    return node"], {"zip": zip})
    return namer


def _element(value: str, names: tuple[str, ...]) -> list[str]:
    """Lines for one element: most have one component, two or three."""
    lines = [
        f"    if mark in {value}:",
        f"        parts = {value}.split(mark)",
    ]
    counts = range(2, min(len(names), 3) + 1)
    for count in counts:
        lines += [
            f"        {'if' if count == counts[0] else 'elif'} len(parts) == {count}:",
            f"            {', '.join(f'c{n}' for n in range(count))} = parts",
        ]
        for n in range(count):
            lines += [f"            if c{n}:", f"                node[{names[n]!r}] = c{n}"]
    inner = "            " if counts else "        "
    return [
        *lines,
        *(["        else:"] if counts else []),
        f"{inner}for key, part in zip({names!r}, parts):",
        f"{inner}    if part:",
        f"{inner}        node[key] = part",
        f"    elif {value}:",
        f"        node[{names[0]!r}] = {value}",
    ]


def _longer(keys: Keys) -> Namer:
    """For a segment with more elements than there are keys."""
    named = _namer(keys)

    def namer(segment: list[str], mark: str) -> Node:
        return named(segment[: len(keys) + 1], mark)

    return namer
