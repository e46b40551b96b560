"""Orders and changes to orders."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from canonical.base import Canonical, Code, Document, Extensions, Purpose, Release, Text
from canonical.item import ItemCodes
from canonical.money import Currency, Money, Price
from canonical.number import Number
from canonical.party import Party
from canonical.quantity import Quantity
from canonical.references import Reference

MAX_LINES = 10_000
"""Lines one document may hold; above it the document is refused, not truncated."""


class OrderLine(Canonical):
    """One ordered line (X12 PO1 loop; UBL cac:OrderLine/cac:LineItem)."""

    number: Code
    """The buyer's line number, which must come back unchanged (X12 PO101; UBL cbc:ID)."""
    item: ItemCodes
    """X12 PO106 to PO125, in pairs; UBL cac:Item."""
    description: Text | None = None
    """X12 PID05; UBL cac:Item/cbc:Description."""
    quantity: Quantity
    """X12 PO102 and PO103; UBL cbc:Quantity."""
    unit_price: Price | None = None
    """X12 PO104; UBL cac:Price. None: the buyer leaves the price to us."""
    requested_delivery_on: date | None = None
    """Overrides the order's date for this line (X12 DTM*002 in the PO1 loop)."""
    references: tuple[Reference, ...] = ()
    """X12 REF in the PO1 loop; UBL cac:DocumentReference."""
    extensions: Extensions = Field(default_factory=dict)
    """What the line says beyond this vocabulary; kept, never interpreted."""


class Order(Document):
    """A purchase order that a customer placed with us (X12 850; UBL Order; EDIFACT ORDERS)."""

    entity: ClassVar[str] = "order"
    key_fields: ClassVar[set[str]] = {"po_number", "release"}

    po_number: Number
    """The buyer's purchase order number (X12 BEG03; UBL cbc:ID)."""
    release: Release = ""
    """Release of a blanket order (X12 BEG04); "" where there is none."""
    buyer: Party
    """Who orders (X12 N1*BY; UBL cac:BuyerCustomerParty)."""
    buyer_po_number: Number | None = None
    """The buyer's own PO number where `po_number` is a channel's number (a shop's order name)."""
    seller: Party | None = None
    """Of whom it is ordered, where the document says so (X12 N1*SE; UBL cac:SellerSupplierParty)."""
    ship_to: Party | None = None
    """Where it goes (X12 N1*ST; UBL cac:Delivery)."""
    bill_to: Party | None = None
    """Who pays (X12 N1*BT; UBL cac:AccountingCustomerParty)."""
    currency: Currency
    """X12 CUR02; UBL cbc:DocumentCurrencyCode."""
    ordered_on: date
    """X12 BEG05; UBL cbc:IssueDate."""
    requested_delivery_on: date | None = None
    """X12 DTM*002; UBL cac:RequestedDeliveryPeriod."""
    requested_ship_on: date | None = None
    """X12 DTM*010."""
    cancel_after: date | None = None
    """X12 DTM*001."""
    ship_method: Code | None = None
    """Carrier and service as the sender names it (X12 TD503; a shop's shipping line code)."""
    lines: Annotated[tuple[OrderLine, ...], Field(min_length=1, max_length=MAX_LINES)]
    """X12 PO1 loops, in order; UBL cac:OrderLine."""
    total: Money | None = None
    """The total that the sender declares, goods only.

    X12 AMT*TT; UBL cac:AnticipatedMonetaryTotal/cbc:LineExtensionAmount.
    """
    references: tuple[Reference, ...] = ()
    """X12 REF at header level; UBL cac:*DocumentReference."""
    notes: tuple[Text, ...] = ()
    """Free text for people (X12 MTX or MSG; UBL cbc:Note)."""
    extensions: Extensions = Field(default_factory=dict)
    """What the order says beyond this vocabulary; kept, never interpreted."""

    def key_parts(self) -> tuple[str, str]:
        """PO number and release."""
        return self.po_number, self.release


class LineChange(Canonical):
    """What one line of a change asks for (X12 POC02, element 670; UBL cac:OrderLine)."""

    number: Code
    """The line of the original order (X12 POC01)."""
    action: Literal["add", "delete", "change"]
    """AI/DI/CA and the like; a source's finer codes stay in `extensions`."""
    item: ItemCodes | None = None
    """X12 POC08 onwards, in pairs; None where the change does not repeat it."""
    quantity: Quantity | None = None
    """The new quantity, not a difference (X12 POC03, POC05)."""
    unit_price: Price | None = None
    """The new price (X12 POC06; UBL cac:Price)."""
    extensions: Extensions = Field(default_factory=dict)
    """What the line says beyond this vocabulary; kept, never interpreted."""


class OrderChange(Document):
    """A buyer's change to an order (X12 860; UBL OrderChange; EDIFACT ORDCHG).

    Its business key is that of the order that it changes.
    """

    entity: ClassVar[str] = "order_change"
    key_fields: ClassVar[set[str]] = {"po_number", "release"}

    po_number: Number
    """X12 BCH03; UBL cac:OrderReference/cbc:ID."""
    release: Release = ""
    """X12 BCH04."""
    change_sequence: int | None = None
    """The buyer's number of the change, rising (X12 BCH05; UBL cbc:SequenceNumberID).

    None: the buyer numbers no changes; they apply in the order in which they come.
    """
    kind: Literal["change", "replace", "cancel"]
    """X12 BCH01: 04 change, 05 replace, 01 cancel."""
    buyer: Party
    """Who asks for it (X12 N1*BY; UBL cac:BuyerCustomerParty)."""
    requested_on: date
    """X12 BCH11 or BCH06; UBL cbc:IssueDate."""
    requested_delivery_on: date | None = None
    """The new date, where it changes (X12 DTM*002)."""
    lines: Annotated[tuple[LineChange, ...], Field(max_length=MAX_LINES)] = ()
    """X12 POC loops, in order; none where the whole order is cancelled."""
    references: tuple[Reference, ...] = ()
    """X12 REF at header level."""
    notes: tuple[Text, ...] = ()
    """Free text for people (X12 MTX or MSG; UBL cbc:Note)."""
    extensions: Extensions = Field(default_factory=dict)
    """What the change says beyond this vocabulary; kept, never interpreted."""

    def key_parts(self) -> tuple[str, str]:
        """PO number and release of the order to change."""
        return self.po_number, self.release

    def purpose(self) -> Purpose:
        """Change, replace or cancel, as X12 BCH01 says."""
        return self.kind

    def sequence(self) -> int:
        """The buyer's number of the change."""
        return self.change_sequence or 0
