"""One regular expression per segment that recognises what is certainly right with its elements.

Nearly all segments are right, and one match in C is far cheaper than looking at each element. What
the expression does not recognise is not wrong yet: the checker then looks closely.

Characters that no text may hold are looked for in the whole set at once (`has_control`): an
expression that asks for them costs a third more.

Syntax notes are part of it: an element that a note names is a group, and where the note's last
element stands, or where the segment ends before it, a condition asks which groups there were.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from connectors.x12.engine.notes import Note
from connectors.x12.engine.rule import Element, SegmentRule

SEPARATOR = "\x1d"
"""Stands between the elements of a segment that is matched, whatever the interchange uses."""

Match = Callable[[str], object]
"""Something true for a segment's text, with `SEPARATOR`, that is certainly right."""

_ANY = f"[^{SEPARATOR}]"
_CONTROL = re.compile(r"[\x00-\x1c\x1e\x1f\x7f-\x9f]")
_GRAPHIC = bytes([*range(0x20, 0x7F), ord(SEPARATOR)])
_DATE = r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|1[0-9]|2[0-8])"
_TIME = r"(?:[01][0-9]|2[0-3])[0-5][0-9](?:[0-5][0-9](?:[0-9]{1,2})?)?"
_DECIMALS = 6
_NEVER = "(?!)"


class Matches(dict[str, Match]):
    """Tag -> whether a segment's text is certainly right; for segments that no guide knows, all."""

    __slots__ = ("_rules",)

    def __init__(self, rules: Mapping[str, SegmentRule]) -> None:
        """Take the rules; expressions are made when they are first needed."""
        super().__init__()
        self._rules = rules

    def __missing__(self, tag: str) -> Match:
        """Make the expression for a segment; tags are data, so others than the guide's are not kept."""
        rule = self._rules.get(tag)
        if rule is None:
            return _unchecked
        match = self[tag] = pattern(rule).fullmatch
        return match


@lru_cache(maxsize=4096)
def pattern(rule: SegmentRule) -> re.Pattern[str]:
    """The expression for a segment: its tag, and its elements, each preceded by `SEPARATOR`."""
    tail = f"(?:{SEPARATOR}{_ANY}*)*" if rule.open else ""
    named = {position for note in rule.notes for position in note.positions}
    required = False
    for at, element in reversed(list(enumerate(rule.elements, 1))):
        value = f"(?P<e{at}>{_value(element)})" if at in named else _value(element)
        required = required or element.mandatory
        # "(?:x|)" and not "(?:x)?": a branch costs half of what a repetition does (measured).
        part = f"{SEPARATOR}{value}" if element.mandatory else f"{SEPARATOR}(?:{value}|)"
        part += "".join(_kept(note, at) for note in rule.notes if max(note.positions) == at)
        ends = "".join(_kept(note, at - 1) for note in rule.notes if max(note.positions) >= at)
        tail = f"{part}{tail}" if required else f"(?:{part}{tail}|{ends})"
    return re.compile(re.escape(rule.tag) + tail)


def has_control(text: str) -> bool:
    """Whether a control character stands in text with `SEPARATOR`."""
    if text.isascii():
        return bool(text.encode().translate(None, _GRAPHIC))
    return _CONTROL.search(text) is not None


def _unchecked(_text: str) -> bool:
    return True


def _kept(note: Note, last: int) -> str:
    """A condition: the note holds, if no element after `last` is there."""
    there = [position for position in note.positions if position <= last]
    first, *others = note.positions
    if note.kind == "R":
        return _any(there)
    if note.kind == "E":
        return "".join(_if(each, _none(there[n:]), "") for n, each in enumerate(there, 1))
    whole = len(there) == len(note.positions)
    if note.kind == "P":
        return _if(first, _all(others), _none(others)) if whole else _none(there)
    if first > last:
        return ""
    if note.kind == "L":
        return _if(first, _any([each for each in others if each <= last]), "")
    return _if(first, _all(others) if whole else _NEVER, "")


def _if(position: int, then: str, other: str) -> str:
    return f"(?(e{position}){then}|{other})" if then or other else ""


def _all(positions: Sequence[int]) -> str:
    return _if(positions[0], _all(positions[1:]), _NEVER) if positions else ""


def _any(positions: Sequence[int]) -> str:
    return f"(?(e{positions[0]})|{_any(positions[1:])})" if positions else _NEVER


def _none(positions: Sequence[int]) -> str:
    return _if(positions[0], _NEVER, _none(positions[1:])) if positions else ""


def _value(element: Element) -> str:  # noqa: PLR0911  # one return per data type reads best
    least, most = element.minimum, element.maximum
    if element.components:
        first, *others = element.components
        # A composite of which only its first component is there; others need a close look.
        return _NEVER if any(other.mandatory for other in others) else _plain(first)
    if element.codes:
        return "(?:" + "|".join(map(re.escape, sorted(element.codes))) + ")"
    if element.type == "DT":
        return _DATE if most == 8 else _NEVER  # noqa: PLR2004  # CCYYMMDD
    if element.type == "TM":
        return _TIME
    if element.type == "R":
        # The sign and the point do not count as length; at most one digit is given away. What is
        # not written plainly (".5", "007") is left to the close look, which writes it so.
        if least <= 1 < most:
            # Not every length is known here either: so many places after the point, if there is one.
            places = min(_DECIMALS, most // 2)
            return rf"-?(?!0[0-9])[0-9]{{1,{most - places}}}(?:\.[0-9]{{1,{places}}}|)"
        length = rf"(?=[0-9.]{{{least},{most}}}(?:{SEPARATOR}|\Z))"
        return rf"-?{length}(?:0|[1-9][0-9]*)(?:\.[0-9]+)?"
    if element.type.startswith("N"):
        return rf"-?[0-9]{{{least},{most}}}"
    return rf"{_ANY}{{{least},{most}}}"


def _plain(element: Element) -> str:
    return f"[A-Za-z0-9]{{{element.minimum},{element.maximum}}}"
