"""Inventory: how much of an item is where."""

from __future__ import annotations

from typing import ClassVar

from canonical.base import Code, Document, Purpose, stamp
from canonical.item import ItemCodes
from canonical.quantity import Quantity


class InventoryPosition(Document):
    """What one system says is on hand of one item at one site (X12 846; EDIFACT INVRPT)."""

    entity: ClassVar[str] = "inventory"
    key_fields: ClassVar[set[str]] = {"site", "number"}

    number: Code
    """Our item number."""
    site: Code = "MAIN"
    """The warehouse or branch, by our own code."""
    item: ItemCodes
    on_hand: Quantity
    """Physically there (X12 QTY*33; GS1 inventory status ON_HAND)."""
    available: Quantity | None = None
    """Free to promise, where the system says it; else `on_hand` counts."""
    modified_at: Code | None = None
    """The system's own change stamp (RFC 3339)."""

    def key_parts(self) -> tuple[str, str]:
        """Item at site."""
        return f"{self.number}@{self.site}", ""

    def purpose(self) -> Purpose:
        """A snapshot: the newest one counts."""
        return "state"

    def sequence(self) -> int:
        """The ERP's change stamp in microseconds since 1970; 0 where it gives none."""
        return stamp(self.modified_at)
