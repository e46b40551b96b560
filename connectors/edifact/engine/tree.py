"""Segments to a tree that is ready for mapping, and what is wrong with their order.

The tree is a source document's ``heading``, ``detail`` and ``summary``; its shape is described in
``connectors/edifact/README.md``.
"""

from __future__ import annotations

from typing import Any

from connectors.edifact.engine.delimiters import Delimiters
from connectors.edifact.engine.faults import Fault
from connectors.edifact.engine.guide import Group, Guide, SegmentRule, Slot, Step
from connectors.edifact.engine.path import advance, defined, finish, step

Node = dict[str, Any]

MAX_FAULTS = 100
"""A message is given up after so many faults: a CONTRL lists what a sender can use."""


class Tree:
    """Builds the tree of one message, segment by segment."""

    def __init__(self, guide: Guide, marks: Delimiters, *, commas: bool) -> None:
        """Prepare for one message.

        Args:
            guide: of its type and version.
            marks: of its interchange.
            commas: a comma stands somewhere in it, perhaps as a decimal mark.

        """
        self.areas: dict[str, Node] = {}
        self.faults: list[Fault] = []
        self.rules: list[SegmentRule | None] = []
        """For every segment after the UNH the rule of its place; None where it has none."""
        self._guide = guide
        self._component = marks.component
        self._repetition = marks.repetition
        self._commas = commas
        self._nodes: dict[int, Node] = {}
        """How many groups deep -> the node that is open there."""

    def build(self, segments: list[list[str]]) -> None:  # noqa: C901  # a call less per segment
        """Place all segments between UNH and UNT.

        Args:
            segments: the whole message, from its UNH on, with its UNT where it has one.

        """
        slot, nodes = self._guide.begin, self._nodes
        node: Node = {}
        end = len(segments) - 1 if segments[-1][0] == "UNT" else len(segments)
        rules, mark = self.rules, self._component
        commas, plain = self._commas, self._repetition is None
        for position, segment in enumerate(segments[1:end], 2):
            tag = segment[0]
            move = slot.steps.get(tag)
            if move is None or move.careful:
                move = self._checked(segments, position, slot, node)
                if len(self.faults) >= MAX_FAULTS:
                    return
                if move is None:
                    rules.append(None)
                    continue
            slot = move.slot
            rules.append(slot.rule)
            named = (
                slot.namers[len(segment)](segment, mark) if plain else self._named(slot, segment)
            )
            if commas and slot.rule.numeric:
                self._points(slot, named)
            # Asked by how often each occurs in an order; the branches are most of a tree's cost.
            how = move.how
            if how == "group":
                around = nodes[move.keep]
                node = nodes[move.keep + 1] = {tag: named}
                held = around.setdefault(move.key, [])
                held.append(node)
                if len(held) > move.most:
                    self._crowded(position, move.enter[0])
            elif how == "one":
                node[tag] = named
            else:
                node = node if move.stays else self._move(position, move)
                if slot.maximum == 1:
                    node[tag] = named
                else:
                    node.setdefault(tag, []).append(named)
        self._missing(end + 1, finish(slot))

    def _checked(
        self, segments: list[list[str]], position: int, slot: Slot, node: Node
    ) -> Step | None:
        """The step to take after all, with its faults noted; None: the segment has no place."""
        move = step(slot, segments[position - 1][0])
        if move is None:
            self._misplaced(segments, position, slot)
            return None
        self._missing(position, move.missing)
        if move.again and len(node[slot.tag]) >= slot.maximum:
            # The guide may have a later place for the same tag, such as a group that begins so.
            move = advance(slot, slot.tag, again=False)
            if move is None:
                self._exceeding(position, slot)
            else:
                self._missing(position, move.missing)
        return move

    def _move(self, position: int, move: Step) -> Node:
        """Close and open groups; gives the node that the segment goes into."""
        depth = move.keep
        if not depth:
            self._nodes[0] = self.areas.setdefault(move.slot.area, {})
        node = self._nodes[depth]
        for group in move.enter:
            inner: Node = {}
            held = node.setdefault(group.key, [])
            held.append(inner)
            if len(held) > group.maximum:
                self._crowded(position, group)
            depth += 1
            self._nodes[depth] = node = inner
        return node

    def _crowded(self, position: int, group: Group) -> None:
        most = f"at most {group.maximum}"
        self._add("segment_group_exceeds_maximum", group.first.tag, position, group, most)

    def _exceeding(self, position: int, slot: Slot) -> None:
        most = f"at most {slot.maximum}"
        self._add("segment_exceeds_maximum", slot.tag, position, slot.parent, most)

    def _named(self, slot: Slot, segment: list[str]) -> Node:
        """The values of a segment whose elements may repeat, by their keys."""
        component, repetition = self._component, self._repetition
        named: Node = {}
        for keys, element in zip(slot.keys, segment[1:]):  # noqa: B905
            if repetition is not None and repetition in element:
                self._repeat(named, keys, element.split(repetition))
            elif component in element:
                for key, value in zip(keys, element.split(component)):  # noqa: B905
                    if value:
                        named[key] = value
            elif element:
                named[keys[0]] = element
        return named

    def _points(self, slot: Slot, named: Node) -> None:
        """Put points for decimal commas, in place."""
        for key in slot.rule.numeric.intersection(named):
            named[key] = named[key].replace(",", ".")

    def _repeat(self, named: Node, keys: tuple[str, ...], repeated: list[str]) -> None:
        """The second time an element stands at its position its keys end in ``_2``."""
        for time, element in enumerate(repeated, 1):
            suffix = f"_{time}" if time > 1 else ""
            for key, value in zip(keys, element.split(self._component), strict=False):
                if value:
                    named[key + suffix] = value

    def _misplaced(self, segments: list[list[str]], position: int, slot: Slot) -> None:
        tag = segments[position - 1][0]
        if tag not in self._guide.rules:
            self._add("segment_unrecognized", tag, position)
        elif slot.tag == tag:
            self._exceeding(position, slot)
        elif not defined(self._guide.root, tag):
            self._add("segment_not_in_message", tag, position)
        elif _encloses(slot.parent, tag):
            self._add("segment_out_of_sequence", tag, position, slot.parent)
        else:
            self._add("segment_unexpected", tag, position, slot.parent)

    def _missing(self, position: int, missing: tuple[Slot, ...]) -> None:
        for slot in missing:
            self._add("segment_missing", slot.tag, position, slot.parent)

    def _add(
        self, code: str, tag: str, position: int, group: Group | None = None, expected: str = ""
    ) -> None:
        name = group.name if group and group.parent else ""
        self.faults.append(Fault(code, tag, position, group=name, expected=expected))


def _encloses(group: Group | None, tag: str) -> bool:
    """Whether `tag` has a place of its own in one of the open groups."""
    while group is not None:
        if any(item.tag == tag for item in group.items if isinstance(item, Slot)):
            return True
        group = group.parent
    return False
