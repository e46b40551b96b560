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


_ONE_ELEMENT = 2
"""The length of a segment of its tag and one element: half of all are that short."""


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
        self._stack: list[Node] = []

    def build(self, segments: list[list[str]]) -> None:
        """Place all segments between UNH and UNT.

        Args:
            segments: the whole message, from its UNH on, with its UNT where it has one.

        """
        slot = self._guide.begin
        node: Node = {}
        end = len(segments) - 1 if segments[-1][0] == "UNT" else len(segments)
        rules, named_by = self.rules, self._named
        for position, segment in enumerate(segments[1:end], 2):
            tag = segment[0]
            move = slot.steps.get(tag) or step(slot, tag)
            if move is None or move.missing or move.slot is slot:
                move = self._checked(segments, position, slot, move)
                if len(self.faults) >= MAX_FAULTS:
                    return
                if move is None:
                    rules.append(None)
                    continue
            if not move.stays:
                node = self._move(position, move)
            slot = move.slot
            rules.append(slot.rule)
            named = named_by(slot, segment)
            if slot.maximum == 1:
                node[tag] = named
            elif tag in node:
                node[tag].append(named)
            else:
                node[tag] = [named]
        self._missing(end + 1, finish(slot))

    def _checked(
        self, segments: list[list[str]], position: int, slot: Slot, move: Step | None
    ) -> Step | None:
        """The step to take after all, with its faults noted; None: the segment has no place."""
        if move is None:
            self._misplaced(segments, position, slot)
            return None
        self._missing(position, move.missing)
        if move.slot is slot and move.stays and len(self._stack[-1][slot.tag]) >= slot.maximum:
            # The guide may have a later place for the same tag, such as a group that begins so.
            move = advance(slot, slot.tag, again=False)
            if move is None:
                self._add("segment_exceeds_maximum", slot.tag, position, slot.parent)
            else:
                self._missing(position, move.missing)
        return move

    def _move(self, position: int, move: Step) -> Node:
        """Close and open groups; gives the node that the segment goes into."""
        stack = self._stack
        if move.keep:
            del stack[move.keep + 1 :]
            node = stack[-1]
        else:
            area = move.enter[0].area if move.enter else move.slot.area
            node = self.areas.get(area) or self.areas.setdefault(area, {})
            stack[:] = (node,)
        for group in move.enter:
            inner: Node = {}
            found = node.get(group.key)
            if found is None:
                node[group.key] = [inner]
            else:
                found.append(inner)
                if len(found) > group.maximum:
                    self._add("segment_group_exceeds_maximum", group.first.tag, position, group)
            stack.append(inner)
            node = inner
        return node

    def _one(self, slot: Slot, element: str) -> Node:
        """The values of a segment of one element, by their keys."""
        values = element.split(self._component)
        named: Node = dict(zip(slot.keys[0], values))  # noqa: B905  # its keyword costs
        if "" in values:
            named = {key: value for key, value in named.items() if value}
        return self._points(slot, named) if self._commas and "," in element else named

    def _named(self, slot: Slot, segment: list[str]) -> Node:
        """The values of a segment by their keys; what is empty is not there."""
        component, repetition = self._component, self._repetition
        if len(segment) == _ONE_ELEMENT and repetition is None and slot.keys:
            return self._one(slot, segment[1])
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
        return self._points(slot, named) if self._commas else named

    def _points(self, slot: Slot, named: Node) -> Node:
        """Put points for decimal commas, in place."""
        if slot.rule.numeric:
            for key in slot.rule.numeric.intersection(named):
                named[key] = named[key].replace(",", ".")
        return named

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
            self._add("segment_exceeds_maximum", tag, position, slot.parent)
        elif not defined(self._guide.root, tag):
            self._add("segment_not_in_message", tag, position)
        elif _encloses(slot.parent, tag):
            self._add("segment_out_of_sequence", tag, position, slot.parent)
        else:
            self._add("segment_unexpected", tag, position, slot.parent)

    def _missing(self, position: int, missing: tuple[Slot, ...]) -> None:
        for slot in missing:
            self._add("segment_missing", slot.tag, position, slot.parent)

    def _add(self, code: str, tag: str, position: int, group: Group | None = None) -> None:
        name = group.name if group and group.parent else ""
        self.faults.append(Fault(code, tag, position, group=name))


def _encloses(group: Group | None, tag: str) -> bool:
    """Whether `tag` has a place of its own in one of the open groups."""
    while group is not None:
        if any(item.tag == tag for item in group.items if isinstance(item, Slot)):
            return True
        group = group.parent
    return False
