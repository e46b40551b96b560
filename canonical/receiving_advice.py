"""Receiving advices: what a warehouse, or a customer, counted when goods came in."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from canonical.base import Canonical, Code, Document, Extensions
from canonical.item import ItemCodes
from canonical.number import Number
from canonical.order import MAX_LINES
from canonical.party import Party
from canonical.quantity import Quantity
from canonical.references import Reference

ReceivingCondition = Literal["damaged", "short", "over", "wrong_item", "rejected", "other"]
"""What is wrong with a part of what came."""


class ReceivingException(Canonical):
    """A part of a line that is not as it should be (X12 W13; UBL cbc:RejectedQuantity)."""

    condition: ReceivingCondition
    """The receiver's code in our words."""
    code: Code | None = None
    """The code as the receiver wrote it (X12 W1303, element 412; EDIFACT 4221)."""
    quantity: Quantity
    """How much of it (X12 W1301 and W1302; EDIFACT QVR)."""


class ReceivingLine(Canonical):
    """One received line (X12 944 W07; UBL cac:ReceiptLine)."""

    number: Code
    """The order line that it belongs to, where it says so (X12 N9*LI); else its own place."""
    item: ItemCodes
    """X12 W0703 to W0707; UBL cac:Item."""
    advised: Quantity | None = None
    """What was announced (UBL cbc:DespatchedQuantity; EDIFACT QTY+12)."""
    received: Quantity
    """What came, in any condition (X12 W0701 with W0702; UBL cbc:ReceivedQuantity)."""
    lot: Code | None = None
    """GS1 application identifier 10 (X12 W0708, N9*LT)."""
    serials: tuple[Code, ...] = ()
    """GS1 application identifier 21, one each (X12 N9*SE)."""
    expires_on: date | None = None
    """GS1 application identifier 17 (X12 G62*36)."""
    exceptions: tuple[ReceivingException, ...] = ()
    """What is wrong with parts of it; a part that is short is in no `received`."""
    extensions: Extensions = Field(default_factory=dict)
    """What the line says beyond this vocabulary; kept, never interpreted."""


class ReceivingAdvice(Document):
    """What was received of an order or a transfer (X12 944; UBL ReceiptAdvice; EDIFACT RECADV).

    A *receipt* is something else in this hub: the bytes as they came.
    """

    entity: ClassVar[str] = "receiving_advice"
    key_fields: ClassVar[set[str]] = {"number"}

    number: Number
    """The receiver's own number of it (X12 W1703; UBL cbc:ID)."""
    order_reference: Code | None = None
    """Our reference of the order that it came for (X12 W1704, as we sent it)."""
    po_number: Code | None = None
    """The number of the purchase order, as the receiver has it (X12 W1704; EDIFACT RFF+ON)."""
    shipment_number: Code | None = None
    """The sender's number of the shipment (X12 W1705; UBL cac:DespatchDocumentReference)."""
    received_on: date
    """The day of the receipt (X12 W1702; UBL cac:ReceiptLine/cbc:ReceivedDate)."""
    site: Number | None = None
    """Where, by our own code of the warehouse, where the mapping knows it (X12 N1*WH)."""
    ship_from: Party | None = None
    """X12 N1*SF."""
    ship_to: Party | None = None
    """Who received it (X12 N1*WH or N1*ST)."""
    carrier: Code | None = None
    """SCAC or the receiver's carrier name (X12 W08)."""
    lines: Annotated[tuple[ReceivingLine, ...], Field(min_length=1, max_length=MAX_LINES)]
    """X12 W07 loops, in order; UBL cac:ReceiptLine."""
    references: tuple[Reference, ...] = ()
    """X12 N9 at header level."""
    extensions: Extensions = Field(default_factory=dict)
    """What the advice says beyond this vocabulary; kept, never interpreted."""

    def key_parts(self) -> tuple[str, str]:
        """The receiver's number."""
        return self.number, ""
