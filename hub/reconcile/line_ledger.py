"""The line-quantity ledger of one order: what became of everything that was ordered.

Per line, in the line's canonical unit (the item's base unit where it is known and can be reached,
else the ordered one):

- ordered + over = cancelled + open + backordered + shipped,
- shipped + unshipped = invoiced + to invoice; what was credited is a part of what was invoiced.

`over` (shipped beyond the order) and `unshipped` (billed, never shipped) are 0 when all is well. A quantity
that cannot be converted is in no sum and is listed: a line with one is not `comparable`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal

from hub.reconcile.orders import OrderThread, Paper, Said
from hub.reconcile.units import Conversion, Units

Kind = Literal["ordered", "cancelled", "shipped", "invoiced", "credited"]
_ZERO = Decimal()


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """What the ERP says of an item."""

    base_unit: str
    stocked: bool = True
    price: Decimal | None = None
    """List price of one base unit."""
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Movement:
    """One document's effect on one line."""

    kind: Kind
    paper: Paper
    conversion: Conversion
    price: Decimal | None = None
    """Of one canonical unit."""
    currency: str | None = None

    @property
    def quantity(self) -> Decimal:
        """In the canonical unit."""
        return self.conversion.to_value


@dataclass(slots=True)
class Line:
    """One line of the order, or an item that moved without having been ordered."""

    number: str
    item: str
    codes: Mapping[str, str]
    unit: str
    expected: bool = True
    """False: nobody ordered it."""
    stocked: bool = True
    price: Decimal | None = None
    """Ordered, of one canonical unit."""
    currency: str | None = None
    movements: list[Movement] = field(default_factory=list)
    unconverted: list[tuple[Kind, Paper, Said]] = field(default_factory=list)
    short: Decimal = _ZERO
    """What the warehouse said that it did not ship, at the last shipment."""

    def total(self, kind: Kind, until: datetime | None = None) -> Decimal:
        """Return the sum of a kind, of documents up to a moment."""
        return sum(
            (
                each.quantity
                for each in self.movements
                if each.kind == kind and (until is None or each.paper.at <= until)
            ),
            _ZERO,
        )

    @property
    def comparable(self) -> bool:
        """Whether every quantity is in the canonical unit."""
        return not self.unconverted

    @property
    def wanted(self) -> Decimal:
        """Ordered and not cancelled."""
        return self.total("ordered") - self.total("cancelled")

    @property
    def backordered(self) -> Decimal:
        """What is still to ship and the warehouse said that it has not."""
        return min(max(self.wanted - self.total("shipped"), _ZERO), self.short)

    @property
    def over(self) -> Decimal:
        """Shipped beyond what was wanted."""
        return max(self.total("shipped") - self.wanted, _ZERO)

    @property
    def open(self) -> Decimal:
        """Still to ship and not backordered."""
        return max(self.wanted - self.total("shipped"), _ZERO) - self.backordered

    @property
    def to_invoice(self) -> Decimal:
        """Shipped and not billed."""
        return max(self.total("shipped") - self.total("invoiced"), _ZERO)

    @property
    def unshipped(self) -> Decimal:
        """Billed and not shipped."""
        return max(self.total("invoiced") - self.total("shipped"), _ZERO)


