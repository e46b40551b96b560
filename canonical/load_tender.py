"""Load tenders: freight that is offered to a carrier, and the carrier's answer."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from canonical.base import Canonical, Code, Document, Extensions, Purpose, Text, stamp
from canonical.number import Number
from canonical.order import MAX_LINES
from canonical.party import Party
from canonical.quantity import Quantity
from canonical.references import Reference

ClockTime = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
"""A time of the day at the place, HH:MM."""


class Appointment(Canonical):
    """When a truck may come (X12 G62)."""

    kind: Code
    """As the sender codes it (X12 G6201, element 432): 10 requested ship, 02 requested delivery,
    37 and 38 pick up not before and not after, 53 and 54 deliver not before and not after ..."""
    on: date
    """X12 G6202."""
    time: ClockTime | None = None
    """X12 G6204."""


class TenderedOrder(Canonical):
    """An order, or a part of it, that is loaded or unloaded at a stop (X12 OID)."""

    reference: Code | None = None
    """The shipper's reference (X12 OID01): ours where the tender is ours."""
    po_number: Code | None = None
    """X12 OID02."""
    quantity: Quantity | None = None
    """Handling units (X12 OID05 with OID04)."""
    weight: Quantity | None = None
    """X12 OID07 with OID06."""


class Stop(Canonical):
    """One place that the truck goes to (X12 S5 loop)."""

    number: int = Field(ge=1, le=999)
    """In which order (X12 S501)."""
    reason: Code
    """As the sender codes it (X12 S502, element 163): LD load, UL unload, CL, CU complete ..."""
    place: Party | None = None
    """X12 N1, N3, N4 and G61 of the stop."""
    role: Code | None = None
    """What the place is (X12 N101: SF, ST, SH, CN)."""
    appointments: tuple[Appointment, ...] = ()
    """X12 G62 of the stop."""
    weight: Quantity | None = None
    """X12 S503 with S504."""
    quantity: Quantity | None = None
    """X12 S505 with S506."""
    orders: Annotated[tuple[TenderedOrder, ...], Field(max_length=MAX_LINES)] = ()
    """X12 OID loops, in order."""
    references: tuple[Reference, ...] = ()
    """X12 L11 of the stop."""
    notes: tuple[Text, ...] = ()
    """X12 NTE of the stop."""


class LoadTender(Document):
    """A truckload offered to a carrier (X12 204; EDIFACT IFTMIN).

    A change or a cancellation repeats the number; the newest one counts.
    """

    entity: ClassVar[str] = "load_tender"
    key_fields: ClassVar[set[str]] = {"number"}

    number: Number
    """The shipper's shipment identification (X12 B204)."""
    kind: Literal["original", "change", "replace", "cancel"] = "original"
    """X12 B2A01: 00 original, 04 change, 05 replace, 01 cancel."""
    order_reference: Code | None = None
    """Our reference of the order, where the load carries one alone (X12 OID01, or L11*OQ)."""
    carrier: Code
    """SCAC of whom it is offered to (X12 B202)."""
    payment: Code
    """Who pays the freight (X12 B206, element 146: PP, CC, TP ...)."""
    tendered_on: date | None = None
    """The day of the tender, where the source says so (EDIFACT DTM+137): it orders several of them."""
    respond_by: Appointment | None = None
    """Until when the carrier may answer (X12 G62*64)."""
    equipment: Code | None = None
    """The trailer, where it is known already (X12 N702)."""
    bill_to: Party | None = None
    """Who is billed (X12 N1*BT)."""
    weight: Quantity | None = None
    """Of the whole load (X12 L301)."""
    stops: Annotated[tuple[Stop, ...], Field(max_length=999)] = ()
    """X12 S5 loops, in order; none where the tender is cancelled."""
    references: tuple[Reference, ...] = ()
    """X12 L11 at header level."""
    notes: tuple[Text, ...] = ()
    """X12 NTE at header level."""
    extensions: Extensions = Field(default_factory=dict)
    """What the tender says beyond this vocabulary; kept, never interpreted."""

    def key_parts(self) -> tuple[str, str]:
        """The shipper's number."""
        return self.number, ""

    def purpose(self) -> Purpose:
        """A snapshot: the newest one counts, also where it changes or cancels."""
        return "state"

    def sequence(self) -> int:
        """The day of the tender in microseconds since 1970; 0 where it says none."""
        return stamp(self.tendered_on.isoformat()) if self.tendered_on else 0
