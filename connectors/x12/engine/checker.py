"""Checks a transaction set against its guide: structure, elements, syntax notes.

Fault codes are those of the 997 (`faults`). A set is checked in one pass for its order (`tree`)
and one for its elements.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from connectors.x12.engine.delimiters import Delimiters
from connectors.x12.engine.element import segment_faults, write_plainly
from connectors.x12.engine.faults import Fault
from connectors.x12.engine.guide import Guide
from connectors.x12.engine.pattern import SEPARATOR, has_control
from connectors.x12.engine.tree import MAX_FAULTS, Node, Tree


@dataclass(frozen=True, slots=True)
class Checked:
    """A transaction set, read and checked."""

    areas: dict[str, Node]
    """``heading``, ``detail`` and ``summary``, as far as they hold anything."""
    faults: list[Fault]
    """In the order of their places; at most `MAX_FAULTS`."""


def check(
    guide: Guide,
    segments: list[list[str]],
    delimiters: Delimiters,
    texts: list[str] | None = None,
) -> Checked:
    """Check a set and read it into its tree; its numbers of type R are written plainly, in place.

    Args:
        guide: the guide of the set's version.
        segments: the whole set, from ST on, with its SE where it has one.
        delimiters: of its interchange.
        texts: the same segments as `engine.reader` gives them beside, where it does.

    """
    wrong = check_elements(guide, segments, delimiters, texts)
    tree = Tree(guide, delimiters.component)
    tree.build(segments)
    faults = tree.faults + wrong
    return Checked(tree.areas, _placed(faults, segments) if faults else faults)


def check_elements(
    guide: Guide,
    segments: list[list[str]],
    delimiters: Delimiters,
    texts: list[str] | None = None,
) -> list[Fault]:
    """Check the elements of every segment that the guide's directory knows.

    What is right and of type R is written plainly in place: ".5" as "0.5", "007" as "7".
    """
    faults: list[Fault] = []
    for index in _doubtful(guide, segments, delimiters, texts):
        segment = segments[index]
        rule = guide.rules.get(segment[0])
        if rule is None:
            continue
        faults += segment_faults(rule, segment, index + 1, delimiters)
        write_plainly(rule, segment)
        if len(faults) >= MAX_FAULTS:
            break
    return faults


def _doubtful(
    guide: Guide,
    segments: list[list[str]],
    delimiters: Delimiters,
    texts: list[str] | None,
) -> Iterable[int]:
    """Which segments must be looked at closely: all but those that are certainly right."""
    if texts is None:
        texts = [SEPARATOR.join(segment) for segment in segments]
        if sum(map(len, segments)) - len(segments) != "".join(texts).count(SEPARATOR):
            return range(len(segments))  # an element holds what stands for a separator
    matches = guide.matches
    pairs = zip(segments, texts, strict=True)
    found = [at for at, (segment, text) in enumerate(pairs) if not matches[segment[0]](text)]
    whole = "".join(texts)
    if has_control(whole):
        found += [at for at, text in enumerate(texts) if has_control(text)]
    for mark in (delimiters.component, delimiters.repetition):
        if mark is not None and mark in whole:
            # In a composite, or astray: the expressions take it for text, too.
            found += [at for at, text in enumerate(texts) if mark in text]
    return sorted(set(found)) if found else ()


def _placed(faults: list[Fault], segments: list[list[str]]) -> list[Fault]:
    """The first faults in their order, each with the how-manieth of its tag it stands in."""
    faults = sorted(faults, key=lambda fault: (fault.position, fault.element, fault.component))
    tags = [segment[0] for segment in segments]
    return [
        replace(fault, occurrence=tags[: fault.position].count(fault.tag) or 1)
        if fault.code != "segment_missing"
        else replace(fault, occurrence=tags[: fault.position - 1].count(fault.tag) + 1)
        for fault in faults[:MAX_FAULTS]
    ]
