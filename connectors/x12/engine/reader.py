"""Bytes to segments, streaming: the same result for every way of cutting the stream into chunks.

The stream is decoded as latin-1, so that one character is one byte: an index is a byte offset, a
delimiter of several UTF-8 bytes is found like any other, and the length of a binary segment can
be counted. Elements that are not ASCII become text after the split (`to_text`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from canonical.errors import Rejected
from connectors.x12.engine.delimiters import MAX_HEADER, Header, read_header, to_text
from connectors.x12.engine.pattern import SEPARATOR

CHUNK = 65_536
"""How many bytes are tokenised at a time: memory stays flat however long the stream is."""

MAX_SEGMENT = 1_000_000
"""A segment that has not ended after so many bytes is refused rather than read on."""

_BLANK = " \t\r\n\x00\x1a"
"""What files carry between segments: line breaks, indentation, DOS end-of-file marks."""

_BOM = "\xef\xbb\xbf"

_BINARY = {"BIN": 2, "BDS": 3}
"""Segments whose last element is data of any bytes -> its position (BIN02, BDS03). The element
before it says how many bytes it has, as it may hold any delimiter."""


@dataclass(frozen=True, slots=True)
class Stray:
    """The stream cannot be read from here on; always the last item."""

    error: Rejected
    offset: int


class Batch:
    """Consecutive segments of one interchange, without its ISA."""

    __slots__ = ("_parts", "_start", "_step", "segments", "texts")

    def __init__(self, cut: _Cut, start: int, header: Header) -> None:
        self._parts = cut.parts
        self._start = start
        self._step = len(header.terminator)
        self.segments = _elements(cut, header) if cut.segments is None else cut.segments
        self.texts = cut.texts
        """The segments whole, `SEPARATOR` between their elements; None where they cannot be had
        without a second look at every element."""

    def offset(self, index: int) -> int:
        """The byte offset of segment `index` in the stream; counted only when someone asks."""
        position = self._start
        for part in self._parts:
            tag = part.lstrip(_BLANK)
            if tag:
                if not index:
                    return position + len(part) - len(tag)
                index -= 1
            position += len(part) + self._step
        return position


class Reader:
    """Takes chunks of bytes, gives headers and batches of segments as they become complete."""

    def __init__(self) -> None:
        self._text = ""
        self._position = 0
        """How much of `_text` has been read."""
        self._base = 0
        """Where `_text` begins in the stream."""
        self._header: Header | None = None
        self._stopped = False

    def feed(self, data: bytes) -> Iterator[Header | Batch | Stray]:
        """Read on; must be consumed before the next call."""
        if not self._stopped:
            self._base += self._position
            self._text = self._text[self._position :] + data.decode("latin-1")
            self._position = 0
            yield from self._drain(final=False)

    def close(self) -> Iterator[Header | Batch | Stray]:
        """Read what is left; the last segment may lack its terminator."""
        if not self._stopped:
            yield from self._drain(final=True)

    def _drain(self, *, final: bool) -> Iterator[Header | Batch | Stray]:
        while not self._stopped:
            start = self._position
            was_open = self._header is not None
            item: Header | Batch | Stray | None
            try:
                item = self._batch(final=final) if self._header else self._open(final=final)
            except Rejected as error:
                self._stopped = True
                item = Stray(error, self._base + self._position)
            if item is not None:
                yield item
            elif self._position == start and was_open == (self._header is not None):
                return

    def _open(self, *, final: bool) -> Header | None:
        start = self._position = _skip(self._text, self._position, _BLANK + _BOM)
        left = len(self._text) - start
        if not left or (left <= len("ISA") and not final):
            return None
        if not self._text.startswith("ISA", start):
            raise Rejected("interchange_missing", "ISA", "an ISA is expected here")
        text = self._text[start : start + MAX_HEADER]
        self._header = read_header(text, self._base + start, final=final)
        if self._header:
            self._position += self._header.size
        return self._header

    def _batch(self, *, final: bool) -> Batch | None:
        header = self._header
        if header is None:  # `_drain` asks only inside an interchange
            return None
        start = self._position
        cut = _cut(self._text, start, header, final=final)
        if cut.closes:
            self._header = None
        elif cut.end == start and len(self._text) - start > MAX_SEGMENT:
            raise Rejected("segment_too_long", "", "no segment terminator within a megabyte")
        self._position = cut.end
        batch = Batch(cut, self._base + start, header)
        return batch if batch.segments else None


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


@dataclass(slots=True)
class _Cut:
    """Complete segments at the start of a text."""

    parts: list[str]
    end: int
    """Where the text goes on, after the last of their terminators."""
    closes: bool
    """The interchange ends here: by its IEA, or because another ISA follows."""
    texts: list[str] | None = None
    """The segments with `SEPARATOR` between their elements, where there is only ASCII, no wraps and
    no padding: their elements need no second look."""
    segments: list[list[str]] | None = None
    """Those segments, split."""


def _skip(text: str, start: int, characters: str) -> int:
    while start < len(text) and text[start] in characters:
        start += 1
    return start


def _cut(text: str, start: int, header: Header, *, final: bool) -> _Cut:
    cut = None if header.wrapped else _slice(text, start, header)
    if cut is None:
        cut = _scan(text, start, header, final=final)
    if cut.closes or cut.end > start or not final or start == len(text):
        return cut
    return _Cut([text[start:]], len(text), closes=False)


def _slice(text: str, start: int, header: Header) -> _Cut | None:
    """The fast path: one split for all complete segments; None where binary data stand in them.

    The next ISA is looked for first: it bounds all other searches.
    """
    terminator = header.terminator
    following = _find_segment(text, start, f"ISA{header.element}", terminator)
    limit = len(text) if following < 0 else following
    iea = _find_segment(text, start, f"IEA{header.element}", terminator, limit)
    closes = True
    end = text.find(terminator, iea, limit) if iea >= 0 else -1
    if end < 0:
        end, closes = text.rfind(terminator, start, limit), following >= 0
    if end < 0:
        return _Cut([], start, closes)
    whole = text[start:end]
    after = end + len(terminator)
    if header.padded or not whole.isascii() or SEPARATOR in whole:
        if any(f"{tag}{header.element}" in whole for tag in _BINARY):
            return None
        return _Cut(whole.split(terminator), after, closes)
    parts = whole.replace(header.element, SEPARATOR).split(terminator)
    # What is no data before a tag sorts before all that is, and so does an empty segment.
    texts = parts if min(parts) > "!" else [text for part in parts if (text := part.lstrip(_BLANK))]
    segments = [text.split(SEPARATOR) for text in texts]
    if not _BINARY.keys().isdisjoint([segment[0] for segment in segments]):
        return None
    return _Cut(parts, after, closes, texts, segments)


def _find_segment(
    text: str, start: int, begin: str, terminator: str, limit: int | None = None
) -> int:
    """Where the first segment that begins so stands, with the blanks before it; -1: nowhere."""
    found = text.find(begin, start, limit)
    while found >= 0:
        last = text.rfind(terminator, start, found)
        first = last + len(terminator) if last >= 0 else start
        if not text[first:found].strip(_BLANK):
            return first
        found = text.find(begin, found + 1, limit)
    return -1


def _scan(text: str, start: int, header: Header, *, final: bool) -> _Cut:
    """The careful path, segment by segment: binary data, and wraps inside of tags."""
    parts: list[str] = []
    position = start
    while True:
        stop = _stop(text, position, header, final=final)
        if stop < 0:
            return _Cut(parts, position, closes=False)
        part = text[position:stop]
        tag = _unwrapped(part, header).lstrip(_BLANK)[: 3 + len(header.element)]
        if tag == f"ISA{header.element}":
            return _Cut(parts, position, closes=True)
        parts.append(part)
        position = stop + len(header.terminator)
        if tag == f"IEA{header.element}":
            return _Cut(parts, position, closes=True)


def _stop(text: str, position: int, header: Header, *, final: bool) -> int:
    """Where the segment at `position` ends (before its terminator); -1: not in this text."""
    begin = _skip(text, position, _BLANK)
    last = _data_at(text[begin : begin + 3 + len(header.element)], header)
    fields = text[begin : begin + 64].split(header.element, last or 0)
    if last and len(fields) > last and fields[last - 1].isascii() and fields[last - 1].isdecimal():
        data = begin + sum(len(field) + len(header.element) for field in fields[:last])
        stop = data + int(fields[last - 1])
        if text.startswith(header.terminator, stop):
            return stop
        if stop + len(header.terminator) > len(text) and not final:
            return -1
    return text.find(header.terminator, position)


def _data_at(begin: str, header: Header) -> int:
    """Where the data of a binary segment stand that begins so; 0: it is no binary segment."""
    tag, element = begin[:3], begin[3:]
    return _BINARY.get(tag, 0) if element == header.element else 0


def _unwrapped(part: str, header: Header) -> str:
    if header.padded:
        return part.rstrip(" ")
    return part.replace("\r", "").replace("\n", "") if header.wrapped else part


def _elements(cut: _Cut, header: Header) -> list[list[str]]:
    element = header.element
    segments = []
    for part in cut.parts:
        plain = _unwrapped(part.lstrip(_BLANK), header)
        last = _data_at(plain[: 3 + len(element)], header)
        if plain:
            segments.append([to_text(value) for value in plain.split(element, last or -1)])
    return segments
