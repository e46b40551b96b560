"""What to write on an order's lines so that one posting ships and invoices exactly one shipment.

Pure. A posting takes every line's ``shipQuantity`` and ``invoiceQuantity`` as they stand, and new
lines stand at "all that is open": so every line is set, those that are not shipped to 0.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from canonical.errors import Rejected
from connectors.base import Json
from connectors.business_central.notes import Note, shipment_key
from connectors.business_central.odata import decimal, plain
from connectors.business_central.order import Line, likely, same

_QUANTITY = re.compile(r"(0|[1-9][0-9]{0,17})(\.[0-9]{1,9})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Shipped:
    """One line of a shipment."""

    item: str
    number: str
    unit: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Shipment:
    """The body of a ``salesShipment``, checked."""

    order_reference: str
    number: str
    posting_date: str
    lines: tuple[Shipped, ...]

    @property
    def key(self) -> str:
        """Its number as notes hold it."""
        return shipment_key(self.number)


def read_shipment(body: Json) -> Shipment:
    """Check the body that the mapping made.

    Raises:
        Rejected: ``body_invalid``, ``quantity_invalid`` or ``nothing_shipped``.

    """
    lines = body.get("lines")
    if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
        raise Rejected("body_invalid", "lines", "expected a list of lines")
    shipped = [_shipped(line, f"lines[{n}]") for n, line in enumerate(lines)]
    shipped = [line for line in shipped if line.quantity]
    if not shipped:
        raise Rejected("nothing_shipped", "lines", "expected a line with a quantity above zero")
    return Shipment(
        order_reference=required(body, "order_reference"),
        number=required(body, "shipment_number"),
        posting_date=str(body.get("posting_date", "")),
        lines=tuple(shipped),
    )


def required(body: Json, key: str) -> str:
    """A text that the mapping must give.

    Raises:
        Rejected: ``body_invalid``.

    """
    value = body.get(key)
    if not isinstance(value, str) or not value:
        raise Rejected("body_invalid", key, "expected a text")
    return value


def quantity(value: object, place: str) -> Decimal:
    """A quantity of zero or more, as decimal text.

    Raises:
        Rejected: ``quantity_invalid``.

    """
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
        raise Rejected("quantity_invalid", place, "expected a decimal of 0 or more, as text")
    return Decimal(value)


def _shipped(line: Json, place: str) -> Shipped:
    return Shipped(
        item=str(line.get("item_number", "")),
        number=str(line.get("line_number", "")),
        unit=str(line.get("unit", "")),
        quantity=quantity(line.get("quantity"), f"{place}.quantity"),
    )


@dataclass(frozen=True, slots=True)
class Setting:
    """What one line is to say before the posting."""

    line: Line
    ship: Decimal
    invoice: Decimal
    note: Note | None
    """None leaves the line's own note."""

    @property
    def stands(self) -> bool:
        """Whether the line says so already."""
        line = self.line
        noted = self.note is None or line.note == self.note
        return noted and (line.to_ship, line.to_invoice) == (self.ship, self.invoice)

    @property
    def body(self) -> Json:
        """The PATCH; shipQuantity first, because validating it resets invoiceQuantity."""
        body = {"shipQuantity": plain(self.ship), "invoiceQuantity": plain(self.invoice)}
        return body if self.note is None else {**body, "description2": self.note.written()}


def plan_posting(lines: Sequence[Line], shipment: Shipment) -> tuple[Setting, ...]:
    """Settings that ship and invoice the shipment, one per line of the order.

    Raises:
        Rejected: ``line_unknown``, ``unit_differs`` or ``more_than_open``.

    """
    amounts = _allocate(lines, shipment, {line.id: line.open for line in lines})
    return tuple(_setting(line, amounts, shipment.key, ship=True) for line in lines)


def plan_invoicing(lines: Sequence[Line], shipment: Shipment) -> tuple[Setting, ...]:
    """Settings that invoice what of a posted shipment is not invoiced; () where nothing is left."""
    left = {line.id: line.uninvoiced for line in lines}
    amounts: dict[str, Decimal] = {}
    for shipped in shipment.lines:
        wanted = shipped.quantity
        for line in likely(lines, shipped.number, shipped.item):
            taken = min(wanted, left[line.id])
            wanted -= taken
            left[line.id] -= taken
            amounts[line.id] = amounts.get(line.id, Decimal(0)) + taken
    if not any(amounts.values()):
        return ()
    return tuple(_setting(line, amounts, shipment.key, ship=False) for line in lines)


def _setting(line: Line, amounts: dict[str, Decimal], key: str, *, ship: bool) -> Setting:
    amount = amounts.get(line.id, Decimal(0))
    note = Note(line.note.line, key) if amount else None
    return Setting(line, amount if ship else Decimal(0), amount, note)


def _allocate(
    lines: Sequence[Line], shipment: Shipment, left: dict[str, Decimal]
) -> dict[str, Decimal]:
    amounts: dict[str, Decimal] = {}
    for n, shipped in enumerate(shipment.lines):
        place = f"lines[{n}]"
        found = likely(lines, shipped.number, shipped.item)
        if not found:
            raise Rejected("line_unknown", place, "expected an item that is on the order")
        if shipped.unit and not all(same(line.unit, shipped.unit) for line in found):
            raise Rejected("unit_differs", f"{place}.unit", "expected the order line's unit")
        wanted = shipped.quantity
        for line in found:
            taken = min(wanted, left[line.id])
            wanted -= taken
            left[line.id] -= taken
            amounts[line.id] = amounts.get(line.id, Decimal(0)) + taken
        if wanted:
            raise Rejected("more_than_open", f"{place}.quantity", "expected no more than is open")
    return amounts


def has_posted(lines: Sequence[Json], key: str) -> bool:
    """Whether lines of a posted document belong to a shipment, with a quantity above zero.

    Posted documents hold every line of the order, those that did not move with quantity 0 and
    the note of an earlier shipment.
    """
    return any(
        Note.read(str(line.get("description2", ""))).shipment == key
        and decimal(line.get("quantity")) > 0
        for line in lines
    )
