"""Segments to a tree that is ready for mapping, and what is wrong with their order.

The tree is a source document's ``heading``, ``detail`` and ``summary``; its shape is described in
``connectors/x12/README.md``.
"""

from __future__ import annotations

from typing import Any

from connectors.x12.engine.faults import Fault
from connectors.x12.engine.guide import Guide
from connectors.x12.engine.path import advance, defined, finish, step
from connectors.x12.engine.place import Loop, Slot, Step
from connectors.x12.engine.rule import SegmentRule

Node = dict[str, Any]

MAX_FAULTS = 100
"""A set is given up after so many faults: AK3 lists what a sender can use, not an endless list."""


class Tree:
    """Builds the tree of one transaction set, segment by segment."""

    def __init__(self, guide: Guide, component: str) -> None:
        self.areas: dict[str, Node] = {}
        self.faults: list[Fault] = []
        self._guide = guide
        self._component = component
        self._nodes: dict[int, Node] = {}
        """How many loops deep -> the node that is open there."""

    def build(self, segments: list[list[str]]) -> None:
        """Place all segments between ST and SE.

        Args:
            segments: the whole set, from ST on, with its SE where it has one.

        """
        plans = self._guide.plans
        tags = tuple([segment[0] for segment in segments])
        plan = plans.find(tags)
        if plan is not None:
            self.areas = plan(segments, self._compose)
            return
        self._walk(segments)
        if not self.faults:
            plans.learn(tags, self.areas)

    def _walk(self, segments: list[list[str]]) -> None:  # noqa: C901  # a call less per segment
        """Place the segments one by one."""
        slot, nodes = self._guide.begin, self._nodes
        node: Node = {}
        end = len(segments) - 1 if segments[-1][0] == "SE" else len(segments)
        for position, segment in enumerate(segments[1:end], 2):
            tag = segment[0]
            move = slot.steps.get(tag)
            if move is None or move.careful:
                move = self._checked(segments, position, slot, node)
                if len(self.faults) >= MAX_FAULTS:
                    return
                if move is None:
                    continue
            slot = move.slot
            named = slot.namers[len(segment)](segment)
            # Asked by how often each occurs in an order; the branches are most of a tree's cost.
            how = move.how
            if how == "loop":
                around = nodes[move.keep]
                node = nodes[move.keep + 1] = {tag: named}
                held = around.setdefault(move.key, [])
                held.append(node)
                if len(held) > move.most:
                    self._crowded(position, move.enter[0])
            elif how == "one":
                node[tag] = named
            elif how == "again":
                node[tag].append(named)
            else:
                node = node if move.stays else self._move(position, move)
                self._place(node, slot, named)
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
            # The guide may have a later place for the same tag, such as a loop that begins so.
            move = advance(slot, slot.tag, again=False)
            if move is None:
                self._add("segment_exceeds_maximum", slot.tag, position, slot.parent)
            else:
                self._missing(position, move.missing)
        return move

    def _move(self, position: int, move: Step) -> Node:
        """Close and open loops; gives the node that the segment goes into."""
        depth = move.keep
        node = self._nodes[depth] if depth else self._area(move.slot)
        for loop in move.enter:
            inner: Node = {}
            held = node.get(loop.key)
            if loop.maximum == 1:
                if held is not None:
                    self._crowded(position, loop)
                node[loop.key] = inner
            elif held is None:
                node[loop.key] = [inner]
            else:
                held.append(inner)
                if len(held) > loop.maximum:
                    self._crowded(position, loop)
            depth += 1
            self._nodes[depth] = node = inner
        return node

    def _crowded(self, position: int, loop: Loop) -> None:
        self._add("loop_exceeds_maximum", loop.first.tag, position, loop)

    def _area(self, slot: Slot) -> Node:
        """The table that the segment stands in, outside of any loop."""
        node = self._nodes[0] = self.areas.setdefault(slot.area, {})
        return node

    def _place(self, node: Node, slot: Slot, named: Node) -> None:
        if slot.rule.composites:
            named = self._compose(slot.rule, named)
        if slot.maximum == 1:
            node[slot.tag] = named
        elif slot.tag in node:
            node[slot.tag].append(named)
        else:
            node[slot.tag] = [named]

    def _compose(self, rule: SegmentRule, values: Node) -> Node:
        """Split the composites among a segment's elements, in place."""
        for position in rule.composites:
            key = rule.keys[position - 1]
            if key in values:
                parts = enumerate(values[key].split(self._component), 1)
                values[key] = {f"{key}{n:02d}": part for n, part in parts if part}
        return values

    def _misplaced(self, segments: list[list[str]], position: int, slot: Slot) -> None:
        tag = segments[position - 1][0]
        if tag not in self._guide.rules:
            self._add("segment_unrecognized", tag, position)
        elif slot.tag == tag:
            self._add("segment_exceeds_maximum", tag, position, slot.parent)
        elif not defined(self._guide.root, tag):
            self._add("segment_not_in_set", tag, position)
        elif _encloses(slot.parent, tag):
            self._add("segment_out_of_sequence", tag, position, slot.parent)
        else:
            self._add("segment_unexpected", tag, position, slot.parent)

    def _missing(self, position: int, missing: tuple[Slot, ...]) -> None:
        for slot in missing:
            self._add("segment_missing", slot.tag, position, slot.parent)

    def _add(self, code: str, tag: str, position: int, loop: Loop | None = None) -> None:
        name = loop.name if loop and loop.parent else ""
        self.faults.append(Fault(code, tag, position, loop=name))


def _encloses(loop: Loop | None, tag: str) -> bool:
    """Whether `tag` has a place of its own in one of the open loops."""
    while loop is not None:
        if any(item.tag == tag for item in loop.items if isinstance(item, Slot)):
            return True
        loop = loop.parent
    return False
