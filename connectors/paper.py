"""A document as a person reads it: named fields, and blocks such as parties, lines and packages.

What all formats have in common for reading and for comparing two versions. Nothing is left out: what
no rule of a format knows better stands there under its standard's name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

Role = Literal["", "number", "item", "description", "quantity", "price", "total"]
Kind = Literal["party", "line", "level", "part"]


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that the document says."""

    label: str
    value: str
    role: Role = ""
    """What it is for a line: what a column is made of."""


@dataclass(frozen=True, slots=True)
class Block:
    """Fields that belong together."""

    kind: Kind
    title: str
    """``Buyer``, ``Line 3``, ``Shipment``, or the segment's name in its standard."""
    identity: str
    """What makes it the same one in another version: a line's number, a party's role; "" if
    nothing does."""
    fields: tuple[Field, ...]
    blocks: tuple[Block, ...] = ()

    def of(self, role: Role) -> list[str]:
        """The values of a role, in their order."""
        return [each.value for each in self.fields if each.role == role]

    def as_json(self) -> dict[str, Any]:
        """The block as JSON."""
        return {
            "kind": self.kind,
            "title": self.title,
            "fields": [{"label": each.label, "value": each.value} for each in self.fields],
            "blocks": [each.as_json() for each in self.blocks],
        }


@dataclass(frozen=True, slots=True)
class Paper:
    """A whole document."""

    type: str
    """``850``, ``ORDERS``."""
    name: str
    """Its standard's name: ``Purchase Order``."""
    number: str
    """Its own number, such as the purchase order's; "" where it has none."""
    fields: tuple[Field, ...]
    blocks: tuple[Block, ...]

    def as_json(self) -> dict[str, Any]:
        """The document as JSON."""
        return {
            "type": self.type,
            "name": self.name,
            "number": self.number,
            "fields": [{"label": each.label, "value": each.value} for each in self.fields],
            "blocks": [each.as_json() for each in self.blocks],
        }


def day(text: str) -> str:
    """A date of six or eight digits as ``2026-11-20``; what is none stays as it is."""
    if not (text.isascii() and text.isdecimal()):
        return text
    if len(text) == 8:  # noqa: PLR2004  # CCYYMMDD
        return f"{text[:4]}-{text[4:6]}-{text[6:]}"
    if len(text) == 6:  # noqa: PLR2004  # YYMMDD
        return f"20{text[:2]}-{text[2:4]}-{text[4:]}"
    return text


def clock(text: str) -> str:
    """A time of four or more digits as ``08:30``; what is none stays as it is."""
    if text.isascii() and text.isdecimal() and len(text) >= 4:  # noqa: PLR2004  # HHMM
        return ":".join(text[at : at + 2] for at in range(0, min(len(text), 6), 2))
    return text


def walked(blocks: tuple[Block, ...]) -> Iterator[Block]:
    """All blocks, each before those in it."""
    for block in blocks:
        yield block
        yield from walked(block.blocks)
