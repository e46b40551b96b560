"""Bytes to segments, streaming: the same result for every way of cutting the stream into chunks.

The stream is decoded as latin-1, so that one character is one byte: an index is a byte offset, a
delimiter of several UTF-8 bytes is found like any other, and the length of a binary segment can
be counted. Elements that are not ASCII become text after the split (`to_text`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from canonical.errors import Rejected
from connectors.x12.engine.batch import BLANK, Batch
from connectors.x12.engine.cutting import cut, skip
from connectors.x12.engine.delimiters import MAX_HEADER, Header, read_header

CHUNK = 65_536
"""How many bytes are tokenised at a time: memory stays flat however long the stream is."""

MAX_SEGMENT = 1_000_000
"""A segment that has not ended after so many bytes is refused rather than read on."""

_BOM = "\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Stray:
    """The stream cannot be read from here on; always the last item."""

    error: Rejected
    offset: int


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
        return self._drain(final=False)

    def close(self) -> Iterator[Header | Batch | Stray]:
        """Read what is left; the last segment may lack its terminator."""
        return self._drain(final=True)

    def _drain(self, *, final: bool) -> Iterator[Header | Batch | Stray]:
        while not self._stopped:
            start, header = self._position, self._header
            item: Header | Batch | Stray | None
            try:
                item = (
                    self._open(final=final) if header is None else self._batch(header, final=final)
                )
            except Rejected as error:
                self._stopped = True
                item = Stray(error, self._base + self._position)
            if item is not None:
                yield item
            elif self._position == start and self._header is header:
                return

    def _open(self, *, final: bool) -> Header | None:
        start = self._position
        if not self._text.startswith("ISA", start):
            start = self._position = skip(self._text, start, BLANK + _BOM)
            left = len(self._text) - start
            if not left or (left <= len("ISA") and not final):
                return None
            if not self._text.startswith("ISA", start):
                raise Rejected("interchange_missing", "ISA", "an ISA is expected here")
        text = self._text[start : start + MAX_HEADER]
        self._header = read_header(text, self._base + start, final=final)
        if self._header:
            self._position = start + self._header.size
        return self._header

    def _batch(self, header: Header, *, final: bool) -> Batch | None:
        start = self._position
        batch = cut(self._text, start, header, final=final)
        if batch.closes:
            self._header = None
        elif batch.end == start and len(self._text) - start > MAX_SEGMENT:
            raise Rejected("segment_too_long", "", "no segment terminator within a megabyte")
        self._position = batch.end
        batch.start = self._base + start
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
