"""An open sales order as Business Central tells it, and which of its lines is meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from canonical.errors import Rejected, Retryable
from connectors.base import Json
from connectors.business_central.notes import Note, line_key
from connectors.business_central.odata import decimal, rows


@dataclass(frozen=True, slots=True)
class Line:
    """One order line; quantities in the line's own unit."""

    id: str
    etag: str
    sequence: int
    item: str
    unit: str
    note: Note
    price: Decimal
    quantity: Decimal
    shipped: Decimal
    invoiced: Decimal
    to_ship: Decimal
    to_invoice: Decimal

    @property
    def open(self) -> Decimal:
        """What is left to ship."""
        return self.quantity - self.shipped

    @property
    def uninvoiced(self) -> Decimal:
        """What is shipped and not invoiced."""
        return self.shipped - self.invoiced


@dataclass(frozen=True, slots=True)
class Order:
    """An open order with its lines in sequence."""

    id: str
    number: str
    etag: str
    posting_date: str
    requested: str
    lines: tuple[Line, ...]


def read_order(row: Json) -> Order:
    """Read one row of ``salesOrders?$expand=salesOrderLines``.

    Raises:
        Retryable: ``not_the_api``: it is not such a row.

    """
    found = rows({"value": row.get("salesOrderLines")})
    if found is None:
        raise Retryable("not_the_api", "salesOrderLines", "expected the order's lines")
    lines = sorted((_line(line) for line in found), key=lambda line: line.sequence)
    return Order(
        id=text(row, "id"),
        number=text(row, "number"),
        etag=text(row, "@odata.etag"),
        posting_date=str(row.get("postingDate", "")),
        requested=str(row.get("requestedDeliveryDate", "")),
        lines=tuple(lines),
    )


def text(row: Json, key: str) -> str:
    """A text that the API always gives.

    Raises:
        Retryable: ``not_the_api``.

    """
    value = row.get(key)
    if not isinstance(value, str) or not value:
        raise Retryable("not_the_api", key, "expected a text where the API has one")
    return value


def _line(row: Json) -> Line:
    sequence = row.get("sequence")
    return Line(
        id=text(row, "id"),
        etag=text(row, "@odata.etag"),
        sequence=sequence if isinstance(sequence, int) else 0,
        item=str(row.get("lineObjectNumber", "")),
        unit=str(row.get("unitOfMeasureCode", "")),
        note=Note.read(str(row.get("description2", ""))),
        price=decimal(row.get("unitPrice")),
        quantity=decimal(row.get("quantity")),
        shipped=decimal(row.get("shippedQuantity")),
        invoiced=decimal(row.get("invoicedQuantity")),
        to_ship=decimal(row.get("shipQuantity")),
        to_invoice=decimal(row.get("invoiceQuantity")),
    )


def same(left: str, right: str) -> bool:
    """Whether two codes are one to Business Central, whose Code fields are upper case."""
    return left.strip().upper() == right.strip().upper()


def likely(lines: Sequence[Line], number: str, item: str) -> list[Line]:
    """The lines that a shipment's line can mean, the likeliest first.

    A warehouse may count lines in its own way: the number only chooses among lines of the item.

    Args:
        lines: the order's lines.
        number: the buyer's line number; "" where it is not known.
        item: our item number; "" where it is not known.

    """
    noted = [line for line in lines if number and line.note.line == line_key(number)]
    if not item:
        return noted
    exact = [line for line in noted if same(line.item, item)]
    return exact + [line for line in lines if same(line.item, item) and line not in exact]


def the_line(lines: Sequence[Line], number: str, item: str, place: str) -> Line | None:
    """The one line that a change means; None where there is none (any more).

    On an order that we made, the line number alone decides: a line that was deleted must not be
    taken for another one of the same item. On any other order the item has to be unique.

    Raises:
        Rejected: ``line_ambiguous`` or ``item_differs``.

    """
    if any(line.note.line for line in lines):
        found = [line for line in lines if line.note.line == line_key(number)]
        if found and item and not same(found[0].item, item):
            raise Rejected("item_differs", place, "expected the order line's item")
    elif item:
        found = [line for line in lines if same(line.item, item)]
    else:
        raise Rejected("line_ambiguous", place, "expected an item: the order is not of our making")
    if len(found) > 1:
        raise Rejected("line_ambiguous", place, "expected one such line on the order")
    return found[0] if found else None
