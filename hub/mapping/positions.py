"""Character offsets as people count: lines and columns from 1."""

from __future__ import annotations


def line_and_column(text: str, offset: int) -> str:
    """``line:column`` of the character at `offset`."""
    before = text[: max(0, min(offset, len(text)))]
    line_start = before.rfind("\n") + 1
    return f"{before.count(chr(10)) + 1}:{len(before) - line_start + 1}"
