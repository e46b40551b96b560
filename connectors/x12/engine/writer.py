"""Source documents to bytes: the reader's way back, checked by the same guides."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from canonical.errors import Rejected
from connectors.x12.engine.application import application_faults
from connectors.x12.engine.checker import check
from connectors.x12.engine.delimiters import ISA_LENGTHS, Delimiters
from connectors.x12.engine.faults import Fault
from connectors.x12.engine.guide import AREAS, Guide
from connectors.x12.engine.levels import KEY as LEVELS
from connectors.x12.engine.levels import flatten
from connectors.x12.engine.place import Loop, Slot
from connectors.x12.engine.rule import SegmentRule

Json = dict[str, Any]

_KEY = re.compile(r"[A-Z][A-Z0-9]{1,2}(?:_loop|[0-9]{2}(?:[0-9]{2})?)?", re.ASCII)

LIMIT = 1_000_000_000
"""Control numbers have nine digits at most (elements I12 and 28); whoever counts wraps to 1."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What stands around the transaction set that is written."""

    sender: tuple[str, str, str]
    """Qualifier and id for the ISA, id for the GS."""
    receiver: tuple[str, str, str]
    version: str
    """GS08, such as 004010."""
    usage: str
    """ISA15: P or T."""
    interchange: int
    """ISA13 and IEA02."""
    group: int
    """GS06 and GE02."""
    at: datetime
    """Date and time of the ISA and GS; written in UTC."""
    delimiters: Delimiters
    line_breaks: bool = False
    """A line feed after every segment terminator."""
    balanced: bool = False
    """What `engine.application` finds wrong is refused too."""


def write(
    guide: Guide,
    body: Json,
    envelope: Envelope,
    narrowed: Callable[[list[list[str]]], list[Fault]] | None = None,
) -> bytes:
    """Write one transaction set in a group and interchange of its own.

    Deterministic: the same arguments give the same bytes.

    Args:
        guide: of the set.
        body: the source document.
        envelope: what stands around it.
        narrowed: what the partner's own guide finds wrong with a set's segments.

    Raises:
        Rejected: the body does not fit the guide, or `engine.application` finds it wrong (the
            fault's code; `where` names the element),
            ``element_unknown``, ``value_invalid`` where a value is no text, or
            ``value_holds_delimiter``.

    """
    control = _control_number(body)
    if not 0 < envelope.interchange < LIMIT or not 0 < envelope.group < LIMIT:
        raise Rejected("interchange_control_invalid", "ISA13", "expected one to nine digits")
    content = list(_content(guide, body, envelope.delimiters))
    head = ["ST", guide.set, control]
    segments = [head, *content, ["SE", str(len(content) + 2), control]]
    faults = check(guide, segments, envelope.delimiters).faults
    if not faults and narrowed is not None:
        faults = narrowed(segments)
    if not faults and envelope.balanced:
        faults = application_faults(guide.set, segments)
    if faults:
        raise Rejected(faults[0].code, faults[0].where, faults[0].detail)
    return _join([*_opening(guide, envelope), *segments, *_closing(envelope)], envelope)


def write_interchange_acknowledgment(body: Json, envelope: Envelope) -> bytes:
    """Write a TA1 in an interchange of its own, without any group (X12.5, TA1).

    Raises:
        Rejected: ``element_missing``, ``element_unknown``, ``value_invalid``,
            ``value_holds_delimiter``, ``interchange_control_invalid``.

    """
    if not 0 < envelope.interchange < LIMIT:
        raise Rejected("interchange_control_invalid", "ISA13", "expected one to nine digits")
    values = _object(body.get("TA1", {}), "TA1")
    names = [f"TA1{at:02d}" for at in range(1, 6)]
    for key in values:
        if key not in names:
            raise Rejected("element_unknown", f"TA1.{_word(key)}", "not in this segment")
    segment = ["TA1", *(_text(name, values.get(name, ""), envelope.delimiters) for name in names)]
    if not all(segment):
        raise Rejected("element_missing", names[segment.index("") - 1], "a mandatory element")
    isa = _isa(envelope)
    return _join([isa, segment, ["IEA", "0", isa[13]]], envelope)


def _control_number(body: Json) -> str:
    control = body.get("control_number", "0001")
    if not isinstance(control, str) or not control.isalnum() or not 4 <= len(control) <= 9:  # noqa: PLR2004  # element 329
        raise Rejected("set_control_invalid", "ST02", "ST02 must be 4 to 9 characters")
    return control


