"""A customer's purchase orders and changes, as X12 004010 850 and 860 segments. Pure."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from sandbox.x12 import Segment

CENT = Decimal("0.01")


class _Described(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Address(_Described):
    """Where goods go (N1, N3, N4)."""

    name: str = "Acme Springfield DC"
    code: str = "0042"
    street: str = "100 Main St"
    city: str = "Springfield"
    state: str = "IL"
    post_code: str = "62701"
    country: str = "US"


class PurchaseLine(_Described):
    """One PO1 loop; quantity and price are decimal text."""

    sku: str
    """The seller's item number (qualifier VN)."""
    quantity: str
    price: str
    unit: str = "EA"
    buyer_sku: str = ""
    """The customer's own item number (qualifier BP)."""
    description: str = ""


class PurchaseOrder(_Described):
    """One 850."""

    number: str
    lines: tuple[PurchaseLine, ...] = Field(min_length=1)
    ordered_on: date
    requested_on: date | None = None
    currency: str = "USD"
    purpose: str = "00"
    """BEG01, element 353."""
    buyer_name: str = "Acme Distributors"
    buyer_code: str = "ACME"
    ship_to: Address = Address()
    ship_method: str = ""
    """TD505, routing."""
    note: str = ""

    def total(self) -> Decimal:
        """The sum of the goods, in the order's currency."""
        amounts = (Decimal(line.quantity) * Decimal(line.price) for line in self.lines)
        return sum(amounts, Decimal(0)).quantize(CENT, ROUND_HALF_UP)

    def segments(self) -> list[Segment]:
        """The body of the 850, without ST and SE."""
        day = f"{self.ordered_on:%Y%m%d}"
        found: list[Segment] = [
            ["BEG", self.purpose, "SA", self.number, "", day],
            ["CUR", "BY", self.currency],
        ]
        if self.requested_on:
            found.append(["DTM", "002", f"{self.requested_on:%Y%m%d}"])
        if self.ship_method:
            found.append(["TD5", "", "", "", "", self.ship_method])
        if self.note:
            found += [["N9", "L1", self.number], ["MSG", self.note]]
        found.append(["N1", "BY", self.buyer_name, "92", self.buyer_code])
        found += _ship_to(self.ship_to)
        for number, line in enumerate(self.lines, start=1):
            found += _line(number, line)
        found.append(["CTT", str(len(self.lines))])
        return [*found, ["AMT", "TT", f"{self.total():f}"]]


class LineChange(_Described):
    """One POC loop; `quantity` is the new quantity, not a difference."""

    line: str
    """The line of the original order."""
    action: Literal["QI", "QD", "CA", "PC", "DI", "AI"] = "CA"
    """Element 670: quantity up, down, several changes, price, delete, add."""
    sku: str
    quantity: str
    price: str
    unit: str = "EA"
    buyer_sku: str = ""


class PurchaseChange(_Described):
    """One 860."""

    number: str
    sequence: int = 1
    lines: tuple[LineChange, ...] = ()
    ordered_on: date
    requested_on: date
    purpose: Literal["01", "04", "05"] = "04"
    """BCH01: cancellation, change, replacement."""
    buyer_name: str = "Acme Distributors"
    buyer_code: str = "ACME"

    def segments(self) -> list[Segment]:
        """The body of the 860, without ST and SE."""
        days = f"{self.ordered_on:%Y%m%d}", f"{self.requested_on:%Y%m%d}"
        bch = ["BCH", self.purpose, "SA", self.number, "", str(self.sequence), days[0]]
        found: list[Segment] = [[*bch, "", "", "", "", days[1]]]
        found.append(["N1", "BY", self.buyer_name, "92", self.buyer_code])
        for line in self.lines:
            poc = ["POC", line.line, line.action, line.quantity, "", line.unit, line.price, ""]
            found.append(
                [*poc, "VN", line.sku, *(("BP", line.buyer_sku) if line.buyer_sku else ())]
            )
        return [*found, ["CTT", str(len(self.lines))]]


def _line(number: int, line: PurchaseLine) -> list[Segment]:
    po1 = ["PO1", str(number), line.quantity, line.unit, line.price, "", "VN", line.sku]
    found: list[Segment] = [[*po1, *(("BP", line.buyer_sku) if line.buyer_sku else ())]]
    if line.description:
        found.append(["PID", "F", "", "", "", line.description])
    return found


def _ship_to(to: Address) -> list[Segment]:
    return [
        ["N1", "ST", to.name, "92", to.code],
        ["N3", to.street],
        ["N4", to.city, to.state, to.post_code, to.country],
    ]
