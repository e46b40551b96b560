"""Remittances: which invoices a payment pays, and what was taken off them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar

from pydantic import Field

from canonical.base import Canonical, Code, Document, Extensions, Text
from canonical.money import Money
from canonical.number import Number
from canonical.order import MAX_LINES
from canonical.party import Party
from canonical.references import Reference


class RemittanceAdjustment(Canonical):
    """Money that the payer took off, or put on, and why (X12 ADX)."""

    amount: Money
    """Below zero: less is paid (X12 ADX01)."""
    code: Code | None = None
    """Why, as the payer codes it (X12 ADX02, element 426)."""
    reference: Reference | None = None
    """What it is about: a claim, a credit memo (X12 ADX03 and ADX04)."""
    note: Text | None = None
    """Why, for people (X12 NTE)."""


class RemittanceItem(Canonical):
    """One document that is paid (X12 RMR; UBL cac:RemittanceAdviceLine)."""

    kind: Code = "IV"
    """What `number` is (X12 RMR01, element 128): IV invoice, CM credit memo, PO order ..."""
    number: Number
    """The number of the invoice, as the payer has it (X12 RMR02)."""
    paid: Money | None = None
    """X12 RMR04."""
    invoiced: Money | None = None
    """X12 RMR05."""
    discount: Money | None = None
    """What was taken off for paying in time (X12 RMR06)."""
    invoiced_on: date | None = None
    """X12 DTM*003."""
    references: tuple[Reference, ...] = ()
    """X12 REF below the RMR: the purchase order, the bill of lading."""
    adjustments: tuple[RemittanceAdjustment, ...] = ()
    """X12 ADX below the RMR."""


class Remittance(Document):
    """What a payment is for (X12 820; UBL RemittanceAdvice; EDIFACT REMADV).

    Numbers of bank accounts are no part of it: they stay in the receipt.
    """

    entity: ClassVar[str] = "remittance"
    key_fields: ClassVar[set[str]] = {"number"}

    number: Number
    """The number of the payment: check, trace or wire (X12 TRN02)."""
    paid_on: date
    """When the money moves (X12 BPR16; UBL cbc:PaymentDueDate)."""
    total: Money
    """X12 BPR02; below zero where the payee owes it (BPR03 D)."""
    method: Code | None = None
    """How it is paid (X12 BPR04, element 591: ACH, CHK, FWT ...)."""
    handling: Code | None = None
    """What the document does besides telling (X12 BPR01, element 305)."""
    payer: Party | None = None
    """X12 N1*PR."""
    payee: Party | None = None
    """X12 N1*PE."""
    items: Annotated[tuple[RemittanceItem, ...], Field(max_length=MAX_LINES)] = ()
    """X12 RMR loops, in order."""
    adjustments: tuple[RemittanceAdjustment, ...] = ()
    """Of the payment as a whole (X12 ADX outside of any RMR)."""
    references: tuple[Reference, ...] = ()
    """X12 REF at header level."""
    notes: tuple[Text, ...] = ()
    """Free text for people (X12 NTE)."""
    extensions: Extensions = Field(default_factory=dict)
    """What the remittance says beyond this vocabulary; kept, never interpreted."""

    def key_parts(self) -> tuple[str, str]:
        """The number of the payment."""
        return self.number, ""
