"""The elements of a segment to the object that a body holds: ``{"PO101": "1", "PO102": "3"}``.

For each segment of a guide and each number of elements one small function is made of the guide's
own names, when it is first needed. That is what a person would write by hand for this one segment;
a loop over names and elements costs three times as much, and it is most of what a tree costs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from connectors.source import is_name, made

Node = dict[str, Any]
Namer = Callable[[list[str]], Node]


class Namers(dict[int, Namer]):
    """How a segment's elements are named: how many parts it has, its tag included -> function.

    At most as many as the segment has names, and one: what stands after the last name is no part
    of a body.
    """

    __slots__ = ("_keys",)

    def __init__(self, keys: tuple[str, ...]) -> None:
        """Take the names of a segment's elements, in their order."""
        super().__init__()
        self._keys = keys

    def __missing__(self, parts: int) -> Namer:
        """Make the function for a segment of so many parts."""
        most = len(self._keys) + 1
        if parts > most:
            return _longer(self._keys)
        namer = self[parts] = _namer(self._keys[: parts - 1])
        return namer


@lru_cache(maxsize=4096)
def _namer(keys: tuple[str, ...]) -> Namer:
    """A function that names exactly these elements, and leaves out the empty ones.

    ``{"N101": a, "N102": b}`` with the empty ones removed again is faster than asking each first:
    most are not empty.
    """
    if not all(map(is_name, keys)):
        raise ValueError("a name of an element holds letters and digits only")
    values = [f"v{at}" for at in range(len(keys))]
    lines = [
        "def made(segment):",
        f"    {', '.join(['_', *values])}, = segment",
        "    node = {"
        + ", ".join(f"{key!r}: {v}" for key, v in zip(keys, values, strict=True))
        + "}",
    ]
    for key, value in zip(keys, values, strict=True):
        lines += [f"    if not {value}:", f"        del node[{key!r}]"]
    namer: Namer = made([*lines, "    return node"], {})
    return namer


def _longer(keys: tuple[str, ...]) -> Namer:
    """For a segment with more elements than there are names."""

    def namer(segment: list[str]) -> Node:
        pairs = zip(keys, segment[1:], strict=False)
        return {key: value for key, value in pairs if value}

    return namer
