"""Bytes to segments, streaming: the same result for every way of cutting the stream into chunks.

The stream is decoded as latin-1, so that one character is one byte and an index is a byte offset.
Complete segments are cut off at the last terminator that is not released, released characters are
replaced by stand-ins (`marks`), and then everything is split at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from canonical.errors import Rejected
from connectors.edifact.engine.charset import CODE_EXTENSION, codec_of, to_text
from connectors.edifact.engine.delimiters import (
    MAX_HEADER,
    Delimiters,
    Header,
    find_last,
    find_mark,
    is_released,
    read_header,
    refused,
)
from connectors.edifact.engine.iso2022 import FILL, Decoder
from connectors.edifact.engine.marks import escape

CHUNK = 65_536
"""How many bytes are tokenised at a time: memory stays flat however long the stream is."""

MAX_SEGMENT = 1_000_000
"""A segment that has not ended after so many bytes is refused rather than read on."""

_BLANK = f" \t\r\n\x00\x1a{FILL}"
"""What files carry between segments: line breaks, indentation, DOS end-of-file marks, sets called in."""

_LINE_BREAK = re.compile(r"[\r\n]+")

_BOM = "\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Stray:
    """The stream cannot be read from here on; always the last item."""

    error: Rejected
    offset: int
    line: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where a segment begins in the stream."""

    offset: int
    """In bytes, from 0."""
    line: int
    """From 1."""


class Batch:
    """Consecutive segments of one interchange, without its UNB.

    A segment is its tag and elements; components are not split yet, and released characters are
    the stand-ins of `marks`, where `escaped` says that there may be any.
    """

    __slots__ = ("_raw", "_start", "escaped", "marks", "segments")

    def __init__(
        self, segments: list[list[str]], raw: str, start: Place, marks: Delimiters
    ) -> None:
        self.segments = segments
        self.marks = marks
        self.escaped = marks.release is not None and marks.release in raw
        self._raw = raw
        self._start = start

    def place(self, index: int) -> Place:
        """Where segment `index` begins; counted only when someone asks."""
        raw, marks, position = self._raw, self.marks, 0
        while position < len(raw):
            end = find_mark(raw, position, marks.segment, marks.release)
            end = len(raw) if end < 0 else end
            begin = _skip(raw, position, _BLANK)
            # What comes out empty was no segment: two terminators in a row, or a released blank.
            if begin < end and escape(raw[begin:end], marks).strip(_BLANK):
                if not index:
                    position = begin
                    break
                index -= 1
            position = end + 1
        before = raw.count("\n", 0, position)
        return Place(self._start.offset + position, self._start.line + before)


class Reader:
    """Takes chunks of bytes, gives headers and batches of segments as they become complete."""

    def __init__(self) -> None:
        self._text = ""
        self._position = 0
        """How much of `_text` has been read."""
        self._base = 0
        """Where `_text` begins in the stream."""
        self._lines = 1
        """The line that `_position` is in."""
        self._header: Header | None = None
        self._codec = "cp1252"
        self._decoder: Decoder | None = None
        """Of an interchange with code extension."""
        self._decoded = ""
        """Then: what `_text` reads as, place by place, as far as that is known."""
        self._stopped = False

    def feed(self, data: bytes) -> Iterator[Header | Batch | Stray]:
        """Read on; must be consumed before the next call."""
        if not self._stopped:
            self._base += self._position
            self._decoded = self._decoded[self._position :]
            self._text = self._text[self._position :] + data.decode("latin-1")
            self._position = 0
            yield from self._drain(final=False)

    def close(self) -> Iterator[Header | Batch | Stray]:
        """Read what is left; the last segment may lack its terminator."""
        if not self._stopped:
            yield from self._drain(final=True)

    def _drain(self, *, final: bool) -> Iterator[Header | Batch | Stray]:
        while not self._stopped:
            start, header = self._position, self._header
            item: Header | Batch | Stray | None
            try:
                item = self._batch(header, final=final) if header else self._open(final=final)
            except Rejected as error:
                self._stopped = True
                item = Stray(error, self._base + self._position, self._lines)
            if item is not None:
                yield item
            elif self._position == start and (header is None) == (self._header is None):
                return

    def _advance(self, position: int) -> None:
        self._lines += self._text.count("\n", self._position, position)
        self._position = position

    def _open(self, *, final: bool) -> Header | None:
        start = _skip(self._text, self._position, _BLANK + _BOM)
        self._advance(start)
        if start == len(self._text):
            return None
        text = self._text[start : start + MAX_HEADER]
        if len(text) < 3 and not final:  # noqa: PLR2004  # a tag
            return None
        if text[:2] != "UN":
            raise refused("interchange_missing", "UNB")
        header = read_header(text, self._base + start, final=final)
        if header is None:
            return None
        self._codec, self._header = codec_of(_syntax(header)), header
        self._advance(start + header.size)
        if self._codec == CODE_EXTENSION:
            self._decoder, self._decoded = Decoder(), self._text[: self._position]
        return header

    def _read(self, *, final: bool) -> str:
        """The text that delimiters are looked for in."""
        if self._decoder is None:
            return self._text
        rest = self._text[len(self._decoded) :]
        self._decoded += self._decoder.decode(rest, final=final)
        return self._decoded

    def _batch(self, header: Header, *, final: bool) -> Batch | None:
        start, text = self._position, self._read(final=final)
        end, closes = _cut(text, start, header.delimiters, final=final)
        if closes:
            self._header = self._decoder = None
            self._decoded = ""
        elif end == start and len(self._text) - start > MAX_SEGMENT:
            raise refused("segment_too_long", "")
        raw = text[start:end]
        place = Place(self._base + start, self._lines)
        self._advance(end)
        segments = _segments(raw, header, self._codec)
        return Batch(segments, raw, place, header.delimiters) if segments else None


