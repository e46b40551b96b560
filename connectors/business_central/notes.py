"""What our order lines say in ``description2``: which line of the buyer, which shipment of ours.

``LINE <number>`` when the order is made, ``LINE <number> SHIPMENT <number>`` when it is posted
(``SHIPMENT <number>`` on a line that we did not make). Posting copies it to the posted shipment's
and the posted invoice's lines; nothing else there could tell two equal partial shipments apart.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

LINE = "LINE "
SHIPMENT = "SHIPMENT "
_BETWEEN = " SHIPMENT "
LINE_CHARACTERS = 20
"""The last so many characters of a buyer's line number; X12 PO101 has at most 20."""
SHIPMENT_CHARACTERS = 15
"""A longer shipment number is hashed: Description 2 holds 50 characters in all."""


def line_key(number: str) -> str:
    """A buyer's line number as a note holds it."""
    return number[-LINE_CHARACTERS:].strip()


def shipment_key(number: str) -> str:
    """Our shipment number as a note holds it."""
    number = number.strip()
    if len(number) <= SHIPMENT_CHARACTERS and SHIPMENT.strip() not in number and number[:1] != "#":
        return number
    return f"#{hashlib.sha256(number.encode()).hexdigest()[: SHIPMENT_CHARACTERS - 1]}"


@dataclass(frozen=True, slots=True)
class Note:
    """One ``description2`` of ours; "" where it says nothing."""

    line: str = ""
    shipment: str = ""

    @classmethod
    def read(cls, text: str) -> Note:
        """Read a ``description2``; anybody else's text says nothing to us."""
        if text.startswith(SHIPMENT):
            return cls("", text.removeprefix(SHIPMENT))
        if not text.startswith(LINE):
            return cls()
        line, between, shipment = text.removeprefix(LINE).rpartition(_BETWEEN)
        return cls(line.strip(), shipment) if between else cls(shipment.strip(), "")

    def written(self) -> str:
        """The ``description2``: at most 50 characters."""
        parts = (
            LINE + self.line if self.line else "",
            SHIPMENT + self.shipment if self.shipment else "",
        )
        return " ".join(part for part in parts if part)
