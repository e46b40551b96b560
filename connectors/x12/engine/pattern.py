"""One regular expression per segment that recognises what is certainly right with its elements.

Nearly all segments are right, and one match in C is far cheaper than looking at each element. What
the expression does not recognise is not wrong yet: the checker then looks closely.
"""

from __future__ import annotations

import re
from functools import lru_cache

from connectors.x12.engine.notes import violations
from connectors.x12.engine.rule import Element, SegmentRule

SEPARATOR = "\x1d"
"""Stands between the elements of a segment that is matched, whatever the interchange uses."""

_PRINTABLE = r"[^\x00-\x1f\x7f-\x9f]"
_DATE = r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|1[0-9]|2[0-8])"
_TIME = r"(?:[01][0-9]|2[0-3])[0-5][0-9](?:[0-5][0-9](?:[0-9]{1,2})?)?"


@lru_cache(maxsize=1024)
def pattern(rule: SegmentRule) -> re.Pattern[str]:
    """The expression for the elements of `rule`, each preceded by `SEPARATOR`, without the tag."""
    tail = f"(?:{SEPARATOR}{_PRINTABLE}*)*" if rule.open else ""
    required = False
    for element in reversed(rule.elements):
        value = _value(element)
        required = required or element.mandatory
        # "(?:x|)" and not "(?:x)?": a branch costs half of what a repetition does (measured).
        part = f"{SEPARATOR}{value}" if element.mandatory else f"{SEPARATOR}(?:{value}|)"
        tail = f"{part}{tail}" if required else f"(?:{part}{tail}|)"
    return re.compile(tail)


@lru_cache(maxsize=4096)
def keeps_notes(rule: SegmentRule, present: tuple[bool, ...]) -> bool:
    """Whether the syntax notes of `rule` hold for these positions; position 0 is the tag."""
    return not violations(rule.notes, present)


def _value(element: Element) -> str:  # noqa: PLR0911  # one return per data type reads best
    least, most = element.minimum, element.maximum
    if element.components:
        first, *others = element.components
        # A composite of which only its first component is there; others need a close look.
        return "(?!)" if any(other.mandatory for other in others) else _plain(first)
    if element.codes:
        return "(?:" + "|".join(map(re.escape, sorted(element.codes))) + ")"
    if element.type == "DT":
        return _DATE if most == 8 else "(?!)"  # noqa: PLR2004  # CCYYMMDD
    if element.type == "TM":
        return _TIME
    if element.type == "R":
        # The sign and the point do not count as length; at most one digit is given away. What is
        # not written plainly (".5", "007") is left to the close look, which writes it so.
        length = rf"(?=[0-9.]{{{least},{most}}}(?:{SEPARATOR}|\Z))"
        return rf"-?{length}(?:0|[1-9][0-9]*)(?:\.[0-9]+)?"
    if element.type.startswith("N"):
        return rf"-?[0-9]{{{least},{most}}}"
    return rf"{_PRINTABLE}{{{least},{most}}}"


def _plain(element: Element) -> str:
    return f"[A-Za-z0-9]{{{element.minimum},{element.maximum}}}"
