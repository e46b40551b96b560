"""A warehouse shipping advice (X12 004010 945): what left, in which cartons. Pure.

Each carton is an LX loop: ``MAN*GM`` with its SSCC (20 digits: application identifier 00 and the 18
digits), ``MAN*CP`` with the carrier's number, and a W12 per line with the depositor's line number
in ``N9*LI``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from sandbox.reference_data import check_digit
from sandbox.warehouse_order import OrderedLine, WarehouseOrder
from sandbox.x12 import Segment

LINES_PER_CARTON = 20
GS1_PREFIX = "0614141"
"""A company prefix that GS1 uses in its own examples."""
POUNDS_EACH = Decimal("2.5")


@dataclass(frozen=True)
class Plan:
    """How one order is to be shipped."""

    short: Mapping[str, Decimal]
    """Item -> how much of it stays behind for good."""
    parts: int = 1
    """In how many shipments it leaves."""
    unit: str = ""
    """Report in this unit (element 355) instead of the ordered one ..."""
    each: Decimal = Decimal(1)
    """... which holds so many of the ordered unit."""


AS_ORDERED = Plan({})


@dataclass(frozen=True)
class PackedLine:
    """One line of one shipment; `shipped` in the ordered unit."""

    ordered: OrderedLine
    shipped: Decimal
    status: str
    """Element 368: CC complete, BP partial with more to come, CP partial for good, DS nothing."""


@dataclass(frozen=True)
class Carton:
    """One handling unit."""

    sscc: str
    tracking_number: str
    lines: tuple[PackedLine, ...]


@dataclass(frozen=True)
class Shipment:
    """One shipment of an order."""

    order: WarehouseOrder
    number: str
    """W0604, the warehouse's own number."""
    cartons: tuple[Carton, ...]
    plan: Plan
    at: datetime

    def items(self) -> list[dict[str, str]]:
        """Item, quantity and unit of what left, in the ordered unit, for the journal."""
        return [
            {"item": line.ordered.sku, "quantity": str(line.shipped), "unit": line.ordered.unit}
            for carton in self.cartons
            for line in carton.lines
            if line.shipped
        ]


def split(order: WarehouseOrder, plan: Plan) -> list[list[PackedLine]]:
    """Spread an order's lines over the shipments of its plan, as evenly as whole units allow.

    An order of which nothing can leave still gets one advice, of lines with nothing shipped.
    """
    parts: list[list[PackedLine]] = [[] for _ in range(plan.parts)]
    for line in order.lines:
        left = max(Decimal(0), line.quantity - plan.short.get(line.sku, Decimal(0)))
        short = left < line.quantity
        for position, part in enumerate(parts):
            share = (left / (plan.parts - position)).to_integral_value(ROUND_HALF_UP)
            shipped = left if position == plan.parts - 1 else min(left, share)
            left -= shipped
            part.append(PackedLine(line, shipped, _status(shipped, left, short=short)))
    leaving = [part for part in parts if any(line.shipped for line in part)]
    return leaving or parts[:1]


def _status(shipped: Decimal, left: Decimal, *, short: bool) -> str:
    if left:
        return "BP"
    if short:
        return "CP" if shipped else "DS"
    return "CC"


def sscc(serial: int) -> str:
    """A Serial Shipping Container Code: extension digit, company prefix, serial, check digit."""
    digits = f"0{GS1_PREFIX}{serial:09d}"
    return digits + check_digit(digits)


def tracking_number(serial: int) -> str:
    """A parcel number in the shape of UPS's."""
    return f"1Z999AA1{serial:010d}"


def pack(lines: Sequence[PackedLine], first_serial: int) -> tuple[Carton, ...]:
    """Put lines into cartons; each carton takes one serial."""
    chunks = [
        tuple(lines[at : at + LINES_PER_CARTON]) for at in range(0, len(lines), LINES_PER_CARTON)
    ]
    return tuple(
        Carton(sscc(serial), tracking_number(serial), chunk)
        for serial, chunk in enumerate(chunks, start=first_serial)
    )


def segments(shipment: Shipment) -> list[Segment]:
    """The body of the 945, without ST and SE."""
    order, day = shipment.order, f"{shipment.at:%Y%m%d}"
    lines: list[Segment] = [
        ["W06", "F", order.number, day, shipment.number, "", order.po_number],
        ["N1", "SF", "LAKESIDE LOGISTICS", "ZZ", "LAKESIDE3PL"],
        *(list(segment) for segment in order.ship_to),
        *(["N9", "CN", carton.tracking_number] for carton in shipment.cartons),
        ["G62", "11", day],
        ["W27", order.method, order.scac],
    ]
    for number, carton in enumerate(shipment.cartons, start=1):
        lines.append(["LX", str(number)])
        lines.append(["MAN", "GM", f"00{carton.sscc}", "", "CP", carton.tracking_number])
        for line in carton.lines:
            lines += _line(line, shipment.plan)
    return [*lines, _total(shipment)]


def _line(line: PackedLine, plan: Plan) -> list[Segment]:
    ordered, item = line.ordered, list(line.ordered.ids)
    first, second, *_ = [*item, ("", ""), ("", "")]
    w12 = [
        "W12",
        line.status,
        _counted(ordered.quantity, plan),
        _counted(line.shipped, plan),
        _counted(ordered.quantity - line.shipped, plan),
        plan.unit or ordered.unit,
        ordered.upc,
        *first,
        *[""] * 8,
        *second,
    ]
    found: list[Segment] = [w12]
    if ordered.description:
        found.append(["G69", ordered.description])
    return [*found, ["N9", "LI", ordered.number]]


def _counted(quantity: Decimal, plan: Plan) -> str:
    """A quantity in the unit of the plan, without trailing zeros (X12 type R)."""
    counted = (quantity / plan.each).quantize(Decimal("0.0001"), ROUND_HALF_UP)
    text = f"{counted:f}".rstrip("0").rstrip(".")
    return text or "0"


def _total(shipment: Shipment) -> Segment:
    packed = [line for carton in shipment.cartons for line in carton.lines]
    units = sum((line.shipped for line in packed), Decimal(0))
    weight = (units * POUNDS_EACH).quantize(Decimal("0.1"), ROUND_HALF_UP)
    return ["W03", _counted(units, shipment.plan), f"{weight:f}", "LB"]
