"""Segments that were read together, and where each of them stands."""

from __future__ import annotations

from dataclasses import dataclass

BLANK = " \t\r\n\x00\x1a"
"""What files carry between segments: line breaks, indentation, DOS end-of-file marks."""


@dataclass(slots=True)  # not frozen: that costs three times as much to make
class Batch:
    """Consecutive segments of one interchange, without its ISA."""

    segments: list[list[str]]
    tags: list[str]
    """Of each of them; "" where a segment begins with a separator."""
    texts: list[str] | None
    """The segments whole, `pattern.SEPARATOR` between their elements; None where they cannot be
    had without a second look at every element."""
    parts: list[str]
    """What stands between the terminators: the segments, and what is no data before their tags."""
    step: int
    """How many bytes a terminator has."""
    end: int
    """Where the text goes on that they were cut from, after the last of their terminators."""
    closes: bool
    """The interchange ends here: by its IEA, or because another ISA follows."""
    start: int = 0
    """Where the first of the parts stands in the stream, in bytes."""

    def offset(self, index: int) -> int:
        """The byte offset of segment `index` in the stream; counted only when someone asks."""
        position = self.start
        for part in self.parts:
            tag = part.lstrip(BLANK)
            if tag:
                if not index:
                    return position + len(part) - len(tag)
                index -= 1
            position += len(part) + self.step
        return position
