"""Items: what is bought, stocked and shipped, and the codes it is known by."""

from __future__ import annotations

from typing import ClassVar

from canonical.base import Canonical, Code, Document, Purpose, Stamp, Text, stamp
from canonical.money import Price
from canonical.number import Number
from canonical.quantity import Unit


class ItemCodes(Canonical):
    """The codes of one item; at least one is set (X12 elements 235/234; UBL cac:Item).

    A line without any is kept: the control point `items_known` holds its order for a person.
    """

    seller_sku: Code | None = None
    """Our own item number (X12 VP, VN, SK from the buyer; UBL SellersItemIdentification)."""
    buyer_sku: Code | None = None
    """The customer's number (X12 qualifier BP, IN, PI; UBL BuyersItemIdentification)."""
    gtin: Code | None = None
    """GS1 GTIN-8/12/13/14 as sent (X12 qualifiers UP, EN, UK; UBL StandardItemIdentification)."""


class Item(Document):
    """Reference data: an item as the ERP keeps it (UBL cac:Item; X12 832)."""

    entity: ClassVar[str] = "item"
    key_fields: ClassVar[set[str]] = {"number"}

    number: Number
    """Our item number, the `seller_sku` of order lines (UBL SellersItemIdentification)."""
    name: Text | None = None
    """UBL cbc:Name; X12 PID05."""
    gtin: Code | None = None
    """GS1 GTIN of one base unit, as the ERP keeps it."""
    base_unit: Unit
    """The unit in which stock is counted and prices are listed."""
    blocked: bool = False
    """True where the ERP refuses to sell it, for whatever reason."""
    stocked: bool = True
    """False for services and the like, of which there is nothing to have in stock."""
    list_price: Price | None = None
    """The price list's price in the base unit, before any customer agreement (X12 CTP)."""
    modified_at: Stamp | None = None
    """The ERP's own change stamp (RFC 3339), which orders snapshots."""

    def key_parts(self) -> tuple[str, str]:
        """The item number; items have no release."""
        return self.number, ""

    def purpose(self) -> Purpose:
        """A snapshot: the newest one counts."""
        return "state"

    def sequence(self) -> int:
        """The ERP's change stamp in microseconds since 1970; 0 where it gives none."""
        return stamp(self.modified_at)
