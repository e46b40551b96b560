"""The source of a plan: one function that puts the tree of a whole set together.

It is what a person would write for sets with this one series of tags: the segments by their places,
the names of their elements, a loop for what comes again alike. Only a guide's names and numbers
stand in it, never what a document says.

A segment is written out as it was in the set that the plan is made of: how many elements, which of
them empty. One that is otherwise is left to its namer (`naming`), so the tree is right for any.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from connectors.source import is_name
from connectors.x12.engine.rule import SegmentRule

Node = dict[str, Any]
Areas = dict[str, Node]
Tags = tuple[str, ...]

ALIKE = 3
"""How many items of a list must have one form for a loop to be written for them."""

WRITTEN_OUT = 32
"""How many segments are written out; what comes after them is left to the namers at once: more
source takes longer to compile than it saves in hundreds of sets."""

MOST_WRITTEN = 150
"""How many segments may stand in the source, those of a loop counted once."""


def source(tags: Tags, areas: Areas, rules: Mapping[str, SegmentRule]) -> list[str] | None:
    """The lines of ``made(s, compose)``: segments, and what splits the composites of one, to areas.

    It asks for ``n_<tag>`` and ``r_<tag>``, the namers and the rule of a segment, and for ``zip``.

    Args:
        tags: of the whole set, ST and SE among them.
        areas: the tree of such a set.
        rules: the guide's segments.

    Returns:
        The source; None where it would be too long to be worth it.

    Raises:
        ValueError: a tag, or the name of an element, that is no name.

    """
    if not all(map(is_name, tags)):
        raise ValueError("a tag holds letters and digits only")
    writer = _Writer(tags, rules)
    tables = ", ".join(f"{name!r}: {writer.node(node)}" for name, node in areas.items())
    if writer.written > MOST_WRITTEN:
        return None
    return ["def made(s, compose):", *writer.lines, f"    return {{{tables}}}"]


class _Writer:
    """Writes a tree as source; its segments stand in it in the order in which they were read."""

    def __init__(self, tags: Tags, rules: Mapping[str, SegmentRule]) -> None:
        self.lines: list[str] = []
        """What comes before the tree itself."""
        self.written = 0
        """How many segments stand in the source."""
        self._tags = tags
        self._rules = rules
        self._at = 0
        """The segment that was written last."""
        self._columns: Sequence[str] | None = None
        """In a loop: the variables of an item's segments that are not written yet."""
        self._indent = "    "
        self._variables = 0

    def node(self, node: Node) -> str:
        """A table or an item of a loop, as an expression."""
        parts = []
        for key, value in node.items():
            if isinstance(value, list):
                parts.append(f"{key!r}: {self._list(key, value)}")
            else:
                parts.append(f"{key!r}: {self._item(key, value)}")
        return "{" + ", ".join(parts) + "}"

    def _item(self, key: str, item: Node) -> str:
        return self._segment(item) if key in self._rules else self.node(item)

    def _list(self, key: str, items: list[Node]) -> str:
        """A list: as it stands, or as a variable that is filled by loops."""
        runs = [list(run) for _, run in groupby(items, lambda item: [*self._segments(key, item)])]
        if self._columns is not None or max(map(len, runs)) < ALIKE:
            return f"[{', '.join(self._item(key, item) for item in items)}]"
        variable = self._variable("l")
        self.lines.append(f"    {variable} = []")
        for run in runs:
            if len(run) < ALIKE:
                written = [f"    {variable}.append({self._item(key, item)})" for item in run]
                self.lines += written
            else:
                self._loop(variable, key, run)
        return variable

    def _loop(self, variable: str, key: str, run: list[Node]) -> None:
        """A loop over items that consist of the same segments."""
        first = self._at + 1
        size = sum(1 for _ in self._segments(key, run[0]))
        end = first + size * len(run)
        columns = [f"p{at}" for at in range(size)]
        slices = [f"s[{first + at}:{end}:{size}]" for at in range(size)]
        self.lines.append(f"    for {', '.join(columns)}, in zip({', '.join(slices)}):")
        self._columns, self._indent = columns, "        "
        written = self._item(key, run[0])
        self.lines.append(f"        {variable}.append({written})")
        self._columns, self._indent = None, "    "
        self._at = end - 1

    def _segment(self, named: Node) -> str:
        """A segment's elements by their names, as an expression."""
        self._at += 1
        self.written += 1
        segment = f"s[{self._at}]"
        if self._columns is not None:
            segment, *self._columns = self._columns
        tag = self._tags[self._at]
        rule = self._rules[tag]
        call = f"n_{tag}[len({segment})]({segment})"
        if rule.composites:
            call = f"compose(r_{tag}, {call})"
        there = [at for at, name in enumerate(rule.keys, 1) if name in named]
        split = any(isinstance(value, dict) for value in named.values())
        if split or not there or self.written > WRITTEN_OUT:
            return call
        return self._write_out(segment, rule.keys[: there[-1]], there, call)

    def _write_out(self, segment: str, keys: tuple[str, ...], there: list[int], call: str) -> str:
        """Write a segment out; where it is otherwise than it was, `call` names its elements."""
        if not all(map(is_name, keys)):
            raise ValueError("a name of an element holds letters and digits only")
        values = ", ".join(f"v{at}" for at in range(1, len(keys) + 1))
        asked = [f"v{at}" for at in there]
        asked += [f"not v{at}" for at in range(1, len(keys) + 1) if at not in there]
        pairs = ", ".join(f"{keys[at - 1]!r}: v{at}" for at in there)
        variable = self._variable("n")
        otherwise = f"{variable} = {call}"
        lines = [
            f"if len({segment}) == {len(keys) + 1}:",
            f"    _, {values}, = {segment}",
            f"    if {' and '.join(asked)}:",
            f"        {variable} = {{{pairs}}}",
            "    else:",
            f"        {otherwise}",
            "else:",
            f"    {otherwise}",
        ]
        self.lines += [self._indent + line for line in lines]
        return variable

    def _variable(self, kind: str) -> str:
        self._variables += 1
        return f"{kind}{self._variables}"

    def _segments(self, key: str, item: Node) -> Iterator[str]:
        """The keys on the way to every segment of an item, in order: its form, which source fits."""
        if key in self._rules:
            yield key
            return
        for inner, value in item.items():
            for at, each in enumerate(value if isinstance(value, list) else [value]):
                yield from (f"{inner}.{at}.{rest}" for rest in self._segments(inner, each))
