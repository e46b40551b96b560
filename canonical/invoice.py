"""Invoices: what a customer owes for what was shipped."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar

from pydantic import Field

from canonical.base import Canonical, Code, Document, Extensions, Purpose, Stamp, Text, stamp
from canonical.decimal_text import DecimalText
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


class Charge(Canonical):
    """A charge beside the goods, or an allowance (X12 SAC, 210 L1; UBL cac:AllowanceCharge)."""

    code: Code | None = None
    """What for, as the sender codes it (X12 SAC02, element 1300; 210 L108, element 150)."""
    description: Text | None = None
    """What for, in words (X12 SAC15, 210 L502; UBL cbc:AllowanceChargeReason)."""
    amount: Money
    """Below zero for an allowance (X12 SAC05, 210 L104; UBL cbc:Amount)."""
    quantity: Quantity | None = None
    """Of how much, where the amount is a rate times that (X12 210 L002; SAC10)."""
    rate: DecimalText | None = None
    """The rate, in the invoice's currency (X12 210 L102; SAC08)."""
    rate_basis: Code | None = None
    """Of what it is the rate (X12 210 L103, element 122)."""


class Invoice(Document):
    """What is billed for goods, or for freight (X12 810, 210; UBL Invoice; EDIFACT INVOIC)."""

    entity: ClassVar[str] = "invoice"
    key_fields: ClassVar[set[str]] = {"number"}

    number: Number
    """The seller's invoice number (X12 BIG02; UBL cbc:ID)."""
    order_reference: Code | None = None
    """Our reference of the order that it bills (the ERP's external document number)."""
    order_number: Code | None = None
    """The ERP's own order number (UBL cac:OrderReference/cbc:SalesOrderID)."""
    po_number: Number | None = None
    """The buyer's purchase order number (X12 BIG04; UBL cac:OrderReference/cbc:ID)."""
    shipment_number: Code | None = None
    """The shipment that it bills (X12 210 B303; UBL cac:DespatchDocumentReference)."""
    issued_on: date
    """X12 BIG01; UBL cbc:IssueDate."""
    due_on: date | None = None
    """X12 ITD06; UBL cbc:DueDate."""
    seller: Party | None = None
    """Who bills (X12 N1*SE, 210 B311; UBL cac:AccountingSupplierParty)."""
    bill_to: Party | None = None
    """Who pays (X12 N1*BT; UBL cac:AccountingCustomerParty)."""
    currency: Currency
    """X12 CUR02; UBL cbc:DocumentCurrencyCode."""
    lines: Annotated[tuple[InvoiceLine, ...], Field(max_length=MAX_LINES)] = ()
    """X12 IT1 loops, in order; none where the source gives totals only."""
    charges: Annotated[tuple[Charge, ...], Field(max_length=MAX_LINES)] = ()
    """Freight, fees and allowances, which are in the totals (X12 SAC, 210 LX loops)."""
    total_without_tax: Money
    """UBL cac:LegalMonetaryTotal/cbc:TaxExclusiveAmount."""
    total: Money
    """With tax (X12 TDS01; UBL cbc:PayableAmount)."""
    modified_at: Stamp | None = None
    """The ERP's own change stamp (RFC 3339), which orders snapshots."""
    references: tuple[Reference, ...] = ()
    """X12 REF at header level; UBL cac:*DocumentReference."""
    extensions: Extensions = Field(default_factory=dict)
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