def read(chunks: Iterable[bytes]) -> Iterator[Header | Batch | Stray]:
    """Read a stream of interchanges: each a header and batches; at most one stray, at the end."""
    reader = Reader()
    for chunk in chunks:
        yield from reader.feed(chunk)
    yield from reader.close()


def chunks_of(data: bytes) -> Iterator[bytes]:
    """Cut what is in memory already, so that tokens exist for one chunk at a time only."""
    for start in range(0, len(data), CHUNK):
        yield data[start : start + CHUNK]


def split(text: str, marks: Delimiters) -> list[str]:
    """A single segment, as it stands in the bytes, into its tag and elements."""
    return escape(text, marks).split(marks.element)


def _syntax(header: Header) -> str:
    """The syntax identifier (0001) of a UNB; "" without one."""
    marks = header.delimiters
    if not header.text:
        return ""
    return header.text.split(marks.element, 2)[1].split(marks.component)[0]


def _skip(text: str, start: int, characters: str) -> int:
    while start < len(text) and text[start] in characters:
        start += 1
    return start


def _cut(text: str, start: int, marks: Delimiters, *, final: bool) -> tuple[int, bool]:
    """Up to where complete segments stand, and whether the interchange ends there."""
    following = _next_interchange(text, start, marks)
    limit = len(text) if following < 0 else following
    unz = _find_segment(text, start, "UNZ", marks, limit)
    if unz >= 0:
        end = find_mark(text, unz, marks.segment, marks.release, limit)
        if end >= 0:
            return end + 1, True
    elif following >= 0:
        return following, True
    if following >= 0 or final:
        return limit, following >= 0 or unz >= 0
    last = find_last(text, start, marks.segment, marks.release, limit)
    return (last + 1, False) if last >= 0 else (start, False)


def _next_interchange(text: str, start: int, marks: Delimiters) -> int:
    """Where the next UNA or UNB stands as a segment; -1: not in this text."""
    unb = _find_segment(text, start, f"UNB{marks.element}", marks)
    # A UNA that matters stands before it: looking further would read the rest once an interchange.
    una = _find_segment(text, start, "UNA", marks, None if unb < 0 else unb)
    return unb if una < 0 else una


def _find_segment(
    text: str, start: int, begin: str, marks: Delimiters, limit: int | None = None
) -> int:
    """Where the first segment that begins so stands, with the blanks before it; -1: nowhere."""
    found = text.find(begin, start, limit)
    while found >= 0:
        first = found
        while first > start and text[first - 1] in _BLANK and text[first - 1] != marks.segment:
            first -= 1
        if first == start or _ends_segment(text, first - 1, start, marks):
            return first
        found = text.find(begin, found + 1, limit)
    return -1


def _ends_segment(text: str, at: int, start: int, marks: Delimiters) -> bool:
    return text[at] == marks.segment and not is_released(text, at, start, marks.release)


def _segments(raw: str, header: Header, codec: str) -> list[list[str]]:
    marks = header.delimiters
    text = escape(raw, marks)
    if marks.segment == "\n":
        text = text.replace("\r", "")
    elif codec != "utf-8" or header.wrapped:
        # No character set but UTF-8 knows line breaks: they are framing, wherever they stand.
        text = text.replace("\r", "").replace("\n", "")
    element, blank = marks.element, _BLANK
    pieces = text.split(marks.segment)
    if not text.isascii():
        pieces = [to_text(piece, codec) for piece in pieces]
    if codec == "utf-8":
        pieces = [_LINE_BREAK.sub(" ", piece.lstrip(blank).rstrip("\r\n")) for piece in pieces]
    return [plain.split(element) for piece in pieces if (plain := piece.lstrip(blank))]
