"""Faults of the engine as they are told to whoever holds the file: with the value that stands there.

No value ever reaches an answer, a log or a dead letter: only who names a file himself sees it.
"""

from __future__ import annotations

from connectors.edifact.engine.delimiters import Delimiters
from connectors.edifact.engine.envelope import Message, parts_of
from connectors.edifact.engine.faults import APPLICATION_CODES, EnvelopeFault, Fault
from connectors.edifact.engine.guide import Guide
from connectors.report import Found

_OF_TYPE = frozenset(
    {"element_missing", "element_type_invalid", "element_invalid_character", "decimal_invalid"}
)


def told_envelope(fault: EnvelopeFault) -> Found:
    """A fault of a message, a group or an interchange, with what stands there and should stand."""
    return Found(
        "syntax",
        fault.code,
        fault.where,
        fault.detail,
        tolerated=fault.tolerable,
        value=fault.value or None,
        expected=fault.expected,
    )


def told(fault: Fault, read: Message, guide: Guide, marks: Delimiters, *, refuses: bool) -> Found:
    """A fault inside a message.

    Args:
        fault: what is wrong.
        read: the message.
        guide: that it was checked by.
        marks: of its interchange.
        refuses: what an application finds refuses a message here.

    """
    place = read.place(min(fault.position, len(read.segments)))
    return Found(
        "application" if fault.code in APPLICATION_CODES else "guide",
        fault.code,
        fault.where,
        fault.detail,
        noted=fault.code in APPLICATION_CODES and not refuses,
        segment=fault.position,
        byte=place.offset,
        line=place.line,
        named=_named(fault, guide),
        value=_value(fault, read, marks),
        expected=fault.expected or fault.computed or _expected(fault, guide),
    )


def _named(fault: Fault, guide: Guide) -> str:
    if fault.name:
        return f"({fault.name}, {fault.number})"
    rule = guide.rules.get(fault.tag)
    if rule is None or fault.element > len(rule.fields):
        return ""
    if not fault.element:
        return f"({rule.name})"
    field = rule.fields[fault.element - 1]
    at = max(fault.component, 1)
    place = field.components[at - 1] if at <= len(field.components) else field
    return f"({place.name}, {place.number})"


def _expected(fault: Fault, guide: Guide) -> str:
    rule = guide.rules.get(fault.tag)
    if rule is None or not fault.element:
        return ""
    if fault.element > len(rule.fields):
        return f"at most {len(rule.fields)} elements" if fault.code == "element_too_many" else ""
    field = rule.fields[fault.element - 1]
    if fault.code == "element_too_many":
        count = len(field.components)
        return f"at most {count} component{'s' if count > 1 else ''}"
    wanted = fault.code in _OF_TYPE and fault.component <= len(field.components)
    place = field.components[max(fault.component, 1) - 1] if wanted else None
    return place.notation if place is not None else ""


def _value(fault: Fault, read: Message, marks: Delimiters) -> str | None:
    if not fault.element or fault.position > len(read.segments):
        return None
    parts = parts_of(read.segments[fault.position - 1], marks)
    if fault.element >= len(parts):
        return None
    if fault.code == "element_repeated":
        return marks.component.join(parts[fault.element])
    component = fault.component or 1
    values = parts[fault.element]
    return (values[component - 1] if component <= len(values) else "") or None
