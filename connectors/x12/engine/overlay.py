"""A partner's own guide: what it narrows in the standard's, and segments that it adds.

Checked after the standard's guide was kept, so that nobody pays for it who has none: a second walk
over the set counts what stands where. Codes: `faults.PARTNER_CODES`.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.x12.engine.element import value_fault
from connectors.x12.engine.faults import Fault
from connectors.x12.engine.guide import AREAS, Guide, GuideError, Table, compile_guide
from connectors.x12.engine.path import advance, step
from connectors.x12.engine.place import Loop, Slot, Step
from connectors.x12.engine.rule import Element, SegmentRule

Segments = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What a partner's guide says of one place: a loop, a segment or an element."""

    place: tuple[str, ...]
    """The loops' keys and the tag, from the outside: ``("PO1_loop", "PO1")``."""
    element: int = 0
    """Its position in the segment; 0 where the segment or loop is meant."""
    required: bool = False
    unused: bool = False
    maximum: int | None = None
    """How often a segment or loop may occur."""
    codes: frozenset[str] = frozenset()
    lengths: tuple[int, int] | None = None
    qualifiers: tuple[str, ...] = ()
    """First elements of which each must occur at least once."""


@dataclass(frozen=True, slots=True)
class Own:
    """A segment that a partner adds, and where it stands."""

    tag: str
    row: Mapping[str, Any]
    """As in ``segments.json``."""
    after: tuple[str, ...]
    use: str
    """As in a set's table, without the tag: ``O 1``."""


@dataclass(slots=True)
class _Instance:
    """One occurrence of a loop, or the set itself."""

    path: tuple[str, ...]
    name: str
    counts: Counter[str] = field(default_factory=Counter)
    firsts: dict[str, set[str]] = field(default_factory=dict)


class Overlay:
    """The narrowed places of one set, found again while walking it."""

    def __init__(self, guide: Guide, rules: Sequence[Narrowed]) -> None:
        """Take the rules over.

        Raises:
            GuideError: a place or an element that the guide does not have.

        """
        self._guide = guide
        self._elements: dict[tuple[str, ...], list[Narrowed]] = {}
        self._places: dict[tuple[str, ...], list[Narrowed]] = {}
        for rule in rules:
            found = _find(guide, rule)
            if rule.element:
                self._elements.setdefault(rule.place, []).append(rule)
            else:
                self._places.setdefault(rule.place[:-1], []).append(rule)
            if rule.element > (99 if found.open else len(found.elements)):
                raise GuideError(f"{'.'.join(rule.place)} has no element {rule.element:02d}")

    def faults(self, segments: Segments) -> list[Fault]:
        """What the partner's guide finds wrong with a set that keeps the standard's."""
        found = list(self._walk(segments))
        tags = [segment[0] for segment in segments]
        for at, fault in enumerate(found):
            before = tags[: fault.position].count(fault.tag)
            missing = fault.code == "partner_segment_missing"
            occurrence = tags[: fault.position - 1].count(fault.tag) + 1 if missing else before
            found[at] = _numbered(fault, occurrence)
        return sorted(found, key=lambda fault: (fault.position, fault.element))

    def _walk(self, segments: Segments) -> Iterator[Fault]:
        slot = self._guide.begin
        open_ = [_Instance((), "")]
        end = len(segments) - (segments[-1][0] == "SE")
        for position, segment in enumerate(segments[1:end], 2):
            move = _move(slot, segment[0], open_[-1])
            if move is None:
                continue
            slot = move.slot
            if not move.stays:
                yield from self._close(open_, move.keep, position)
                for loop in move.enter:
                    yield from self._enter(open_, loop, position)
            yield from self._segment(open_[-1], segment, position)
        yield from self._close(open_, -1, end + 1)

    def _enter(self, open_: list[_Instance], loop: Loop, position: int) -> Iterator[Fault]:
        around = open_[-1]
        around.counts[loop.key] += 1
        yield from self._too_many(around, loop.key, loop.name, position)
        open_.append(_Instance((*around.path, loop.key), loop.name))

    def _segment(self, inside: _Instance, segment: Sequence[str], position: int) -> Iterator[Fault]:
        tag = segment[0]
        inside.counts[tag] += 1
        inside.firsts.setdefault(tag, set()).add(segment[1] if len(segment) > 1 else "")
        yield from self._too_many(inside, tag, tag, position)
        for rule in self._elements.get((*inside.path, tag), ()):
            value = segment[rule.element] if rule.element < len(segment) else ""
            code = _element_code(rule, value)
            if code:
                known = self._guide.rules[tag].elements[rule.element - 1 : rule.element]
                number, name = (known[0].number, known[0].name) if known else ("", "")
                yield Fault(
                    code, tag, position, loop=inside.name, element=rule.element, number=number,
                    name=name,
                )  # fmt: skip

    def _too_many(self, inside: _Instance, key: str, tag: str, position: int) -> Iterator[Fault]:
        for rule in self._places.get(inside.path, ()):
            if rule.place[-1] != key:
                continue
            if rule.unused:
                yield Fault("partner_segment_unused", tag, position, loop=inside.name)
            elif rule.maximum is not None and inside.counts[key] > rule.maximum:
                yield Fault("partner_segment_exceeds", tag, position, loop=inside.name)

    def _close(self, open_: list[_Instance], keep: int, position: int) -> Iterator[Fault]:
        """Close loops down to `keep` open ones (-1: the set too); say what is missing in them."""
        while len(open_) > keep + 1:
            done = open_.pop()
            for rule in self._places.get(done.path, ()):
                key = rule.place[-1]
                absent = rule.required and not done.counts[key]
                seen = done.firsts.get(key, set())
                if absent or any(each not in seen for each in rule.qualifiers):
                    tag = key.removesuffix("_loop")
                    yield Fault("partner_segment_missing", tag, position, loop=done.name)


