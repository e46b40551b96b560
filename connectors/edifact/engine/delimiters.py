"""The delimiters of an interchange: from its UNA, or the defaults, and the UNB that follows.

All text here is the bytes decoded as latin-1: one character is one byte, so an index is a byte
offset.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from canonical.errors import Rejected
from connectors.edifact.engine.faults import INTERCHANGE_CODES

MAX_HEADER = 2048
"""A UNA and UNB with everything in them is about 300 characters; more than this is none."""

_UNA = 9
_BLANK = " \t\r\n"
_HEAD = re.compile(r"UN[BHG]")
_AFTER_LINE = re.compile(r"[ \t\r\n]*UN[GH]\+")
_REPEATING = "4"
"""Elements repeat from this syntax version on (ISO 9735-1:1998)."""


@dataclass(frozen=True, slots=True)
class Delimiters:
    """The service characters of an interchange (ISO 9735-1, 5.1)."""

    component: str = ":"
    element: str = "+"
    decimal: str = "."
    release: str | None = "?"
    repetition: str | None = None
    """None before syntax version 4."""
    segment: str = "'"

    def separators(self) -> tuple[str, ...]:
        """Those that split data."""
        all_of_them = (self.component, self.element, self.repetition, self.segment)
        return tuple(mark for mark in all_of_them if mark)


# ISO 9735:1988, level B: the information separators of ISO 646.
_LEVEL_B = Delimiters("\x1f", "\x1d", ".", None, None, "\x1c")


@dataclass(frozen=True, slots=True)
class Header:
    """The beginning of an interchange as it was read."""

    text: str
    """The UNB as it stands there, without its terminator; "" where the data begin at a UNH."""
    delimiters: Delimiters
    offset: int
    """Where UNA or UNB begins in the stream, in bytes."""
    size: int
    """How many bytes UNA and UNB have, with the terminator."""
    wrapped: bool
    """Line breaks stand inside the UNB: the whole interchange was wrapped at a fixed column."""


def refused(code: str, where: str) -> Rejected:
    """A refusal in the words of its code."""
    return Rejected(code, where, INTERCHANGE_CODES[code][1])


def read_header(text: str, offset: int, *, final: bool) -> Header | None:
    """Read the UNA and UNB at the start of `text`.

    Args:
        text: the stream from there on, at most `MAX_HEADER` latin-1 characters.
        offset: where `text` begins in the stream.
        final: no more text will come.

    Returns:
        The header, or None where more text is needed.

    Raises:
        Rejected: ``interchange_missing``, ``unb_unreadable`` or ``delimiter_ambiguous``.

    """
    final = final or len(text) >= MAX_HEADER
    advised = text.startswith("UNA")
    begin = _UNA if advised else 0
    while begin < len(text) and advised and text[begin] in _BLANK:
        begin += 1
    if len(text) < begin + 4:
        if final:
            raise refused("interchange_missing", "UNB")
        return None
    if not _HEAD.match(text, begin):
        raise refused("interchange_missing", "UNB")
    marks = _advised(text[3:_UNA]) if advised else _default(text[begin + 3])
    if text[begin + 3] != marks.element:
        raise refused("unb_unreadable", "UNB")
    if text[begin + 2] != "B":
        return Header("", marks, offset, begin, wrapped=False)
    return _unb(text, begin, marks, offset, advised=advised, final=final)


def _unb(  # noqa: PLR0913  # one step of `read_header`, cut off for its length
    text: str, begin: int, marks: Delimiters, offset: int, *, advised: bool, final: bool
) -> Header | None:
    if not advised and marks.segment == "'":
        found = _terminator(text, begin, final=final)
        if found is None:
            return None
        marks = Delimiters(segment=found)
    end = find_mark(text, begin, marks.segment, marks.release)
    if end < 0:
        if final:
            raise refused("unb_unreadable", "UNB")
        return None
    unb = text[begin:end]
    plain = unb.replace("\r", "").replace("\n", "")
    marks = _with_repetition(marks, plain, text[7] if advised else "*")
    wrapped = marks.segment not in "\r\n" and len(plain) != len(unb)
    return Header(plain, marks, offset, end + 1, wrapped)


def _advised(una: str) -> Delimiters:
    component, element, decimal, release, _, segment = tuple(una)
    marks = Delimiters(
        component, element, decimal, None if release == " " else release, None, segment
    )
    used = [mark for mark in (component, element, marks.release, segment) if mark is not None]
    if len(set(used)) != len(used):
        raise refused("delimiter_ambiguous", "UNA")
    if any(mark.isalnum() or mark == " " or not mark.isascii() for mark in used):
        raise refused("unb_unreadable", "UNA")
    return marks


def _default(after_tag: str) -> Delimiters:
    return _LEVEL_B if after_tag == _LEVEL_B.element else Delimiters()


def _terminator(text: str, begin: int, *, final: bool) -> str | None:
    """The segment terminator where no UNA names it; None where more text is needed.

    Some write one segment to a line and no apostrophes: then a service segment stands at the
    beginning of the second line, before any apostrophe.
    """
    quote = find_mark(text, begin, "'", "?")
    line = min((at for at in map(text.find, "\r\n", (begin, begin)) if at >= 0), default=-1)
    if line < 0 or 0 <= quote < line:
        return "'" if quote >= 0 or final else None
    if _AFTER_LINE.match(text, line):
        return "\r" if text[line : line + 2] != "\r\n" and text[line] == "\r" else "\n"
    rest = text[line:].lstrip(_BLANK)
    return "'" if len(rest) >= 4 or final else None  # noqa: PLR2004  # a tag and its separator


def _with_repetition(marks: Delimiters, unb: str, mark: str) -> Delimiters:
    syntax = unb.split(marks.element, 2)[1].split(marks.component)
    version = syntax[1][:1] if len(syntax) > 1 else ""
    taken = (marks.component, marks.element, marks.segment, marks.release, " ", marks.decimal)
    if version < _REPEATING or mark in taken or mark.isalnum():
        return marks
    return Delimiters(
        marks.component, marks.element, marks.decimal, marks.release, mark, marks.segment
    )


def find_mark(text: str, start: int, mark: str, release: str | None, end: int | None = None) -> int:
    """Where `mark` stands first, not released; -1: nowhere."""
    at = text.find(mark, start, end)
    while at >= 0 and is_released(text, at, start, release):
        at = text.find(mark, at + 1, end)
    return at


def find_last(text: str, start: int, mark: str, release: str | None, end: int) -> int:
    """Where `mark` stands last, not released; -1: nowhere."""
    at = text.rfind(mark, start, end)
    while at >= 0 and is_released(text, at, start, release):
        at = text.rfind(mark, start, at)
    return at


def is_released(text: str, at: int, start: int, release: str | None) -> bool:
    """Whether the character at `at` is released: an odd number of release characters precede."""
    if release is None or at == start or text[at - 1] != release:
        return False
    first = at - 1
    while first > start and text[first - 1] == release:
        first -= 1
    return (at - first) % 2 == 1
