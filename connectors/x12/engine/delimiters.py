"""The delimiters of an interchange, read from its ISA, whatever it is padded to.

All text here is the bytes decoded as latin-1: one character is one byte, so an index is a byte
offset. A delimiter outside ASCII is several such characters (its UTF-8 bytes).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from canonical.errors import Rejected
from connectors.x12.engine.faults import EnvelopeFault

MAX_HEADER = 512
"""An ISA has 106 characters (X12.5); damaged or wrapped ones are read up to this many."""

ISA_LENGTHS = (2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1)
"""The fixed lengths of ISA01 to ISA16 (X12.5)."""

_LAST = len(ISA_LENGTHS)

_USUAL = 106
"""How many characters an ISA has with its terminator, where its elements have their lengths."""

_USUAL_LENGTHS = (3, *ISA_LENGTHS[:-1], 2)
"""Between its separators, then: the last is ISA16 with the terminator."""


@dataclass(frozen=True, slots=True)
class Delimiters:
    """What separates the parts of an interchange; each is one character of text."""

    element: str = "*"
    component: str = ">"
    segment: str = "~"
    repetition: str | None = None
    """None before version 00402, where ISA11 is the standards identifier ``U``."""


@dataclass(slots=True)  # not frozen: that costs three times as much to make
class Header:
    """An ISA as it was read."""

    segment: list[str]
    """``ISA`` and its 16 elements."""
    delimiters: Delimiters
    element: str
    """The element separator as it stands in the bytes."""
    terminator: str
    """The segment terminator as it stands in the bytes."""
    offset: int
    """Where it begins in the stream, in bytes."""
    size: int
    """How many bytes it has, with its terminator."""
    wrapped: bool = False
    """Line breaks stand inside the ISA: the whole interchange was wrapped at a fixed column."""
    padded: bool = False
    """A blank stands before the line break that ends a segment, and is no part of it."""
    fixed: bool = False
    """Its elements are known to have their fixed lengths."""

    def faults(self) -> list[EnvelopeFault]:
        """Elements that do not have their fixed length; readable all the same."""
        elements = [] if self.fixed else self.segment[1:]
        if self.fixed or tuple(map(len, elements)) == ISA_LENGTHS:
            return []
        for number, (value, length) in enumerate(zip(elements, ISA_LENGTHS, strict=True), 1):
            if len(value) != length:
                return [
                    EnvelopeFault("isa_length", f"ISA{number:02d}", value, f"{length} characters")
                ]
        return []


def to_text(wire: str) -> str:
    """Bytes as latin-1 characters -> text: UTF-8 where they are, else Windows-1252, else latin-1."""
    if wire.isascii():
        return wire
    raw = wire.encode("latin-1")
    for encoding in ("utf-8", "cp1252"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return wire


def read_header(text: str, offset: int, *, final: bool) -> Header | None:
    """Read the ISA at the start of `text`.

    The element separator is the character after ``ISA``; ISA16 is found by counting separators,
    because real ISAs are not always 106 characters long.

    Args:
        text: the stream from the ISA on, as latin-1 characters.
        offset: where `text` begins in the stream.
        final: no more text will come.

    Returns:
        The header, or None where more text is needed.

    Raises:
        Rejected: ``isa_unreadable`` or ``delimiter_ambiguous``.

    """
    usual = _usual(text, offset)
    if usual is not None:
        return usual
    element = _character(text, 3)
    fields = text[:MAX_HEADER].split(element, _LAST) if element else []
    # Where the separator before ISA16 stands; before the text where it is not there (yet).
    last = min(len(text), MAX_HEADER) - len(fields[_LAST]) if len(fields) > _LAST else 0
    component = _character(text, last) if last else ""
    at = last + len(component)
    # A blank is what editors leave at the end of a line: the line break is the terminator then.
    end = at + 1 if text[at : at + 2] in (" \r", " \n") else at
    terminator = _character(text, end) if component else ""
    if not terminator or (text[at:] == " " and not final):
        if final or len(text) >= MAX_HEADER:
            raise Rejected("isa_unreadable", "ISA", "expected 16 elements and a terminator")
        return None
    values, head = fields[:_LAST], text[:last]
    wrapped = "\r" in head or "\n" in head
    if wrapped:
        values = [value.replace("\r", "").replace("\n", "") for value in values]
    if not head.isascii():
        values = [to_text(value) for value in values]
    three = to_text(element), to_text(component), to_text(terminator)
    delimiters = _delimiters(three, values[11], values[12])
    return Header(
        segment=[*values, delimiters.component],
        delimiters=delimiters,
        element=element,
        terminator=terminator,
        offset=offset,
        size=end + len(terminator),
        wrapped=wrapped,
        padded=end > at,
    )


def _usual(text: str, offset: int) -> Header | None:
    """An ISA of 106 ASCII characters without line breaks, as nearly all are; else None.

    Those of a partner differ in nothing but date, time and number (ISA09, ISA10, ISA13).
    """
    date, time, number = text[70:76], text[77:81], text[90:99]
    if not (date + time + number).isdecimal():
        return None
    known = _partners(text[:70] + text[76:77] + text[81:90] + text[99:_USUAL])
    if known is None:
        return None
    segment, delimiters, element, terminator = known
    segment = segment.copy()
    segment[9], segment[10], segment[13] = date, time, number
    return Header(segment, delimiters, element, terminator, offset, _USUAL, fixed=True)


@lru_cache(maxsize=256)
def _partners(rest: str) -> tuple[list[str], Delimiters, str, str] | None:
    """What stands in a usual ISA besides its date, time and number: segment and delimiters."""
    head = f"{rest[:70]}000000{rest[70:71]}0000{rest[71:80]}000000000{rest[80:]}"
    if len(head) < _USUAL or not head.isascii() or "\n" in head or "\r" in head:
        return None
    element = head[3]
    segment = head.split(element)
    if element.isalnum() or tuple(map(len, segment)) != _USUAL_LENGTHS:
        return None
    component, terminator = segment[_LAST][:1], segment[_LAST][1:]
    if terminator == " ":
        return None  # it may be padding before a line break
    segment[_LAST] = component
    delimiters = _delimiters((element, component, terminator), segment[11], segment[12])
    return segment, delimiters, element, terminator


def _character(text: str, index: int) -> str:
    """The character at `index`: one byte, or all bytes of a UTF-8 sequence; "" if incomplete."""
    first = text[index : index + 1]
    if first.isascii():
        return first
    size = _utf8_size(first)
    whole = text[index : index + size]
    if len(whole) < size:
        return ""
    return whole if all("\x80" <= byte <= "\xbf" for byte in whole[1:]) else first


def _utf8_size(first: str) -> int:
    if "\xc2" <= first <= "\xdf":
        return 2
    if "\xe0" <= first <= "\xef":
        return 3
    return 4 if "\xf0" <= first <= "\xf4" else 1


@lru_cache(maxsize=256)
def _delimiters(three: tuple[str, str, str], standard: str, version: str) -> Delimiters:
    """The delimiters, with the repetition separator that ISA11 and ISA12 say there is."""
    _, component, _ = three
    if any(value.isalnum() for value in three) or component in "\r\n":
        raise Rejected("isa_unreadable", "ISA16", "expected 16 elements and a terminator")
    if len(set(three)) != len(three):
        raise Rejected("delimiter_ambiguous", "ISA16", "two delimiters are the same character")
    used = version >= "00402" and len(standard) == 1
    if used and not standard.isalnum() and standard not in (" ", *three):
        return Delimiters(*three, standard)
    return Delimiters(*three)
