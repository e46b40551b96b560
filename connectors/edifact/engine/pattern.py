"""One regular expression per segment that recognises what is certainly right with its elements.

Nearly all segments are right, and one match in C is far cheaper than looking at each element. What
the expression does not recognise is not wrong yet: the checker then looks closely.
"""

from __future__ import annotations

import re
from functools import lru_cache

from connectors.edifact.engine.guide import Component, Field, SegmentRule

SEPARATOR = "\x1d"
"""Stands between the elements of a segment that is matched, whatever the interchange uses."""

PLAIN = "\x00-\x1f\x7f-\x9f\ufdd6\ufffd"
"""What no value may hold, as the inside of a character class."""


@lru_cache(maxsize=64)
def patterns(component: str, repetition: str) -> dict[SegmentRule, re.Pattern[str]]:
    """Where the expressions for these separators are kept, as far as they were needed.

    Who misses one adds it: their number is bounded by the guides.
    """
    del component, repetition
    return {}


def pattern(rule: SegmentRule, component: str, repetition: str) -> re.Pattern[str]:
    """The expression for the elements of `rule`, each preceded by `SEPARATOR`, without the tag.

    Args:
        rule: of the segment in its place.
        component: the component separator of the interchange.
        repetition: its repetition separator; "" where there is none.

    """
    stops = PLAIN + re.escape(component + repetition)
    tail = f"(?:{SEPARATOR}[^{PLAIN}]*)*" if rule.open else ""
    required = False
    for field in reversed(rule.fields):
        value = _field(field, re.escape(component), stops)
        required = required or field.mandatory
        part = f"{SEPARATOR}{value}" if field.mandatory else f"{SEPARATOR}(?:{value}|)"
        tail = f"{part}{tail}" if required else f"(?:{part}{tail}|)"
    return re.compile(tail)


def _field(field: Field, separator: str, stops: str) -> str:
    tail = ""
    required = False
    for component in reversed(field.components[1:]):
        value = _value(component, stops)
        required = required or component.mandatory
        part = f"{separator}{value}" if component.mandatory else f"{separator}(?:{value}|)"
        tail = f"{part}{tail}" if required else f"(?:{part}{tail}|)"
    first = field.components[0]
    value = _value(first, stops)
    # An element of nothing but separators is no value: the closer look says what is missing.
    return f"{value}{tail}" if first.mandatory else f"(?:{value}|){tail}"


def _value(component: Component, stops: str) -> str:
    least, most = component.minimum, component.maximum
    if not component.used:
        return "(?!)"
    if component.codes:
        return (
            "(?:" + "|".join(map(re.escape, sorted(component.codes, key=len, reverse=True))) + ")"
        )
    if component.kind == "n":
        # The sign and the mark do not count as length; at most one digit is given away.
        return rf"-?(?=[0-9.,]{{{least},{most}}}(?![0-9.,]))[0-9]+(?:[.,][0-9]+)?"
    if component.kind == "a":
        return rf"[A-Za-z ]{{{least},{most}}}"
    return rf"[^{stops}]{{{least},{most}}}"
