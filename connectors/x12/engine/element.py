"""The close look at one segment's elements: type, length, codes, syntax notes (X12.6, 3.5)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from connectors.x12.engine.delimiters import Delimiters
from connectors.x12.engine.faults import Fault
from connectors.x12.engine.notes import violations
from connectors.x12.engine.rule import Element, SegmentRule

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_NUMBER = re.compile(r"-?[0-9]+")
_DECIMAL = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:E-?[0-9]+)?")
_TIME = re.compile(r"(?:[01][0-9]|2[0-3])[0-5][0-9](?:[0-5][0-9](?:[0-9]{1,2})?)?")
_SHORT_DATE = 6
_MOST_DIGITS = 32

Found = Iterator[tuple[int, int, Element | None, str]]
"""(element position, component position or 0, its element, code) of what is wrong."""


def segment_faults(
    rule: SegmentRule, segment: list[str], position: int, delimiters: Delimiters
) -> list[Fault]:
    """Everything that is wrong with the elements of one segment.

    Args:
        rule: the segment's rule.
        segment: its tag and elements.
        position: the segment's ordinal in its set; ST is 1.
        delimiters: of its interchange.

    """
    found = [*_elements(rule, segment, delimiters), *_notes(rule, segment)]
    return [
        Fault(
            code,
            rule.tag,
            position,
            element=at,
            component=component,
            number=element.number if element else "",
            name=element.name if element else "",
        )
        for at, component, element, code in found
    ]


def value_fault(element: Element, value: str) -> str | None:  # one per rule
    """The code of what is wrong with the value of a simple element; None: nothing.

    Lengths count digits alone: neither a sign, a decimal point nor an ``E`` (X12.6, 3.5.1).
    """
    if _CONTROL.search(value):
        return "element_invalid_character"
    if element.type in ("DT", "TM"):
        return _length(element, len(value)) or _moment(element, value)
    length = len(value)
    if element.type == "R" or element.type.startswith("N"):
        known = _DECIMAL if element.type == "R" else _NUMBER
        if not known.fullmatch(value):
            return "element_invalid_character"
        length = sum(map(str.isdigit, value))
    wrong = _length(element, length)
    if wrong is None and element.codes and value not in element.codes:
        return "code_invalid"
    return wrong


def write_plainly(rule: SegmentRule, segment: list[str]) -> None:
    """Write the numbers of type R among simple elements without what only looks different.

    Neither an exponent, leading zeros nor a bare decimal point; what is no number stays as it is.
    """
    for at, element in enumerate(rule.elements[: len(segment) - 1], 1):
        value = segment[at]
        if element.type == "R" and not element.components and _DECIMAL.fullmatch(value):
            number = Decimal(value)
            if abs(number.adjusted()) <= _MOST_DIGITS:  # 1E999999999 is eleven bytes of a gigabyte
                segment[at] = format(number, "f")


def _length(element: Element, length: int) -> str | None:
    if length < element.minimum:
        return "element_too_short"
    return "element_too_long" if length > element.maximum else None


def _moment(element: Element, value: str) -> str | None:
    if element.type == "TM":
        return None if _TIME.fullmatch(value) else "time_invalid"
    century = "20" if len(value) == _SHORT_DATE else ""
    digits = century + value
    try:
        if not (digits.isascii() and digits.isdecimal()):
            return "date_invalid"
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return "date_invalid"
    return None


def _elements(rule: SegmentRule, segment: list[str], delimiters: Delimiters) -> Found:
    for at, element in enumerate(rule.elements, 1):
        value = segment[at] if at < len(segment) else ""
        if not value:
            if element.mandatory:
                yield at, 0, element, "element_missing"
        elif element.components:
            yield from _components(at, element, value, delimiters)
        else:
            code = _simple(element, value, delimiters)
            if code:
                yield at, 0, element, code
    yield from _surplus(rule, segment)


def _surplus(rule: SegmentRule, segment: list[str]) -> Found:
    """Elements after the last that the rule lists."""
    for at, value in enumerate(segment[len(rule.elements) + 1 :], len(rule.elements) + 1):
        if value and not rule.open:
            yield at, 0, None, "element_too_many"
            return
        if _CONTROL.search(value):
            yield at, 0, None, "element_invalid_character"


def _simple(element: Element, value: str, delimiters: Delimiters) -> str | None:
    if delimiters.component in value or (delimiters.repetition or "\x00") in value:
        # No element of these sets repeats, so a separator inside of one is a stray character.
        return "element_invalid_character"
    return value_fault(element, value)


def _components(at: int, element: Element, value: str, delimiters: Delimiters) -> Found:
    values = value.split(delimiters.component)
    for part, component in enumerate(element.components, 1):
        text = values[part - 1] if part <= len(values) else ""
        if text:
            code = _simple(component, text, delimiters)
        else:
            code = "element_missing" if component.mandatory else None
        if code:
            yield at, part, component, code
    if any(values[len(element.components) :]):
        yield at, len(element.components) + 1, element, "element_too_many"


def _notes(rule: SegmentRule, segment: list[str]) -> Found:
    for at, is_there in violations(rule.notes, tuple(map(bool, segment))):
        code = "element_excluded" if is_there else "element_conditional_missing"
        yield at, 0, rule.elements[at - 1], code
