"""A tiny X12 reader and writer, enough for a warehouse's and a customer's own files.

It shares nothing with the hub's engine on purpose: two implementations that agree prove more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

Segment = list[str]

ISA_LENGTH = 106
"""The ISA has fixed columns: separators are read at 3 and 105 (X12.5)."""


@dataclass(frozen=True)
class TransactionSet:
    """ST to SE; `segments` without both."""

    code: str
    control: str
    segments: list[Segment]


@dataclass(frozen=True)
class Group:
    """GS to GE."""

    code: str
    """GS01, such as ``OW``."""
    control: str
    sets: list[TransactionSet]


@dataclass(frozen=True)
class Interchange:
    """ISA to IEA."""

    sender: str
    receiver: str
    control: str
    groups: list[Group]
    notices: list[Segment]
    """TA1 segments."""


def read(text: str) -> list[Interchange]:
    """Read all interchanges of a file.

    Raises:
        ValueError: it is not X12, or it is cut short.

    """
    found, rest = [], text.lstrip("\ufeff \r\n")
    if not rest:
        raise ValueError("expected an ISA segment, the file is empty")
    while rest:
        segments, rest = _split(rest)
        found.append(_interchange(segments))
        rest = rest.lstrip(" \r\n")
    return found


def _split(text: str) -> tuple[list[Segment], str]:
    """Cut one interchange into segments; gives what follows it."""
    if not text.startswith("ISA") or len(text) < ISA_LENGTH:
        raise ValueError("expected an ISA segment of 106 characters")
    element, terminator = text[3], text[105]
    segments: list[Segment] = []
    at = 0
    while True:
        end = text.find(terminator, at)
        if end < 0 and not _is_whole_end(text[at:], element, segments):
            raise ValueError("expected an IEA segment before the end of the file")
        end = len(text) if end < 0 else end
        segments.append(text[at:end].strip("\r\n ").split(element))
        at = end + 1
        if segments[-1][0] == "IEA":
            return segments, text[at:]


def _is_whole_end(rest: str, element: str, segments: list[Segment]) -> bool:
    """Whether the file ends with a whole IEA that only lacks its terminator."""
    parts = rest.strip("\r\n ").split(element)
    same = bool(segments) and _number(parts, 2) == _number(segments[0], 13)
    return same and parts[0] == "IEA"


def _number(segment: Segment, position: int) -> str:
    return element(segment, position).lstrip("0")


def _interchange(segments: list[Segment]) -> Interchange:
    isa = segments[0]
    groups: list[Group] = []
    for segment in segments[1:-1]:
        if segment[0] == "GS":
            groups.append(Group(element(segment, 1), element(segment, 6), []))
        elif segment[0] == "ST" and groups:
            groups[-1].sets.append(TransactionSet(element(segment, 1), element(segment, 2), []))
        elif segment[0] not in {"SE", "GE"} and groups and groups[-1].sets:
            groups[-1].sets[-1].segments.append(segment)
    notices = [segment for segment in segments if segment[0] == "TA1"]
    return Interchange(element(isa, 6), element(isa, 8), element(isa, 13), groups, notices)


@dataclass(frozen=True)
class Envelope:
    """Who writes to whom, when, under which number; the group has the interchange's number."""

    sender: str
    receiver: str
    number: int
    at: datetime
    group_code: str
    version: str = "004010"
    usage: str = "P"


def write(envelope: Envelope, sets: Sequence[tuple[str, Sequence[Segment]]]) -> str:
    """Write one interchange with one group of transaction sets (code, segments)."""
    number, at = envelope.number, envelope.at
    lines = [
        ["ISA", "00", " " * 10, "00", " " * 10, "ZZ", f"{envelope.sender:<15}", "ZZ",
         f"{envelope.receiver:<15}", f"{at:%y%m%d}", f"{at:%H%M}", "U", "00401", f"{number:09d}",
         "0", envelope.usage, ">"],
        ["GS", envelope.group_code, envelope.sender, envelope.receiver, f"{at:%Y%m%d}",
         f"{at:%H%M}", str(number), "X", envelope.version],
    ]  # fmt: skip
    for position, (code, segments) in enumerate(sets, start=1):
        control = f"{position:04d}"
        lines.append(["ST", code, control])
        lines.extend(_trimmed(segment) for segment in segments)
        lines.append(["SE", str(len(segments) + 2), control])
    lines.append(["GE", str(len(sets)), str(number)])
    lines.append(["IEA", "1", f"{number:09d}"])
    return "".join("*".join(line) + "~\n" for line in lines)


def _trimmed(segment: Segment) -> Segment:
    """Leave out trailing empty elements (X12.6: no trailing separators)."""
    end = len(segment)
    while end > 1 and not segment[end - 1]:
        end -= 1
    return [clean(element) for element in segment[:end]]


def clean(text: str) -> str:
    """Take the delimiters of `write` out of a value; X12 has no escape."""
    return "".join(" " if character in "*~>\r\n" else character for character in text)


def acknowledgement(group: Group, refused: dict[str, str]) -> list[Segment]:
    """The body of a 997 for a group; `refused` names sets by control number with an AK502 code."""
    lines = [["AK1", group.code, group.control]]
    for one in group.sets:
        lines.append(["AK2", one.code, one.control])
        bad = one.control in refused
        lines.append(["AK5", "R", refused[one.control]] if bad else ["AK5", "A"])
    count, good = len(group.sets), len(group.sets) - len(refused)
    verdict = "A" if good == count else ("P" if good else "R")
    return [*lines, ["AK9", verdict, str(count), str(count), str(good)]]


def element(segment: Segment, position: int) -> str:
    """The element at a position as X12 counts (W05**02** is 2); "" where there is none."""
    return segment[position].strip() if position < len(segment) else ""
