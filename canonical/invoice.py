"""Invoices: what a customer owes for what was shipped."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar

from pydantic import Field

from canonical.base import Canonical, Code, Document, Extensions, Purpose, stamp
from canonical.item import ItemCodes
from canonical.money import Currency, Money, Price
from canonical.order import MAX_LINES
from canonical.party import Party
from canonical.quantity import Quantity
from canonical.references import Reference


class InvoiceLine(Canonical):
    """One invoiced line (X12 IT1; UBL cac:InvoiceLine)."""

    number: Code
    item: ItemCodes
    quantity: Quantity
    unit_price: Price | None = None
    amount: Money | None = None
    """The line's extension without tax (UBL cbc:LineExtensionAmount)."""


class Invoice(Document):
    """A posted sales invoice (X12 810; UBL Invoice; EDIFACT INVOIC)."""

    entity: ClassVar[str] = "invoice"
    key_fields: ClassVar[set[str]] = {"number"}

    number: Code
    """The seller's invoice number (X12 BIG02; UBL cbc:ID)."""
    order_reference: Code | None = None
    """Our reference of the order that it bills (the ERP's external document number)."""
    order_number: Code | None = None
    """The ERP's own order number (UBL cac:OrderReference/cbc:SalesOrderID)."""
    issued_on: date
    """X12 BIG01; UBL cbc:IssueDate."""
    due_on: date | None = None
    bill_to: Party | None = None
    currency: Currency
    lines: Annotated[tuple[InvoiceLine, ...], Field(max_length=MAX_LINES)] = ()
    total_without_tax: Money
    total: Money
    """With tax (X12 TDS01; UBL cbc:PayableAmount)."""
    modified_at: Code | None = None
    references: tuple[Reference, ...] = ()
    extensions: Extensions = {}

    def key_parts(self) -> tuple[str, str]:
        """The invoice number."""
        return self.number, ""

    def purpose(self) -> Purpose:
        """A snapshot: the newest one counts."""
        return "state"

    def sequence(self) -> int:
        """The ERP's change stamp in microseconds since 1970; 0 where it gives none."""
        return stamp(self.modified_at)
