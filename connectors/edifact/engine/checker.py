"""Checks a message against its guide: its structure, and the elements of every segment.

Fault codes are those of `faults`. A message is checked in one pass for its order (`tree`) and one
for its elements.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from connectors.edifact.engine.delimiters import Delimiters
from connectors.edifact.engine.element import segment_faults
from connectors.edifact.engine.faults import Fault
from connectors.edifact.engine.guide import Guide, SegmentRule
from connectors.edifact.engine.marks import table
from connectors.edifact.engine.packing import nest
from connectors.edifact.engine.pattern import SEPARATOR, pattern, patterns
from connectors.edifact.engine.tree import MAX_FAULTS, Node, Tree


@dataclass(frozen=True, slots=True)
class Checked:
    """A message, read and checked."""

    areas: dict[str, Node]
    """``heading``, ``detail`` and ``summary``, as far as they hold anything."""
    faults: list[Fault]
    """In the order of their places; at most `MAX_FAULTS`."""


def check(
    guide: Guide, segments: list[list[str]], marks: Delimiters, *, escaped: bool = True
) -> Checked:
    """Read a message into its tree and check it.

    Args:
        guide: the guide of its type and version.
        segments: the whole message, from its UNH on, with its UNT where it has one.
        marks: of its interchange.
        escaped: stand-ins for released characters may stand in it.

    """
    joined = [SEPARATOR.join(segment) for segment in segments]
    commas = any("," in text for text in joined)
    tree = Tree(guide, marks, commas=commas)
    tree.build(segments)
    faults = tree.faults + _check_elements(tree.rules, segments, joined, marks)
    areas = tree.areas
    if escaped:
        areas = {area: _unescaped(node, table(marks)) for area, node in areas.items()}
    nest(areas)
    return Checked(areas, placed(faults, segments) if faults else faults)


def _check_elements(
    rules: list[SegmentRule | None],
    segments: list[list[str]],
    joined: list[str],
    marks: Delimiters,
) -> list[Fault]:
    """Check the elements of every segment by the rule of its place."""
    faults: list[Fault] = []
    component, repetition = marks.component, marks.repetition or ""
    known = patterns(component, repetition)
    for index, rule in enumerate(rules, 1):
        if rule is None:
            continue
        right = known.get(rule)
        if right is None:
            right = known[rule] = pattern(rule, component, repetition)
        if not right.fullmatch(joined[index], 3):  # behind the tag
            faults += segment_faults(rule, segments[index], index + 1, marks)
            if len(faults) >= MAX_FAULTS:
                break
    return faults


def _unescaped(node: Node, escapes: dict[int, str]) -> Node:
    """The tree with the characters that were released, in place."""
    for key, value in node.items():
        if isinstance(value, str):
            if not value.isascii():
                node[key] = value.translate(escapes)
        elif isinstance(value, dict):
            _unescaped(value, escapes)
        else:
            for inner in value:
                _unescaped(inner, escapes)
    return node


def placed(faults: list[Fault], segments: list[list[str]]) -> list[Fault]:
    """The first faults in their order, each with the how-manieth of its tag it stands in."""
    faults = sorted(faults, key=lambda fault: (fault.position, fault.element, fault.component))
    tags = [segment[0] for segment in segments]
    return [
        replace(fault, occurrence=tags[: fault.position].count(fault.tag) or 1)
        if fault.code != "segment_missing"
        else replace(fault, occurrence=tags[: fault.position - 1].count(fault.tag) + 1)
        for fault in faults[:MAX_FAULTS]
    ]
