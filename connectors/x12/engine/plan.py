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

from connectors.source import made
from connectors.x12.engine.plan_source import source
from connectors.x12.engine.rule import SegmentRule

Value = TypeVar("Value")
Node = dict[str, Any]
Areas = dict[str, Node]
Tags = tuple[str, ...]
Compose = Callable[[SegmentRule, Node], Node]
Plan = Callable[[list[list[str]], Compose], Areas]
"""Segments, and what splits the composites of one, to the tables of the set."""

SEEN = 20
"""How often a series of tags was seen before it gets a plan: to make one costs what reading twenty
such sets does."""

MOST_SEGMENTS = 500
"""Of a set that may get a plan; longer ones are too seldom alike."""

MOST_PLANS = 256
"""Series that are remembered; the oldest gives way. A plan takes 60 kB at most."""


class Plans:
    """The plans of one guide."""

    def __init__(self, rules: Mapping[str, SegmentRule]) -> None:
        """Take the guide's segments."""
        self._rules = rules
        self._plans: dict[Tags, Plan | None] = {}
        """None: a plan would not be worth it."""
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
        if len(tags) > MOST_SEGMENTS or tags in self._plans:
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


def _plan(tags: Tags, areas: Areas, rules: Mapping[str, SegmentRule]) -> Plan | None:
    lines = source(tags, areas, rules)
    if lines is None:
        return None
    known: dict[str, object] = {"zip": zip}
    for tag in {*tags} & rules.keys():
        known |= {f"r_{tag}": rules[tag], f"n_{tag}": rules[tag].namers}
    plan: Plan = made(lines, known)
    return plan
