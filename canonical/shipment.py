"""Shipments: what left a warehouse, in which packages, and where it is now."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from canonical.base import (
    Canonical,
    Code,
    Document,
    Extensions,
    Instant,
    Purpose,
    Text,
    stamp,
)
from canonical.item import ItemCodes
from canonical.number import Number
from canonical.order import MAX_LINES
from canonical.party import Party
from canonical.quantity import Quantity
from canonical.references import Reference


class ShipmentLine(Canonical):
    """One shipped line (X12 945 W12; UBL cac:DespatchLine)."""

    number: Code
    """The order line that it fulfils (X12 945 LX01 or N9*LI; UBL cac:OrderLineReference)."""
    item: ItemCodes
    """X12 W1206 to W1208; UBL cac:Item."""
    ordered: Quantity | None = None
    """What the warehouse was asked to ship (X12 W1202)."""
    shipped: Quantity
    """X12 W1203 with W1205; zero where the line was shorted; UBL cbc:DeliveredQuantity."""
    lot: Code | None = None
    """GS1 application identifier 10 (X12 N9*LT; UBL cbc:LotNumberID)."""
    serials: tuple[Code, ...] = ()
    """GS1 application identifier 21, one each (X12 N9*SE; UBL cbc:SerialID)."""
    expires_on: date | None = None
    """GS1 application identifier 17 (UBL cbc:ExpiryDate)."""
    package: Code | None = None
    """Which package it is in: the `id` of one of the shipment's packages."""


class Package(Canonical):
    """One handling unit (X12 945 MAN; UBL cac:TransportHandlingUnit)."""

    id: Code
    """The warehouse's own number of the package within the shipment."""
    sscc: Code | None = None
    """GS1 Serial Shipping Container Code, 18 digits as sent (application identifier 00; X12 MAN*GM)."""
    tracking_number: Code | None = None
    """The carrier's number (X12 MAN*CP; X12 REF*CN)."""
    weight: Quantity | None = None
    """Gross: goods and packaging."""


class Shipment(Document):
    """What a warehouse shipped for one order (X12 945; UBL DespatchAdvice; EDIFACT DESADV)."""

    entity: ClassVar[str] = "shipment"
    key_fields: ClassVar[set[str]] = {"number"}

    number: Number
    """The warehouse's shipment identification (X12 W0604; UBL cbc:ID)."""
    order_reference: Code
    """Our reference of the order, as we sent it (X12 W0602 depositor order number)."""
    po_number: Code | None = None
    """The buyer's purchase order number (X12 W0606)."""
    shipped_on: date
    """When it left (X12 W0603; UBL cac:Despatch/cbc:ActualDespatchDate)."""
    ship_from: Party | None = None
    """X12 N1*SF or N1*WH."""
    ship_to: Party | None = None
    """X12 N1*ST."""
    carrier: Code | None = None
    """SCAC or the warehouse's carrier name (X12 W27)."""
    tracking_numbers: tuple[Code, ...] = ()
    """X12 N9*CN / REF*CN at header level."""
    packages: tuple[Package, ...] = ()
    """The handling units, where the warehouse lists them."""
    lines: Annotated[tuple[ShipmentLine, ...], Field(min_length=1, max_length=MAX_LINES)]
    """X12 LX loops, in order; UBL cac:DespatchLine."""
    references: tuple[Reference, ...] = ()
    """X12 N9 at header level."""
    extensions: Extensions = Field(default_factory=dict)
    """What the shipment says beyond this vocabulary; kept, never interpreted."""

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

    at: Instant
    """When, with its offset (RFC 3339)."""
    status: TrackingStatus
    """What the scan means."""
    message: Text | None = None
    """The carrier's own words."""
    city: Text | None = None
    """Where, as the carrier writes it."""
    region: Code | None = None
    """State or province, as the carrier writes it."""
    country: Code | None = None
    """Country, as the carrier writes it; not always ISO 3166-1."""


class Tracking(Document):
    """A carrier's whole history of one tracking number; each update sends all of it again."""

    entity: ClassVar[str] = "tracking"
    key_fields: ClassVar[set[str]] = {"tracking_number"}

    tracking_number: Number
    """The carrier's number, which the shipment or one of its packages carries (X12 REF*CN)."""
    carrier: Code
    """The carrier by its SCAC or by the name that the tracking service uses."""
    status: TrackingStatus
    """Where it stands now."""
    updated_at: Instant
    """The carrier's stamp of this state; it orders updates, which arrive out of order."""
    estimated_delivery_at: Instant | None = None
    """When the carrier expects to deliver, where it says so."""
    events: tuple[TrackingEvent, ...] = ()
    """All scans so far, in the carrier's order."""

    def key_parts(self) -> tuple[str, str]:
        """The tracking number."""
        return self.tracking_number, ""

    def purpose(self) -> Purpose:
        """A snapshot: the newest one counts."""
        return "state"

    def sequence(self) -> int:
        """The carrier's stamp in microseconds since 1970."""
        return stamp(self.updated_at.isoformat())
