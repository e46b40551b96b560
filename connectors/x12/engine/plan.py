"""Trees by plan: where the segments go is the same for all sets with the same series of tags.

What the guide says of a series of tags is worked out by the automaton (`path`). A partner's orders
have few such series, one for each number of lines and each optional segment; for those that come
again a function is made that puts the whole tree together at once. It is made of the guide's names
and of positions alone, never of what a document says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from sys import intern
from typing import Any, TypeVar

from connectors.source import is_name, made
from connectors.x12.engine.rule import SegmentRule

Value = TypeVar("Value")
Node = dict[str, Any]
Areas = dict[str, Node]
Tags = tuple[str, ...]
Compose = Callable[[SegmentRule, Node], Node]
Plan = Callable[[list[list[str]], Compose], Areas]
"""Segments, and what splits the composites of one, to the tables of the set."""

SEEN = 3
"""How often a series of tags was seen before it gets a plan: to make one costs what reading ten
such sets does."""

MOST_SEGMENTS = 500
"""Of a set that may get a plan; longer ones are too seldom alike."""

MOST_PLANS = 256
"""Series that are remembered; the oldest gives way. A plan of 500 segments takes 100 kB."""


class Plans:
    """The plans of one guide."""

    def __init__(self, rules: Mapping[str, SegmentRule]) -> None:
        """Take the guide's segments."""
        self._rules = rules
        self._plans: dict[Tags, Plan] = {}
        self._seen: dict[Tags, int] = {}

    def find(self, tags: Tags) -> Plan | None:
        """The plan for the tags of a whole set, ST and SE among them."""
        return self._plans.get(tags)

    def learn(self, tags: Tags, areas: Areas) -> None:
        """Note how a set that keeps its guide was placed.

        Args:
            tags: of its segments.
            areas: its tree.

        """
        if len(tags) > MOST_SEGMENTS:
            return
        seen = self._seen.pop(tags, 0) + 1
        if seen >= SEEN:
            _keep(self._plans, tags, _plan(tags, areas, self._rules))
        else:
            _keep(self._seen, tags, seen)


def _keep(kept: dict[Tags, Value], tags: Tags, value: Value) -> None:
    if len(kept) >= MOST_PLANS:
        del kept[next(iter(kept))]
    kept[tuple(map(intern, tags))] = value  # a guide's tags: each is in memory once


def _plan(tags: Tags, areas: Areas, rules: Mapping[str, SegmentRule]) -> Plan:
    if not all(map(is_name, tags)):
        raise ValueError("a tag holds letters and digits only")
    writer = _Writer(tags, rules)
    known: dict[str, object] = {}
    for tag in {*tags} & rules.keys():
        known |= {f"r_{tag}": rules[tag], f"n_{tag}": rules[tag].namers}
    tables = ", ".join(f"{name!r}: {writer.node(node)}" for name, node in areas.items())
    plan: Plan = made(["def made(s, compose):", f"    return {{{tables}}}"], known)
    return plan


class _Writer:
    """Writes a tree as source; its segments stand in it in the order in which they were read."""

    def __init__(self, tags: Tags, rules: Mapping[str, SegmentRule]) -> None:
        self._tags = tags
        self._rules = rules
        self._at = 0

    def node(self, node: Node) -> str:
        parts = []
        for key, value in node.items():
            write = self._segment if key in self._rules else self.node
            many = isinstance(value, list)
            written = ", ".join(write(each) for each in (value if many else [value]))
            parts.append(f"{key!r}: [{written}]" if many else f"{key!r}: {written}")
        return "{" + ", ".join(parts) + "}"

    def _segment(self, _named: Node) -> str:
        self._at += 1
        tag, segment = self._tags[self._at], f"s[{self._at}]"
        named = f"n_{tag}[len({segment})]({segment})"
        return f"compose(r_{tag}, {named})" if self._rules[tag].composites else named
