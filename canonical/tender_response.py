"""Tender responses: whether a carrier takes a load."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from canonical.base import Code, Document, Extensions, Purpose, Text, stamp
from canonical.number import Number
from canonical.references import Reference

TenderAnswer = Literal["accepted", "conditional", "declined", "cancelled", "unknown"]
"""What the carrier does with the load; `unknown`: a code that no list has."""


class TenderResponse(Document):
    """A carrier's answer to a load tender (X12 990).

    It has the number of the tender, so that a trace shows both; the newest one counts.
    """

    entity: ClassVar[str] = "tender_response"
    key_fields: ClassVar[set[str]] = {"number"}

    number: Number
    """The shipper's shipment identification, as the tender had it (X12 B102)."""
    order_reference: Code | None = None
    """Our reference of the order, where the carrier repeats it (X12 N9*OQ)."""
    carrier: Code | None = None
    """SCAC (X12 B101)."""
    status: TenderAnswer
    """The carrier's code in our words."""
    code: Code | None = None
    """The same as the carrier wrote it (X12 B104, element 558)."""
    responded_on: date | None = None
    """X12 B103."""
    carrier_number: Code | None = None
    """The carrier's own number of the load (X12 N9*CN)."""
    reason: Code | None = None
    """Why it declines, as the carrier codes it (X12 V901, element 304)."""
    references: tuple[Reference, ...] = ()
    """X12 N9 and L11."""
    notes: tuple[Text, ...] = ()
    """Free text for people (X12 K1)."""
    extensions: Extensions = Field(default_factory=dict)
    """What the answer says beyond this vocabulary; kept, never interpreted."""

    def key_parts(self) -> tuple[str, str]:
        """The number of the tender."""
        return self.number, ""

    def purpose(self) -> Purpose:
        """A snapshot: the newest one counts."""
        return "state"

    def sequence(self) -> int:
        """The day of the answer in microseconds since 1970; 0 where it says none."""
        return stamp(self.responded_on.isoformat()) if self.responded_on else 0