def _content(guide: Guide, body: Json, delimiters: Delimiters) -> Iterator[list[str]]:
    known = {"transaction_set", "version", "control_number", *AREAS}
    for key in body:
        if key not in known:
            raise Rejected("element_unknown", _word(key), "not a part of a transaction set's body")
    for area in AREAS:
        node = _object(body.get(area, {}), area)
        items = [item for item in guide.root.items[1:] if item.area == area]
        yield from _level(items, node, area, delimiters)


def _level(
    items: list[Slot | Loop], node: Json, place: str, delimiters: Delimiters
) -> Iterator[list[str]]:
    """The segments of one table or one occurrence of a loop, in the guide's order."""
    seen = set()
    for item in items:
        key = item.tag if isinstance(item, Slot) else item.key
        if key not in node or key in seen:
            continue
        seen.add(key)
        found = _occurrences(node[key])
        for value in flatten(found) if key == LEVELS else found:
            inner = _object(value, f"{place}.{key}")
            if isinstance(item, Slot):
                yield _segment(item.rule, inner, delimiters)
            else:
                yield from _level(item.items, inner, f"{place}.{key}", delimiters)
    for key in node:
        if key not in seen:
            raise Rejected("element_unknown", f"{place}.{_word(key)}", "not a part of this guide")


def _occurrences(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _object(value: object, place: str) -> Json:
    if not isinstance(value, dict):
        raise Rejected("value_invalid", place, "expected an object")
    return value


def _segment(rule: SegmentRule, values: Json, delimiters: Delimiters) -> list[str]:
    segment = [rule.tag]
    positions = {key: position for position, key in enumerate(rule.keys, 1)}
    for key, value in values.items():
        position = positions.get(key)
        if position is None:
            raise Rejected("element_unknown", f"{rule.tag}.{_word(key)}", "not in this segment")
        segment += [""] * (position + 1 - len(segment))
        composite = position in rule.composites
        segment[position] = (
            _composite(key, value, delimiters) if composite else _text(key, value, delimiters)
        )
    return _trimmed(segment)


def _composite(key: str, value: object, delimiters: Delimiters) -> str:
    parts: list[str] = []
    for name, part in _object(value, key).items():
        suffix = name.removeprefix(key)
        if suffix == name or not (suffix.isascii() and suffix.isdecimal()) or int(suffix) < 1:
            raise Rejected("element_unknown", f"{key}.{_word(name)}", "not in this composite")
        at = int(suffix)
        parts += [""] * (at - len(parts))
        parts[at - 1] = _text(name, part, delimiters)
    return delimiters.component.join(_trimmed(parts))


def _text(key: str, value: object, delimiters: Delimiters) -> str:
    if not isinstance(value, str):
        raise Rejected("value_invalid", key, "expected text")
    marks = (delimiters.element, delimiters.component, delimiters.segment, delimiters.repetition)
    if any(mark and mark in value for mark in marks):
        # X12 has no release character: such a value cannot be written at all.
        raise Rejected("value_holds_delimiter", key, "holds one of the interchange's delimiters")
    return value


def _trimmed(values: list[str]) -> list[str]:
    while values and not values[-1]:
        values.pop()
    return values


def _word(key: object) -> str:
    """A key of the body as part of a place; "?" where it does not even look like one of ours."""
    return key if isinstance(key, str) and _KEY.fullmatch(key) else "?"


def _isa(envelope: Envelope) -> list[str]:
    sender, receiver, marks = envelope.sender, envelope.receiver, envelope.delimiters
    at = envelope.at.astimezone(UTC)
    isa = [
        "00", "", "00", "", sender[0], sender[1], receiver[0], receiver[1], at.strftime("%y%m%d"),
        at.strftime("%H%M"), marks.repetition or "U", envelope.version[:5],
        f"{envelope.interchange:09d}", "0", envelope.usage, marks.component,
    ]  # fmt: skip
    padded = [value.ljust(length) for value, length in zip(isa, ISA_LENGTHS, strict=True)]
    return ["ISA", *padded]


def _opening(guide: Guide, envelope: Envelope) -> list[list[str]]:
    at = envelope.at.astimezone(UTC)
    date, time = at.strftime("%Y%m%d"), at.strftime("%H%M")
    codes = guide.group, envelope.sender[2], envelope.receiver[2]
    gs = [*codes, date, time, str(envelope.group), "X", envelope.version]
    return [_isa(envelope), ["GS", *gs]]


def _closing(envelope: Envelope) -> list[list[str]]:
    return [["GE", "1", str(envelope.group)], ["IEA", "1", f"{envelope.interchange:09d}"]]


def _join(segments: list[list[str]], envelope: Envelope) -> bytes:
    marks = envelope.delimiters
    end = marks.segment + ("\n" if envelope.line_breaks else "")
    return "".join(marks.element.join(segment) + end for segment in segments).encode()
