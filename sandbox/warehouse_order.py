"""A warehouse shipping order (X12 004010 940), as the warehouse reads it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.x12 import Segment, TransactionSet, element

DEFAULT_SCAC = "UPSN"
OWN_NUMBER = {"VN", "VP", "SK", "VC"}
"""Qualifiers (element 235) of the depositor's own item number."""
_IDS = ((4, 5), (6, 7), (15, 16))
"""Where W01 has pairs of qualifier (element 235) and product id (234)."""


@dataclass(frozen=True)
class OrderedLine:
    """One LX/W01 loop."""

    number: str
    """N9*LI where the depositor gives one, else LX01."""
    quantity: Decimal
    unit: str
    upc: str
    ids: tuple[tuple[str, str], ...]
    """(qualifier, product id) pairs, as ordered."""
    description: str

    @property
    def sku(self) -> str:
        """The depositor's own item number, else the first product id, else the UPC."""
        own = [number for qualifier, number in self.ids if qualifier in OWN_NUMBER]
        return next(iter([*own, *(number for _, number in self.ids)]), self.upc)


@dataclass(frozen=True)
class WarehouseOrder:
    """One 940."""

    number: str
    """W0502, the depositor order number: the hub's reference."""
    status: str
    """W0501: N original, R replacement, F cancellation ..."""
    po_number: str
    ship_to: tuple[Segment, ...]
    scac: str
    method: str
    """W6602, transportation method (element 91)."""
    lines: tuple[OrderedLine, ...]
    content: str
    """sha256 of the set without its envelope: the same order again has the same."""

    def row(self) -> dict[str, Any]:
        """As the journal keeps it."""
        return {
            "number": self.number, "status": self.status, "po_number": self.po_number,
            "ship_to": [list(segment) for segment in self.ship_to], "scac": self.scac,
            "method": self.method, "content": self.content,
            "lines": [
                {
                    "number": line.number, "quantity": str(line.quantity), "unit": line.unit,
                    "upc": line.upc, "ids": [list(pair) for pair in line.ids],
                    "description": line.description, "sku": line.sku,
                }
                for line in self.lines
            ],
        }  # fmt: skip


def from_row(row: dict[str, Any]) -> WarehouseOrder:
    """Read an order back from the journal."""
    lines = tuple(
        OrderedLine(
            number=line["number"],
            quantity=Decimal(line["quantity"]),
            unit=line["unit"],
            upc=line["upc"],
            ids=tuple((pair[0], pair[1]) for pair in line["ids"]),
            description=line["description"],
        )
        for line in row["lines"]
    )
    return WarehouseOrder(**{**row, "lines": lines, "ship_to": tuple(row["ship_to"])})


def read_order(body: TransactionSet) -> WarehouseOrder:
    """Read one 940.

    Raises:
        ValueError: what a warehouse cannot work without is missing.

    """
    if body.code != "940":
        raise ValueError("expected a 940 in ST01")
    head = _first(body.segments, "W05")
    carrier = _first(body.segments, "W66")
    if not element(head, 2):
        raise ValueError("expected a depositor order number in W0502")
    lines = tuple(_lines(body.segments))
    if not lines:
        raise ValueError("expected at least one W01")
    text = "\n".join("*".join(segment) for segment in body.segments)
    return WarehouseOrder(
        number=element(head, 2),
        status=element(head, 1),
        po_number=element(head, 3),
        ship_to=tuple(_ship_to(body.segments)),
        scac=element(carrier, 10) or DEFAULT_SCAC,
        method=element(carrier, 2) or "U",
        lines=lines,
        content=hashlib.sha256(text.encode()).hexdigest(),
    )


def _first(segments: list[Segment], name: str) -> Segment:
    return next((segment for segment in segments if segment[0] == name), [name])


def _ship_to(segments: list[Segment]) -> list[Segment]:
    """The N1*ST loop: N1 and the N2, N3, N4 that follow it."""
    found: list[Segment] = []
    for segment in segments:
        if segment[0] == "N1" and found:
            return found
        if (segment[0] == "N1" and element(segment, 1) == "ST") or (
            found and segment[0] in {"N2", "N3", "N4"}
        ):
            found.append(segment)
    return found


def _lines(segments: list[Segment]) -> list[OrderedLine]:
    loops: list[list[Segment]] = []
    for segment in segments:
        if segment[0] == "LX":
            loops.append([segment])
        elif loops and segment[0] in {"W01", "G69", "N9"}:
            loops[-1].append(segment)
    return [_line(loop) for loop in loops if any(segment[0] == "W01" for segment in loop)]


def _line(loop: list[Segment]) -> OrderedLine:
    item = _first(loop, "W01")
    own = [element(segment, 2) for segment in loop if segment[:2] == ["N9", "LI"]]
    try:
        quantity = Decimal(element(item, 1))
    except InvalidOperation as error:
        raise ValueError("expected a number in W0101") from error
    if not quantity.is_finite() or quantity <= 0:
        raise ValueError("expected a quantity above zero in W0101")
    pairs = [(element(item, first), element(item, second)) for first, second in _IDS]
    return OrderedLine(
        number=next(filter(None, own), element(loop[0], 1)),
        quantity=quantity,
        unit=element(item, 2) or "EA",
        upc=element(item, 3),
        ids=tuple(pair for pair in pairs if all(pair)),
        description=element(_first(loop, "G69"), 1),
    )
