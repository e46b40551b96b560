"""Where segments begin and end in a text, and how they are split; the text is cut at no more places.

Nearly all text is ASCII without line breaks, padding or binary data inside of segments: there one
split cuts all segments. Everything else is cut segment by segment, with the same result.
"""

from __future__ import annotations

from connectors.x12.engine.batch import BLANK, Batch
from connectors.x12.engine.delimiters import Header, to_text
from connectors.x12.engine.pattern import SEPARATOR

_BINARY = {"BIN": 2, "BDS": 3}
"""Segments whose last element is data of any bytes -> its position (BIN02, BDS03). The element
before it says how many bytes it has, as it may hold any delimiter."""


def skip(text: str, start: int, characters: str) -> int:
    """Where in a text the first character stands, from `start` on, that is none of these."""
    while start < len(text) and text[start] in characters:
        start += 1
    return start


def cut(text: str, start: int, header: Header, *, final: bool) -> Batch:
    """Cut the segments that are complete at `start`, of the interchange with this header.

    Args:
        text: as latin-1 characters.
        start: where to begin in it.
        header: the interchange's.
        final: no more text will come; the last segment may lack its terminator.

    """
    batch = None if header.wrapped else _slice(text, start, header)
    if batch is None:
        batch = _scan(text, start, header, final=final)
    if batch.closes or batch.end > start or not final or start == len(text):
        return batch
    return _split([text[start:]], header, len(text), closes=False)


def _slice(text: str, start: int, header: Header) -> Batch | None:
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
        return _split([], header, start, closes=closes)
    whole = text[start:end]
    after = end + len(terminator)
    if header.padded or not whole.isascii() or SEPARATOR in whole:
        if any(f"{tag}{header.element}" in whole for tag in _BINARY):
            return None
        return _split(whole.split(terminator), header, after, closes=closes)
    parts = whole.replace(header.element, SEPARATOR).split(terminator)
    # What is no data before a tag sorts before all that is, and so does an empty segment.
    texts = parts if min(parts) > "!" else [text for part in parts if (text := part.lstrip(BLANK))]
    segments = [text.split(SEPARATOR) for text in texts]
    tags = [segment[0] for segment in segments]
    if not _BINARY.keys().isdisjoint(tags):
        return None
    return Batch(segments, tags, texts, parts, len(terminator), after, closes)


def _find_segment(
    text: str, start: int, begin: str, terminator: str, limit: int | None = None
) -> int:
    """Where the first segment that begins so stands, with the blanks before it; -1: nowhere."""
    found = text.find(begin, start, limit)
    if found >= 0 and text.startswith(terminator, found - len(terminator), found):
        return found  # as nearly always
    while found >= 0:
        last = text.rfind(terminator, start, found)
        first = last + len(terminator) if last >= 0 else start
        if not text[first:found].strip(BLANK):
            return first
        found = text.find(begin, found + 1, limit)
    return -1


def _scan(text: str, start: int, header: Header, *, final: bool) -> Batch:
    """The careful path, segment by segment: binary data, and wraps inside of tags."""
    parts: list[str] = []
    position = start
    while True:
        stop = _stop(text, position, header, final=final)
        if stop < 0:
            return _split(parts, header, position, closes=False)
        part = text[position:stop]
        tag = _unwrapped(part, header).lstrip(BLANK)[: 3 + len(header.element)]
        if tag == f"ISA{header.element}":
            return _split(parts, header, position, closes=True)
        parts.append(part)
        position = stop + len(header.terminator)
        if tag == f"IEA{header.element}":
            return _split(parts, header, position, closes=True)


def _stop(text: str, position: int, header: Header, *, final: bool) -> int:
    """Where the segment at `position` ends (before its terminator); -1: not in this text."""
    begin = skip(text, position, BLANK)
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


def _split(parts: list[str], header: Header, end: int, *, closes: bool) -> Batch:
    """Split what stands between terminators with a look at every part and element."""
    element = header.element
    segments = []
    for part in parts:
        plain = _unwrapped(part.lstrip(BLANK), header)
        last = _data_at(plain[: 3 + len(element)], header)
        if plain:
            segments.append([to_text(value) for value in plain.split(element, last or -1)])
    tags = [segment[0] for segment in segments]
    return Batch(segments, tags, None, parts, len(header.terminator), end, closes)
