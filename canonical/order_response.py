"""Order responses: what a seller says of an order, line by line."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from canonical.base import Canonical, Code, Document, Extensions, Purpose, Release, Text, stamp
from canonical.item import ItemCodes
from canonical.money import Currency, Price
from canonical.number import Number
from canonical.order import MAX_LINES
from canonical.party import Party
from canonical.quantity import Quantity
from canonical.references import Reference

AnswerStatus = Literal[
    "accepted", "changed", "substituted", "backordered", "on_hold", "rejected", "unknown"
]
"""What a seller does with a line, or a part of it; `unknown`: a code that no list has."""

ResponseStatus = Literal["accepted", "changed", "rejected", "unknown"]
"""What a seller does with the whole order."""


class LineAnswer(Canonical):
    """What becomes of one part of a line (X12 ACK; UBL cac:LineItem with cbc:LineStatusCode)."""

    status: AnswerStatus
    """The seller's code in our words."""
    code: Code | None = None
    """The code as the seller wrote it (X12 ACK01, element 668; EDIFACT 1229)."""
    quantity: Quantity | None = None
    """Of how much it is said; None: of the whole line (X12 ACK02 and ACK03)."""
    deliver_on: date | None = None
    """When it is promised at the door (X12 ACK05 with ACK04 067)."""
    ship_on: date | None = None
    """When it is promised to leave (X12 ACK05 with ACK04 068)."""
    item: ItemCodes | None = None
    """What comes in its place, of a substitution (X12 ACK07 onwards)."""


class ResponseLine(Canonical):
    """One line of the order, as the seller answers it (X12 855 PO1 loop; UBL cac:OrderLine)."""

    number: Code
    """The buyer's line number, unchanged (X12 PO101; UBL cbc:ID)."""
    item: ItemCodes
    """X12 PO106 to PO125, in pairs; UBL cac:Item."""
    description: Text | None = None
    """X12 PID05; UBL cac:Item/cbc:Description."""
    quantity: Quantity | None = None
    """What the seller read as ordered (X12 PO102 and PO103)."""
    unit_price: Price | None = None
    """The price that the seller will bill (X12 PO104; UBL cac:Price)."""
    answers: tuple[LineAnswer, ...] = ()
    """Its parts, each with what becomes of it; none: the line goes with the whole order."""
    references: tuple[Reference, ...] = ()
    """X12 REF in the PO1 loop."""
    extensions: Extensions = Field(default_factory=dict)
    """What the line says beyond this vocabulary; kept, never interpreted."""


class OrderResponse(Document):
    """A seller's answer to an order (X12 855; UBL OrderResponse; EDIFACT ORDRSP).

    Each answer takes the place of the one before it: the newest one counts.
    """

    entity: ClassVar[str] = "order_response"
    key_fields: ClassVar[set[str]] = {"po_number", "release"}

    po_number: Number
    """The buyer's purchase order number (X12 BAK03; UBL cac:OrderReference/cbc:ID)."""
    release: Release = ""
    """Release of a blanket order (X12 BAK05); "" where there is none."""
    order_reference: Code | None = None
    """Our reference of the order that it answers."""
    order_number: Code | None = None
    """The seller's own number of the order (X12 BAK08; UBL cbc:SalesOrderID)."""
    status: ResponseStatus
    """What becomes of the order as a whole (X12 BAK02, element 587; EDIFACT 1225)."""
    code: Code | None = None
    """The same as the seller wrote it."""
    ordered_on: date | None = None
    """The day of the order (X12 BAK04)."""
    responded_on: date | None = None
    """The day of the answer, which orders several of them (X12 BAK09; UBL cbc:IssueDate)."""
    deliver_on: date | None = None
    """When all of it is promised at the door (X12 DTM*067)."""
    ship_on: date | None = None
    """When all of it is promised to leave (X12 DTM*068)."""
    buyer: Party | None = None
    """Who ordered (X12 N1*BY; UBL cac:BuyerCustomerParty)."""
    seller: Party | None = None
    """Who answers (X12 N1*SE; UBL cac:SellerSupplierParty)."""
    ship_to: Party | None = None
    """Where it goes (X12 N1*ST; UBL cac:Delivery)."""
    currency: Currency | None = None
    """X12 CUR02; UBL cbc:DocumentCurrencyCode."""
    lines: Annotated[tuple[ResponseLine, ...], Field(max_length=MAX_LINES)] = ()
    """X12 PO1 loops, in order; none where the seller answers the order as a whole."""
    references: tuple[Reference, ...] = ()
    """X12 REF at header level, which come back as they were sent."""
    notes: tuple[Text, ...] = ()
    """Free text for people (X12 MSG; UBL cbc:Note)."""
    extensions: Extensions = Field(default_factory=dict)
    """What the answer says beyond this vocabulary; kept, never interpreted."""

    def key_parts(self) -> tuple[str, str]:
        """PO number and release of the order."""
        return self.po_number, self.release

    def purpose(self) -> Purpose:
        """A snapshot: the newest one counts."""
        return "state"

    def sequence(self) -> int:
        """The day of the answer in microseconds since 1970; 0 where it says none."""
        return stamp(self.responded_on.isoformat()) if self.responded_on else 0