class LineLedger:
    """The lines of one order thread."""

    def __init__(self, units: Units, items: Mapping[str, ItemFacts]) -> None:
        self._units = units
        self._items = items
        self.lines: list[Line] = []
        self._numbers: dict[str, Line] = {}
        self._coded: dict[tuple[str, str], list[Line]] = {}

    def enter(self, thread: OrderThread) -> LineLedger:
        """Enter all documents of a thread, in their order; return the ledger."""
        for paper in thread.versions:
            self._order(paper)
        for paper in thread.shipments:
            for said in paper.lines:
                self._ship(paper, said)
        for paper in thread.invoices:
            for said in paper.lines:
                self._bill(paper, said)
        return self

    def _order(self, paper: Paper) -> None:
        if paper.entity == "order":
            self._replace(paper, {said.number for said in paper.lines})
        elif paper.kind == "cancel":
            self._replace(paper, set())
            return
        elif paper.kind == "replace":
            self._replace(paper, {said.number for said in paper.lines})
        seen: set[str] = set()
        for said in paper.lines:
            line = None if said.number in seen else self._numbered(said.number)
            seen.add(said.number)
            if line is None:
                line = self._open_line(said)
            self._want(line, paper, said)

    def _replace(self, paper: Paper, listed: set[str]) -> None:
        """Cancel what a cancellation or a replacement leaves out."""
        for line in self.lines:
            if line.number not in listed:
                self._book(line, "cancelled", paper, line.wanted)

    def _want(self, line: Line, paper: Paper, said: Said) -> None:
        """Book the difference between what was wanted and what is wanted from now on."""
        if said.action == "delete":
            self._book(line, "cancelled", paper, line.wanted)
            return
        if said.unit:
            turned = self._turn(line, "ordered", paper, said)
            if turned is not None:
                difference = turned.to_value - line.wanted
                if difference > 0 and line.movements:
                    self._book(line, "ordered", paper, difference)
                elif difference > 0:
                    line.movements.append(Movement("ordered", paper, turned))
                else:
                    self._book(line, "cancelled", paper, -difference)
        if said.price is not None:
            line.price = self._price(line, said)
            line.currency = said.currency or paper.currency

    def _ship(self, paper: Paper, said: Said) -> None:
        line = self._numbered(said.number, said) or self._of_item(said, "shipped")
        if line is None:
            line = self._open_line(said, expected=False)
        turned = self._turn(line, "shipped", paper, said)
        if turned is None:
            return
        line.movements.append(Movement("shipped", paper, turned))
        if said.asked is not None:
            line.short = max(said.asked - said.quantity, _ZERO) * turned.factor

    def _bill(self, paper: Paper, said: Said) -> None:
        line = self._numbered(said.number, said)
        if line is None or len(self._same_item(said)) > 1:
            line = self._of_item(said, "invoiced") or line
        if line is None:
            line = self._open_line(said, expected=False)
        turned = self._turn(line, "invoiced", paper, said)
        if turned is None:
            return
        price = self._price(line, said)
        currency = said.currency or paper.currency
        if turned.to_value < 0:
            self._book(line, "credited", paper, -turned.to_value)
        else:
            line.movements.append(Movement("invoiced", paper, turned, price, currency))

    def _book(self, line: Line, kind: Kind, paper: Paper, quantity: Decimal) -> None:
        if quantity:
            same = Conversion(quantity, line.unit, quantity, line.unit, Decimal(1), "same")
            line.movements.append(Movement(kind, paper, same))

    def _turn(self, line: Line, kind: Kind, paper: Paper, said: Said) -> Conversion | None:
        turned = self._units.convert(said.quantity, said.unit, line.item, line.unit)
        if turned is None and said.quantity:
            line.unconverted.append((kind, paper, said))
        return turned

    def _price(self, line: Line, said: Said) -> Decimal | None:
        if said.price is None:
            return None
        one = self._units.convert(Decimal(1), said.unit or line.unit, line.item, line.unit)
        return None if one is None else said.price / one.factor

    def _open_line(self, said: Said, *, expected: bool = True) -> Line:
        item = self._items.get(said.codes.get("seller_sku", ""))
        unit = said.unit
        if item and self._units.convert(Decimal(1), unit, said.item, item.base_unit):
            unit = item.base_unit
        stocked = item.stocked if item else True
        line = Line(said.number, said.item, said.codes, unit, expected, stocked)
        self.lines.append(line)
        if expected:
            self._numbers.setdefault(line.number, line)
        for code in said.codes.items():
            self._coded.setdefault(code, []).append(line)
        return line

    def _numbered(self, number: str, said: Said | None = None) -> Line | None:
        """Return the line of a number; not where it is of another item than `said`."""
        line = self._numbers.get(number)
        if line is None or (said is not None and not _agree(line.codes, said.codes)):
            return None
        return line

    def _same_item(self, said: Said) -> list[Line]:
        for code in said.codes.items():
            if code in self._coded:
                return self._coded[code]
        return []

    def _of_item(self, said: Said, kind: Kind) -> Line | None:
        """Return the line of that item that still waits for such a document, else the last one."""
        found = self._same_item(said)
        for line in found:
            due = line.wanted if kind == "shipped" else line.total("shipped")
            if line.total(kind) < due:
                return line
        return found[-1] if found else None


def _shared(ours: Mapping[str, str], theirs: Mapping[str, str]) -> bool:
    return any(code and theirs.get(scheme) == code for scheme, code in ours.items())


def _agree(ours: Mapping[str, str], theirs: Mapping[str, str]) -> bool:
    """Whether two sets of codes may be one item: they share a code, or have no scheme in common."""
    return _shared(ours, theirs) or not any(theirs.get(scheme) for scheme in ours if ours[scheme])


def build(
    thread: OrderThread, units: Units, items: Mapping[str, ItemFacts] | None = None
) -> list[Line]:
    """Return the lines of a thread, ordered ones first."""
    return LineLedger(units, items or {}).enter(thread).lines


def same_item(lines: Iterable[Line]) -> dict[str, list[Line]]:
    """Return the lines by item; an ERP need not say which of two lines of an item it bills."""
    found: dict[str, list[Line]] = {}
    for line in lines:
        found.setdefault(line.item, []).append(line)
    return found
