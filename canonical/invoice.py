"""Invoices: what a customer owes for what was shipped."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar

from pydantic import Field

from canonical.base import Canonical, Code, Document, Extensions, Purpose, Stamp, stamp
from canonical.item import ItemCodes
from canonical.money import Currency, Money, Price
from canonical.number import Number
from canonical.order import MAX_LINES
from canonical.party import Party
from canonical.quantity import Quantity
from canonical.references import Reference


class InvoiceLine(Canonical):
    """One invoiced line (X12 IT1; UBL cac:InvoiceLine)."""

    number: Code
    """X12 IT101; UBL cbc:ID."""
    item: ItemCodes
    """X12 IT106 onwards, in pairs; UBL cac:Item."""
    quantity: Quantity
    """X12 IT102 and IT103; UBL cbc:InvoicedQuantity."""
    unit_price: Price | None = None
    """X12 IT104; UBL cac:Price."""
    amount: Money | None = None
    """The line's extension without tax (UBL cbc:LineExtensionAmount)."""


class Invoice(Document):
    """A posted sales invoice (X12 810; UBL Invoice; EDIFACT INVOIC)."""

    entity: ClassVar[str] = "invoice"
    key_fields: ClassVar[set[str]] = {"number"}

    number: Number
    """The seller's invoice number (X12 BIG02; UBL cbc:ID)."""
    order_reference: Code | None = None
    """Our reference of the order that it bills (the ERP's external document number)."""
    order_number: Code | None = None
    """The ERP's own order number (UBL cac:OrderReference/cbc:SalesOrderID)."""
    issued_on: date
    """X12 BIG01; UBL cbc:IssueDate."""
    due_on: date | None = None
    """X12 ITD06; UBL cbc:DueDate."""
    bill_to: Party | None = None
    """Who pays (X12 N1*BT; UBL cac:AccountingCustomerParty)."""
    currency: Currency
    """X12 CUR02; UBL cbc:DocumentCurrencyCode."""
    lines: Annotated[tuple[InvoiceLine, ...], Field(max_length=MAX_LINES)] = ()
    """X12 IT1 loops, in order; none where the source gives totals only."""
    total_without_tax: Money
    """UBL cac:LegalMonetaryTotal/cbc:TaxExclusiveAmount."""
    total: Money
    """With tax (X12 TDS01; UBL cbc:PayableAmount)."""
    modified_at: Stamp | None = None
    """The ERP's own change stamp (RFC 3339), which orders snapshots."""
    references: tuple[Reference, ...] = ()
    """X12 REF at header level; UBL cac:*DocumentReference."""
    extensions: Extensions = {}
    """What the invoice says beyond this vocabulary; kept, never interpreted."""

    def key_parts(self) -> tuple[str, str]:
        """The invoice number."""
        return self.number, ""

    def purpose(self) -> Purpose:
        """A snapshot: the newest one counts."""
        return "state"

    def sequence(self) -> int:
        """The ERP's change stamp in microseconds since 1970; 0 where it gives none."""
        return stamp(self.modified_at)