def compile_overlaid(table: Table, release: str, own: Sequence[Own]) -> Guide:
    """The standard's table with a partner's own segments in their places, compiled.

    Raises:
        GuideError: a place that the table does not have, or a segment that contradicts itself.

    """
    widened = copy.deepcopy(table)
    for each in own:
        _insert(widened, each)
    return compile_guide(widened, release, {each.tag: each.row for each in own})


def _insert(table: Table, own: Own) -> None:
    *loops, last = own.after
    for area in AREAS:
        rows: list[Any] | None = table[area]
        for loop in loops:
            rows = next(
                (
                    row["of"]
                    for row in rows or ()
                    if isinstance(row, dict) and f"{row['loop'].split()[0]}_loop" == loop
                ),
                None,
            )
        for at, row in enumerate(rows or ()):
            name = row.split()[0] if isinstance(row, str) else f"{row['loop'].split()[0]}_loop"
            if name == last and rows is not None:
                rows.insert(at + 1, f"{own.tag} {own.use}")
                return
    raise GuideError(f"{'.'.join(own.after)} is no place of this set")


def impossible(rule: Narrowed, guides: Sequence[Guide]) -> str:
    """What a rule asks for that no value can be in any of the guides; "" where all can be."""
    elements = [each for guide in guides if (each := _element_of(guide, rule)) is not None]
    if not elements:
        return ""
    for code in sorted(rule.codes):
        if all(value_fault(element, code) for element in elements):
            return f"{code} is no value of element {elements[-1].number}"
    if rule.lengths:
        least, most = rule.lengths
        if not any(max(least, e.minimum) <= min(most, e.maximum) for e in elements):
            return f"no value of element {elements[-1].number} is so long"
    return ""


def _element_of(guide: Guide, rule: Narrowed) -> Element | None:
    """The simple element that a rule is about; None: it is about none, or about an open one."""
    found = _find(guide, rule).elements[rule.element - 1 : rule.element] if rule.element else ()
    return found[0] if found and not found[0].components else None


def _find(guide: Guide, rule: Narrowed) -> SegmentRule:
    """The segment that a rule is about; of a loop, its first one."""
    loops: list[Loop] = [guide.root]
    for key in rule.place[:-1]:
        loops = [i for loop in loops for i in loop.items if isinstance(i, Loop) and i.key == key]
    last = rule.place[-1]
    for item in (item for loop in loops for item in loop.items):
        if isinstance(item, Slot) and item.tag == last:
            return item.rule
        if isinstance(item, Loop) and item.key == last and not rule.element:
            return item.first.rule
    raise GuideError(f"{'.'.join(rule.place)} is no place of this set")


def _move(slot: Slot, tag: str, inside: _Instance) -> Step | None:
    move = slot.steps.get(tag) or step(slot, tag)
    if move is not None and move.slot is slot and inside.counts[tag] >= slot.maximum:
        return advance(slot, tag, again=False)
    return move


def _element_code(rule: Narrowed, value: str) -> str | None:
    if not value:
        return "partner_element_missing" if rule.required else None
    if rule.unused:
        return "partner_element_unused"
    if rule.codes and value not in rule.codes:
        return "partner_code_unused"
    if rule.lengths and not rule.lengths[0] <= len(value) <= rule.lengths[1]:
        return "partner_element_length"
    return None


def _numbered(fault: Fault, occurrence: int) -> Fault:
    return Fault(
        fault.code, fault.tag, fault.position, occurrence=max(occurrence, 1), loop=fault.loop,
        element=fault.element, number=fault.number, name=fault.name,
    )  # fmt: skip
