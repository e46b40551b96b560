"""Faults of the engine as they are told to whoever holds the file: with the value and what is expected.

Neither ever reaches an answer, a log or a dead letter: only who names a file himself sees its values.
"""

from __future__ import annotations

from collections.abc import Iterator

from canonical.x12_355 import PREFERRED
from connectors.report import Found
from connectors.x12.agreed import PlaceRule
from connectors.x12.config import X12Config
from connectors.x12.engine.delimiters import Delimiters
from connectors.x12.engine.envelope import TransactionSet
from connectors.x12.engine.faults import (
    APPLICATION_CODES,
    PARTNER_CODES,
    EnvelopeFault,
    Fault,
)
from connectors.x12.engine.guide import Guide
from connectors.x12.engine.place import Loop, Slot
from connectors.x12.engine.rule import Element

_MOST_CODES = 8
_UNITS = "355"
_OF_TYPE = frozenset({"element_invalid_character", "date_invalid", "time_invalid"})
_TOO_OFTEN = frozenset({"segment_exceeds_maximum", "loop_exceeds_maximum"})
_SHORT_DATE = 6


def told_envelope(fault: EnvelopeFault) -> Found:
    """A fault of an envelope, with what stands there and what was expected."""
    return Found(
        "syntax",
        fault.code,
        fault.where,
        fault.detail,
        tolerated=fault.tolerable,
        value=fault.value or None,
        expected=fault.expected,
    )


def told(
    fault: Fault,
    read: TransactionSet,
    guide: Guide,
    delimiters: Delimiters,
    config: X12Config | None,
) -> Found:
    """A fault inside a set."""
    level = "guide"
    if fault.code in APPLICATION_CODES:
        level = "application"
    elif fault.code in PARTNER_CODES:
        level = "partner"
    rule = _rule(fault, guide)
    number, name = (rule.number, rule.name) if rule else (fault.number, fault.name)
    if not fault.element and fault.tag in guide.rules:
        name = guide.rules[fault.tag].name
    named = f"({name}{f', {number}' if number else ''})" if name else ""
    return Found(
        level,
        fault.code,
        fault.where,
        fault.detail,
        noted=level == "application" and not (config is not None and config.application_advice),
        segment=fault.position,
        byte=read.offset(min(fault.position, len(read.segments))),
        named=named,
        value=_value(fault, read.segments, delimiters),
        expected=_agreed(fault, read.identifier, config)
        if level == "partner"
        else fault.computed or _expected(fault, rule, guide),
    )


def _rule(fault: Fault, guide: Guide) -> Element | None:
    segment = guide.rules.get(fault.tag)
    if segment is None or not 0 < fault.element <= len(segment.elements):
        return None
    found = segment.elements[fault.element - 1]
    if fault.component and fault.component <= len(found.components):
        return found.components[fault.component - 1]
    return found


def _value(fault: Fault, segments: list[list[str]], delimiters: Delimiters) -> str | None:
    if not fault.element or fault.position > len(segments):
        return None
    segment = segments[fault.position - 1]
    value = segment[fault.element] if fault.element < len(segment) else ""
    if fault.component:
        parts = value.split(delimiters.component)
        value = parts[fault.component - 1] if fault.component <= len(parts) else ""
    return value or None


def _expected(fault: Fault, rule: Element | None, guide: Guide) -> str:
    if fault.code == "element_too_many" or fault.code in _TOO_OFTEN:
        return _most(fault, rule, guide)
    if rule is None or not fault.element:
        return ""
    if fault.code in ("element_too_short", "element_too_long"):
        # The list of units is open in the guides: it is the length that is wrong (element 723).
        units = f", such as {_listed(list(PREFERRED))}" if rule.number == _UNITS else ""
        return _between(rule.minimum, rule.maximum) + units
    if fault.code in ("element_missing", "element_conditional_missing"):
        return _listed(sorted(rule.codes)) if rule.codes else _described(rule)
    if fault.code == "code_invalid":
        return _listed(sorted(rule.codes))
    return _described(rule) if fault.code in _OF_TYPE else ""


def _maxima(loop: Loop, fault: Fault) -> Iterator[int]:
    """How often the segment or loop of a fault may occur in the places that can be meant."""
    here = loop.name if loop.parent else ""
    for item in loop.items:
        if isinstance(item, Slot):
            if (item.tag, here, "segment_exceeds_maximum") == (fault.tag, fault.loop, fault.code):
                yield item.maximum
            continue
        if (item.name, "loop_exceeds_maximum") == (fault.loop, fault.code):
            yield item.maximum
        yield from _maxima(item, fault)


def _most(fault: Fault, rule: Element | None, guide: Guide) -> str:
    if fault.code in _TOO_OFTEN:
        maxima = set(_maxima(guide.root, fault))
        return f"at most {maxima.pop()}" if len(maxima) == 1 else ""
    if fault.component and rule is not None:
        return f"at most {len(rule.components)} components"
    segment = guide.rules.get(fault.tag)
    return f"at most {len(segment.elements)} elements" if segment is not None else ""


def _described(rule: Element) -> str:
    """The type and the length of an element, in words."""
    if rule.type == "DT":
        return "CCYYMMDD" if rule.maximum > _SHORT_DATE else "YYMMDD"
    if rule.type == "TM":
        return "HHMM, HHMMSS or HHMMSSDD"
    digits = rule.type == "R" or rule.type.startswith("N")
    if rule.components:
        return f"at most {len(rule.components)} components"
    return f"{_between(rule.minimum, rule.maximum)} {'digits' if digits else 'characters'}"


def _between(least: int, most: int) -> str:
    return str(most) if least == most else f"{least} to {most}"


def _agreed(fault: Fault, identifier: str, config: X12Config | None) -> str:
    """What the partner's own guide has for a place."""
    own = config.guides.sets.get(identifier) if config is not None else None
    for rule in own.rules if own is not None else ():
        if _is_about(rule, fault):
            if fault.code == "partner_code_unused":
                return _listed(sorted(rule.codes))
            if fault.code == "partner_element_length" and rule.length is not None:
                return _between(*rule.length)
            if fault.code == "partner_segment_exceeds" and rule.max is not None:
                return f"at most {rule.max}"
            if fault.code == "partner_segment_missing" and rule.qualifiers:
                return _listed(list(rule.qualifiers))
    return ""


def _is_about(rule: PlaceRule, fault: Fault) -> bool:
    narrowed = rule.narrowed()
    *loops, last = narrowed.place
    inside = loops[-1] if loops else ""
    name = last.removesuffix("_loop")
    around = f"{fault.loop}_loop" if fault.loop else ""
    return (name, narrowed.element) == (fault.tag, fault.element) and (
        inside == around or last.endswith("_loop")
    )


def _listed(codes: list[str]) -> str:
    more = ["..."] if len(codes) > _MOST_CODES else []
    return ", ".join([*codes[:_MOST_CODES], *more])
