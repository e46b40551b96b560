"""Inventory: how much of an item is where."""

from __future__ import annotations

from typing import ClassVar

from canonical.base import Document, Purpose, Stamp, stamp
from canonical.item import ItemCodes
from canonical.number import Number
from canonical.quantity import Quantity


class InventoryPosition(Document):
    """What one system says is on hand of one item at one site (X12 846; EDIFACT INVRPT)."""

    entity: ClassVar[str] = "inventory"
    key_fields: ClassVar[set[str]] = {"site", "number"}

    number: Number
    """Our item number (X12 LIN03 with LIN02 VN or SK)."""
    site: Number = "MAIN"
    """The warehouse or branch, by our own code (X12 N104 of N1*WH)."""
    item: ItemCodes
    """All codes by which the item is known (X12 LIN; UBL cac:Item)."""
    on_hand: Quantity
    """Physically there (X12 QTY*33; GS1 inventory status ON_HAND)."""
    available: Quantity | None = None
    """Free to promise, where the system says it; else `on_hand` counts."""
    modified_at: Stamp | None = None
    """The system's own change stamp (RFC 3339)."""

    def key_parts(self) -> tuple[str, str]:
        """Return the item at its site."""
        return stock_number(self.number, self.site), ""

    def purpose(self) -> Purpose:
        """A snapshot: the newest one counts."""
        return "state"

    def sequence(self) -> int:
        """The system's change stamp in microseconds since 1970; 0 where it gives none."""
        return stamp(self.modified_at)


def stock_number(item: str, site: str = "MAIN") -> str:
    """Name an item at a site: an "@" within the item's number is written %40, so keys stay apart."""
    escaped = item.replace("%", "%25").replace("@", "%40")
    return f"{escaped}@{site}"
