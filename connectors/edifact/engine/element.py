"""The close look at one segment's elements: presence, type, length, codes (ISO 9735-1, 9 to 11)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from connectors.edifact.engine.delimiters import Delimiters
from connectors.edifact.engine.faults import Fault
from connectors.edifact.engine.guide import Component, Field, SegmentRule
from connectors.edifact.engine.iso2022 import UNREAD
from connectors.edifact.engine.pattern import PLAIN

_INVALID = re.compile(f"[{PLAIN}]")
_NUMBER = re.compile(r"-?[0-9]+(?:[.,][0-9]+)?", re.ASCII)
_ALPHABETIC = re.compile(r"[^0-9]*")
_MOST_CODES = 12

Found = Iterator[tuple[str, int, int, Component | Field | None, str]]
"""(code, element position, component position or 0, what stands there, what is expected)."""


def segment_faults(
    rule: SegmentRule, segment: list[str], position: int, marks: Delimiters
) -> list[Fault]:
    """Everything that is wrong with the elements of one segment.

    Args:
        rule: the rule of its place.
        segment: its tag and elements.
        position: the segment's ordinal in its message; UNH is 1.
        marks: of its interchange.

    """
    return [
        Fault(
            code,
            rule.tag,
            position,
            element=at,
            component=part,
            number=place.number if place else "",
            name=place.name if place else "",
            expected=expected,
        )
        for code, at, part, place, expected in _elements(rule, segment, marks)
    ]


def _elements(rule: SegmentRule, segment: list[str], marks: Delimiters) -> Found:
    for at, field in enumerate(rule.fields, 1):
        value = segment[at] if at < len(segment) else ""
        if marks.repetition and marks.repetition in value:
            yield "element_repeated", at, 0, field, ""
        elif value.strip(marks.component):
            yield from _components(at, field, value.split(marks.component))
        elif field.mandatory:
            yield "element_missing", at, 0, field, ""
    yield from _surplus(rule, segment)


def _surplus(rule: SegmentRule, segment: list[str]) -> Found:
    """Elements after the last that the rule lists."""
    for at, value in enumerate(segment[len(rule.fields) + 1 :], len(rule.fields) + 1):
        if value and not rule.open:
            yield "element_too_many", at, 0, None, ""
            return
        if _INVALID.search(value):
            yield _character_fault(value), at, 0, None, ""


def _components(at: int, field: Field, values: list[str]) -> Found:
    single = len(field.components) == 1
    for part, component in enumerate(field.components, 1):
        value = values[part - 1] if part <= len(values) else ""
        place = 0 if single else part
        if value:
            code = value_fault(component, value)
        else:
            code = "element_missing" if component.mandatory else None
        if code:
            yield code, at, place, component, _expected(code, component)
    if any(values[len(field.components) :]):
        yield "element_too_many", at, len(field.components) + 1, field, ""


def value_fault(component: Component, value: str) -> str | None:
    """The code of what is wrong with a value that is there; None: nothing."""
    if not component.used:
        return "element_not_used"
    if _INVALID.search(value):
        return _character_fault(value)
    wrong = _type_fault(component, value) or _length_fault(component, value)
    if wrong is None and component.codes and value not in component.codes:
        return "code_invalid"
    return wrong


def _character_fault(value: str) -> str:
    return "charset_unsupported" if UNREAD in value else "element_invalid_character"


def _type_fault(component: Component, value: str) -> str | None:
    if component.kind == "n":
        return None if _NUMBER.fullmatch(value) else "decimal_invalid"
    wrong = component.kind == "a" and not _ALPHABETIC.fullmatch(value)
    return "element_type_invalid" if wrong else None


def _length_fault(component: Component, value: str) -> str | None:
    """Of a number only the digits count, neither its sign nor its decimal mark."""
    length = sum(map(str.isdigit, value)) if component.kind == "n" else len(value)
    if length < component.minimum:
        return "element_too_short"
    return "element_too_long" if length > component.maximum else None


def _expected(code: str, component: Component) -> str:
    """What the guide expects; an element that is not used expects nothing."""
    if code == "code_invalid":
        more = ", ..." if len(component.codes) > _MOST_CODES else ""
        return ", ".join(component.codes[:_MOST_CODES]) + more
    return component.notation if code.startswith("element_too") else ""
