"""Parties and places: who buys, sells, ships and receives, and where."""

from __future__ import annotations

from typing import ClassVar

from canonical.base import Canonical, Code, CountryCode, Document, Purpose, Stamp, Text, stamp
from canonical.number import Number


class Address(Canonical):
    """A postal address (UBL cac:PostalAddress; X12 N3/N4)."""

    lines: tuple[Text, ...] = ()
    """Street lines in order (X12 N301, N302; UBL cbc:StreetName, cbc:AdditionalStreetName)."""
    city: Text | None = None
    """X12 N401; UBL cbc:CityName."""
    region: Code | None = None
    """State or province code (X12 N402; ISO 3166-2 without the country)."""
    postal_code: Code | None = None
    """X12 N403; UBL cbc:PostalZone."""
    country: CountryCode | None = None
    """ISO 3166-1 alpha-2 (X12 N404; UBL cac:Country/cbc:IdentificationCode)."""


class Contact(Canonical):
    """How to reach a person (X12 PER; UBL cac:Contact). Personal data: never logged."""

    name: Text | None = None
    """X12 PER02; UBL cbc:Name."""
    email: Text | None = None
    """X12 PER04 with PER03 EM; UBL cbc:ElectronicMail."""
    phone: Text | None = None
    """X12 PER04 with PER03 TE; UBL cbc:Telephone."""


class Party(Canonical):
    """A trading party in a role of a document (X12 N1; UBL cac:Party)."""

    id: Code | None = None
    """The party as the sender names it (X12 N104; a shop's customer id)."""
    scheme: Code | None = None
    """Who issued `id`: an X12 element 66 qualifier (9, 92, UL ...) or a system's name."""
    gln: Code | None = None
    """GS1 Global Location Number, 13 digits as sent (X12 N104 with N103 UL): see `canonical.gs1`."""
    customer_number: Code | None = None
    """The party in our own ERP, where the mapping knows it (the cross-reference's answer)."""
    name: Text | None = None
    """X12 N102; UBL cac:PartyName."""
    address: Address | None = None
    """X12 N3 and N4; UBL cac:PostalAddress."""
    contact: Contact | None = None
    """X12 PER; UBL cac:Contact."""


class Customer(Document):
    """Reference data: an account that may buy from us, as the ERP keeps it."""

    entity: ClassVar[str] = "customer"
    key_fields: ClassVar[set[str]] = {"number"}

    number: Number
    """The account number in the ERP (UBL cbc:CustomerAssignedAccountID)."""
    name: Text | None = None
    """UBL cac:PartyName."""
    blocked: bool = False
    """True where the ERP refuses new orders for the account, for whatever reason."""
    currency: Code | None = None
    """ISO 4217 code of the account's usual currency, as the ERP writes it; None: the ERP's own."""
    address: Address | None = None
    """Where the account has its seat (UBL cac:PostalAddress)."""
    modified_at: Stamp | None = None
    """The ERP's own change stamp (RFC 3339), which orders snapshots."""

    def key_parts(self) -> tuple[str, str]:
        """The account number; customers have no release."""
        return self.number, ""

    def purpose(self) -> Purpose:
        """A snapshot: the newest one counts."""
        return "state"

    def sequence(self) -> int:
        """The ERP's change stamp in microseconds since 1970; 0 where it gives none."""
        return stamp(self.modified_at)
