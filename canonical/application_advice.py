"""Application advices: what the receiver's application makes of a document that was sent."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from canonical.base import Canonical, Code, Document, Extensions, Text
from canonical.number import Number
from canonical.order import MAX_LINES
from canonical.party import Party
from canonical.references import Reference


class AdvisedError(Canonical):
    """One thing that the application has against a document (X12 TED; UBL cac:LineResponse)."""

    code: Code
    """As its sender codes it (X12 TED01, element 647)."""
    message: Text | None = None
    """In its own words (X12 TED02)."""
    segment: Code | None = None
    """Where: the segment (X12 TED03)."""
    position: int | None = Field(default=None, ge=0)
    """Where: the segment's place in the document, counted from 1 (X12 TED04)."""
    element: int | None = Field(default=None, ge=0)
    """Where: the element's place in the segment (X12 TED05)."""
    notes: tuple[Text, ...] = ()
    """X12 NTE below the TED."""


class AdvisedDocument(Canonical):
    """What is said of one document (X12 OTI loop; UBL cac:DocumentResponse)."""

    status: Literal["accepted", "accepted_with_errors", "rejected", "unknown"]
    """The code in our words."""
    code: Code
    """The same as its sender wrote it (X12 OTI01, element 110)."""
    kind: Code
    """What `number` is (X12 OTI02, element 128): IV invoice, PO purchase order, TN ..."""
    number: Number
    """The number of the document (X12 OTI03)."""
    document_type: Code | None = None
    """The transaction set that it was (X12 OTI10)."""
    group_number: Code | None = None
    """The control number of its group (X12 OTI08), by which the hub finds what it sent."""
    set_number: Code | None = None
    """The control number of its set (X12 OTI09)."""
    references: tuple[Reference, ...] = ()
    """X12 REF below the OTI."""
    errors: tuple[AdvisedError, ...] = ()
    """X12 TED loops, in order."""


class ApplicationAdvice(Document):
    """What an application accepted and rejected (X12 824; UBL ApplicationResponse; EDIFACT APERAK)."""

    entity: ClassVar[str] = "application_advice"
    key_fields: ClassVar[set[str]] = {"number"}

    number: Number
    """Its sender's number of it (X12 BGN02)."""
    advised_on: date
    """X12 BGN03."""
    sender: Party | None = None
    """Who says it (X12 N1*FR, or the first N1)."""
    receiver: Party | None = None
    """Whom it is said to (X12 N1*TO)."""
    documents: Annotated[tuple[AdvisedDocument, ...], Field(min_length=1, max_length=MAX_LINES)]
    """X12 OTI loops, in order."""
    extensions: Extensions = Field(default_factory=dict)
    """What the advice says beyond this vocabulary; kept, never interpreted."""

    def key_parts(self) -> tuple[str, str]:
        """Its sender's number."""
        return self.number, ""
