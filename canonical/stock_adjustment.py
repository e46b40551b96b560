"""Stock adjustments: what a warehouse changed in its books without a shipment or a receipt."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from canonical.base import Canonical, Code, Document, Extensions, Text
from canonical.item import ItemCodes
from canonical.number import Number
from canonical.order import MAX_LINES
from canonical.party import Party
from canonical.quantity import Quantity
from canonical.references import Reference

AdjustmentReason = Literal[
    "count", "damage", "expiry", "loss", "find", "hold", "release", "correction", "other"
]
"""Why stock changed; `hold` and `release` move it between statuses, the others in or out."""


class AdjustmentLine(Canonical):
    """One change of one item's stock (X12 947 W19)."""

    number: Code
    """Its place in the adjustment, or the number that it carries (X12 N9*LI)."""
    item: ItemCodes
    """X12 W1904 to W1908; UBL cac:Item."""
    quantity: Quantity
    """The difference: above zero is more stock, below zero less (X12 W1902 with W1903)."""
    reason: AdjustmentReason
    """The warehouse's code in our words."""
    code: Code | None = None
    """The code as the warehouse wrote it (X12 W1901, element 181)."""
    lot: Code | None = None
    """GS1 application identifier 10 (X12 W1909, N9*LT)."""
    note: Text | None = None
    """Why, for people (X12 NTE)."""
    references: tuple[Reference, ...] = ()
    """X12 N9 of the line."""


class StockAdjustment(Document):
    """What a warehouse adjusted in one go (X12 947 Warehouse Inventory Adjustment Advice)."""

    entity: ClassVar[str] = "stock_adjustment"
    key_fields: ClassVar[set[str]] = {"number"}

    number: Number
    """The warehouse's own number of it (X12 W1502)."""
    adjusted_on: date
    """X12 W1501."""
    site: Number = "MAIN"
    """The warehouse or branch, by our own code (X12 N104 of N1*WH)."""
    warehouse: Party | None = None
    """Who says it (X12 N1*WH)."""
    lines: Annotated[tuple[AdjustmentLine, ...], Field(min_length=1, max_length=MAX_LINES)]
    """X12 W19 loops, in order."""
    references: tuple[Reference, ...] = ()
    """X12 N9 at header level."""
    notes: tuple[Text, ...] = ()
    """Free text for people (X12 NTE)."""
    extensions: Extensions = Field(default_factory=dict)
    """What the adjustment says beyond this vocabulary; kept, never interpreted."""

    def key_parts(self) -> tuple[str, str]:
        """The warehouse's number."""
        return self.number, ""
