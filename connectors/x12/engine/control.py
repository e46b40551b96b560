"""Control segments: what a header and its trailer must say, and agree on (X12.5, X12.6)."""

from __future__ import annotations

from collections.abc import Set

from connectors.x12.engine.faults import EnvelopeFault

_COUNT_DIGITS = 10
"""The longest of the counts has so many (SE01, element 96)."""


def element(segment: list[str], position: int) -> str:
    """An element of a control segment; "" where the segment is too short for it.

    Blanks around it do not count (X12.6, 3.5.1.5: trailing spaces are to be suppressed).
    """
    return segment[position].strip(" ") if position < len(segment) else ""


def interchange_number(number: str) -> list[EnvelopeFault]:
    """What is wrong with an ISA13 (element I12); its length is the ISA's own matter."""
    if number.isascii() and number.isdecimal():
        return []
    return [EnvelopeFault("interchange_control_invalid", "ISA13")]


def group_number(number: str, before: Set[str]) -> list[EnvelopeFault]:
    """What is wrong with a GS06 (element 28) after those of the interchange before it."""
    if not (number.isascii() and number.isdecimal() and len(number) <= 9):  # noqa: PLR2004  # element 28
        return [EnvelopeFault("group_control_invalid", "GS06")]
    if number in before:
        return [EnvelopeFault("group_control_duplicate", "GS06")]
    return []


def set_number(number: str, before: Set[str]) -> list[EnvelopeFault]:
    """What is wrong with an ST02 (element 329) after those of the group before it."""
    faults = []
    if not 4 <= len(number) <= 9:  # noqa: PLR2004  # element 329
        faults.append(EnvelopeFault("set_control_invalid", "ST02"))
    if number in before:
        faults.append(EnvelopeFault("set_control_duplicate", "ST02"))
    return faults


def disagreement(
    level: str, trailer: list[str], tag: str, number: str, count: int
) -> list[EnvelopeFault]:
    """What a trailer says otherwise than its header and what stands between them.

    Args:
        level: set, group or interchange, as the faults' codes begin.
        trailer: the segment: its tag, the count and the control number.
        tag: SE, GE or IEA.
        number: the header's control number.
        count: how many parts there are.

    """
    if trailer == [tag, str(count), number]:
        return []
    faults = []
    said, counted = element(trailer, 2), element(trailer, 1)
    if said != number:
        faults.append(EnvelopeFault(f"{level}_control_mismatch", f"{tag}02", said, number))
    if not _is_count(counted, count):
        faults.append(EnvelopeFault(f"{level}_count_mismatch", f"{tag}01", counted, str(count)))
    return faults


def _is_count(text: str, count: int) -> bool:
    if not (text.isascii() and text.isdecimal()):
        return False
    return len(text) <= _COUNT_DIGITS and int(text) == count
