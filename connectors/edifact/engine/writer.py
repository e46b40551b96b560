"""Source documents to bytes: the reader's way back, checked by the same guides."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from canonical.errors import Rejected
from connectors.edifact.engine import marks as stand_ins
from connectors.edifact.engine.charset import written_as
from connectors.edifact.engine.checker import check
from connectors.edifact.engine.delimiters import Delimiters
from connectors.edifact.engine.guide import AREAS, Group, Guide, SegmentRule, Slot
from connectors.edifact.engine.packing import flat

Json = dict[str, Any]

_KEY = re.compile(r"[A-Z]{3}(?:_group|[0-9]{4}(?:_[0-9]{1,3})?)?", re.ASCII)
_NAMES = ("message", "version", "reference", "association", *AREAS)
_REFERENCE = re.compile(r"[A-Za-z0-9]{1,14}", re.ASCII)
_ASSOCIATION = re.compile(r"[A-Z0-9]{0,6}", re.ASCII)

LIMIT = 1_000_000_000
"""We count interchanges with nine digits (element 0020 has room for 14 characters)."""

_LONG_DATES = "4"
_UNA_DEFAULT = "UNA:+.? '"


@dataclass(frozen=True, slots=True)
class Side:
    """One side of an interchange (S002 or S003)."""

    id: str
    qualifier: str = ""
    internal: str = ""

    def components(self) -> list[str]:
        """As components of UNB."""
        return [self.id, self.qualifier, self.internal]


@dataclass(frozen=True, slots=True)
class Envelope:
    """What stands around the message that is written."""

    sender: Side
    receiver: Side
    version: tuple[str, str]
    """UNH 0052 and 0054, such as D and 96A."""
    interchange: int
    """UNB 0020 and UNZ 0020."""
    at: datetime
    """Date and time of the UNB; written in UTC."""
    delimiters: Delimiters
    charset: str = "UNOC"
    syntax: str = "3"
    test: bool = False
    application: str = ""
    """UNB 0026, the application reference."""
    acknowledge: bool = False
    """UNB 0031: ask for a CONTRL."""
    advice: bool = True
    """Write a UNA also where the delimiters are the defaults."""
    line_breaks: bool = False
    """A line feed after every segment terminator."""


def write(guide: Guide, body: Json, envelope: Envelope) -> bytes:
    """Write one message in an interchange of its own.

    Deterministic: the same arguments give the same bytes.

    Raises:
        Rejected: the body does not fit the guide (the fault's code; `where` names the element),
            ``element_unknown``, ``value_invalid`` where a value is no text, or
            ``character_not_in_charset``.

    """
    if not 0 < envelope.interchange < LIMIT:
        raise Rejected("interchange_control_invalid", "UNB05", "expected one to nine digits")
    reference = _plain(body, "reference", _REFERENCE, "1")
    association = _plain(body, "association", _ASSOCIATION, "")
    content = list(_content(guide, body, envelope.delimiters))
    version, release = envelope.version
    marks = envelope.delimiters
    type_ = [guide.message, version, release, "UN", association]
    unh = ["UNH", reference, marks.component.join(_trimmed(type_))]
    segments = [unh, *content, ["UNT", str(len(content) + 2), reference]]
    faults = check(guide, segments, marks).faults
    if faults:
        raise Rejected(faults[0].code, faults[0].where, faults[0].detail)
    return _joined([_unb(envelope), *segments, _unz(envelope)], envelope)


def _plain(body: Json, name: str, form: re.Pattern[str], default: str) -> str:
    value = body.get(name, default)
    if not isinstance(value, str) or not form.fullmatch(value):
        raise Rejected("value_invalid", name, "expected a few letters and digits")
    return value


def _content(guide: Guide, body: Json, marks: Delimiters) -> Iterator[list[str]]:
    for key in body:
        if key not in _NAMES:
            raise Rejected("element_unknown", _word(key), "not a part of a message's body")
    for area in AREAS:
        node = flat(_object(body.get(area, {}), area))
        items = [item for item in guide.root.items[1:] if item.area == area]
        yield from _level(items, node, area, marks)


def _level(
    items: list[Slot | Group], node: Json, place: str, marks: Delimiters
) -> Iterator[list[str]]:
    """The segments of one section or one occurrence of a group, in the guide's order."""
    seen = set()
    for item in items:
        key = item.tag if isinstance(item, Slot) else item.key
        if key not in node or key in seen:
            continue
        seen.add(key)
        for value in node[key] if isinstance(node[key], list) else [node[key]]:
            inner = _object(value, f"{place}.{key}")
            if isinstance(item, Slot):
                yield _segment(item.rule, inner, marks)
            else:
                yield from _level(item.items, inner, f"{place}.{key}", marks)
    for key in node:
        if key not in seen:
            raise Rejected("element_unknown", f"{place}.{_word(key)}", "not a part of this guide")


def _object(value: object, place: str) -> Json:
    if not isinstance(value, dict):
        raise Rejected("value_invalid", place, "expected an object")
    return value


def _segment(rule: SegmentRule, values: Json, marks: Delimiters) -> list[str]:
    """A segment in the reader's form: stand-ins for the characters that are to be released."""
    elements: dict[int, dict[int, dict[int, str]]] = {}
    for key, value in values.items():
        at, part, time = _position(rule, key)
        text = _text(key, value, marks, decimal=key.partition("_")[0] in rule.numeric)
        elements.setdefault(at, {}).setdefault(time, {})[part] = text
    last = max(elements, default=0)
    return [
        rule.tag, *_trimmed([_element(elements.get(at, {}), marks) for at in range(1, last + 1)])
    ]  # fmt: skip


def _position(rule: SegmentRule, key: object) -> tuple[int, int, int]:
    """``LIN0301`` -> (3, 1, 1), ``LIN0301_2`` -> (3, 1, 2)."""
    name, _, repeated = key.partition("_") if isinstance(key, str) else ("", "", "")
    digits = name[3:]
    known = _KEY.fullmatch(str(key)) and name[:3] == rule.tag and len(digits) == 4  # noqa: PLR2004  # element, component
    at, part = (int(digits[:2]), int(digits[2:])) if known else (0, 0)
    if not (1 <= at <= len(rule.keys) and 1 <= part <= len(rule.keys[at - 1])):
        raise Rejected("element_unknown", f"{rule.tag}.{_word(key)}", "not in this segment")
    return at, part, int(repeated) if repeated else 1


def _element(repetitions: dict[int, dict[int, str]], marks: Delimiters) -> str:
    if not repetitions:
        return ""
    if max(repetitions) > 1 and marks.repetition is None:
        raise Rejected("element_repeated", "", "elements repeat from syntax version 4 on")
    times = range(1, max(repetitions) + 1)
    each = [_composite(repetitions.get(time, {}), marks.component) for time in times]
    return (marks.repetition or "").join(each)


def _composite(parts: dict[int, str], component: str) -> str:
    last = max(parts, default=0)
    return component.join(_trimmed([parts.get(at, "") for at in range(1, last + 1)]))


def _text(key: str, value: object, marks: Delimiters, *, decimal: bool) -> str:
    if not isinstance(value, str) or stand_ins.has_any(value):
        raise Rejected("value_invalid", _word(key), "expected text")
    return stand_ins.protected(value.replace(".", marks.decimal) if decimal else value, marks)


def _trimmed(values: list[str]) -> list[str]:
    while values and not values[-1]:
        values.pop()
    return values


def _word(key: object) -> str:
    """A key of the body as part of a place; "?" where it does not even look like one of ours."""
    return key if isinstance(key, str) and _KEY.fullmatch(key) else "?"


def _unb(envelope: Envelope) -> list[str]:
    marks = envelope.delimiters
    at = envelope.at.astimezone(UTC)
    day = at.strftime("%Y%m%d" if envelope.syntax == _LONG_DATES else "%y%m%d")
    composites = [
        [envelope.charset, envelope.syntax],
        envelope.sender.components(),
        envelope.receiver.components(),
        [day, at.strftime("%H%M")],
    ]
    joined = [
        marks.component.join(_trimmed([stand_ins.protected(value, marks) for value in values]))
        for values in composites
    ]
    test = "1" if envelope.test else ""
    asked = "1" if envelope.acknowledge else ""
    ending = [str(envelope.interchange), "", envelope.application, "", asked, "", test]
    return ["UNB", *joined, *_trimmed(ending)]


def _unz(envelope: Envelope) -> list[str]:
    return ["UNZ", "1", str(envelope.interchange)]


def _joined(segments: list[list[str]], envelope: Envelope) -> bytes:
    marks = envelope.delimiters
    end = marks.segment + ("\n" if envelope.line_breaks else "")
    text = "".join(marks.element.join(segment) + end for segment in segments)
    una = _una(marks)
    if envelope.advice or una != _UNA_DEFAULT:
        text = una + ("\n" if envelope.line_breaks else "") + text
    wire = stand_ins.released(text, marks)
    try:
        return wire.encode(written_as(envelope.charset))
    except UnicodeEncodeError:
        raise Rejected(
            "character_not_in_charset", "UNB0101", "a character that this character set lacks"
        ) from None


def _una(marks: Delimiters) -> str:
    repetition = marks.repetition or " "
    release = marks.release or " "
    return f"UNA{marks.component}{marks.element}{marks.decimal}{release}{repetition}{marks.segment}"
