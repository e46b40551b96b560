"""Shipments: what left a warehouse, in which packages, and where it is now."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from canonical.base import Canonical, Code, Document, Extensions, Purpose, Text, stamp
from canonical.item import ItemCodes
from canonical.order import MAX_LINES
from canonical.party import Party
from canonical.quantity import Quantity
from canonical.references import Reference


class ShipmentLine(Canonical):
    """One shipped line (X12 945 W12; UBL cac:DespatchLine)."""

    number: Code
    """The order line that it fulfils (X12 945 LX01 or N9*LI; UBL cac:OrderLineReference)."""
    item: ItemCodes
    ordered: Quantity | None = None
    """X12 W1202."""
    shipped: Quantity
    """X12 W1203 with W1205; zero where the line was shorted."""
    lot: Code | None = None
    """GS1 application identifier 10; X12 N9*LT."""
    serials: tuple[Code, ...] = ()
    """GS1 application identifier 21; X12 N9*SE."""
    expires_on: date | None = None
    """GS1 application identifier 17."""
    package: Code | None = None
    """Which package it is in: the `id` of one of the shipment's packages."""


class Package(Canonical):
    """One handling unit (X12 945 MAN; UBL cac:TransportHandlingUnit)."""

    id: Code
    """The warehouse's own number of the package within the shipment."""
    sscc: Code | None = None
    """GS1 Serial Shipping Container Code, 18 digits (application identifier 00; X12 MAN*GM)."""
    tracking_number: Code | None = None
    """The carrier's number (X12 MAN*CP; X12 REF*CN)."""
    weight: Quantity | None = None


class Shipment(Document):
    """What a warehouse shipped for one order (X12 945; UBL DespatchAdvice; EDIFACT DESADV)."""

    entity: ClassVar[str] = "shipment"
    key_fields: ClassVar[set[str]] = {"number"}

    number: Code
    """The warehouse's shipment identification (X12 W0604; UBL cbc:ID)."""
    order_reference: Code
    """Our reference of the order, as we sent it (X12 W0602 depositor order number)."""
    po_number: Code | None = None
    """The buyer's purchase order number (X12 W0606)."""
    shipped_on: date
    """X12 W0603; UBL cac:Shipment/cac:Delivery."""
    ship_from: Party | None = None
    """X12 N1*SF or N1*WH."""
    ship_to: Party | None = None
    """X12 N1*ST."""
    carrier: Code | None = None
    """SCAC or the warehouse's carrier name (X12 W27)."""
    tracking_numbers: tuple[Code, ...] = ()
    """X12 N9*CN / REF*CN at header level."""
    packages: tuple[Package, ...] = ()
    lines: Annotated[tuple[ShipmentLine, ...], Field(min_length=1, max_length=MAX_LINES)]
    references: tuple[Reference, ...] = ()
    extensions: Extensions = {}

    def key_parts(self) -> tuple[str, str]:
        """The warehouse's shipment number."""
        return self.number, ""


TrackingStatus = Literal[
    "unknown", "pre_transit", "in_transit", "out_for_delivery", "available_for_pickup",
    "delivered", "return_to_sender", "failure", "cancelled", "error",
]  # fmt: skip
"""EasyPost's tracker vocabulary, which the large carriers' codes map onto."""


class TrackingEvent(Canonical):
    """One scan by a carrier."""

    at: datetime
    """When, with its offset (RFC 3339)."""
    status: TrackingStatus
    message: Text | None = None
    city: Text | None = None
    region: Code | None = None
    country: Code | None = None


class Tracking(Document):
    """A carrier's whole history of one tracking number; each update sends all of it again."""

    entity: ClassVar[str] = "tracking"
    key_fields: ClassVar[set[str]] = {"tracking_number"}

    tracking_number: Code
    carrier: Code
    status: TrackingStatus
    updated_at: datetime
    """The carrier's stamp of this state; it orders updates, which arrive out of order."""
    estimated_delivery_at: datetime | None = None
    events: tuple[TrackingEvent, ...] = ()

    def key_parts(self) -> tuple[str, str]:
        """The tracking number."""
        return self.tracking_number, ""

    def purpose(self) -> Purpose:
        """A snapshot: the newest one counts."""
        return "state"

    def sequence(self) -> int:
        """The carrier's stamp in microseconds since 1970."""
        return stamp(self.updated_at.isoformat())
