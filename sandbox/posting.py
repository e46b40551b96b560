"""Posting a sales order: what ``Microsoft.NAV.shipAndInvoice`` makes of it. Pure: rows in, rows out.

The shipment and the invoice are new documents with new ids and numbers, and hold every line of the
order, those that did not move with quantity 0. A fully invoiced order is gone afterwards; otherwise
its open quantities become the next ones to ship and invoice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal

from sandbox.body_fields import refused
from sandbox.json_text import Row
from sandbox.sales_order import CENT, Desk, outstanding, ready, touched

PAYMENT_DAYS = 30
_COPIED_FROM_LINE = (
    "itemId", "lineType", "lineObjectNumber", "description", "description2",
    "unitOfMeasureId", "unitOfMeasureCode", "unitPrice",
)  # fmt: skip


@dataclass(frozen=True)
class Document:
    """A posted document and its lines."""

    header: Row
    lines: list[Row]


@dataclass(frozen=True)
class Posting:
    """All that one posting does."""

    shipment: Document | None
    invoice: Document | None
    stock: Mapping[str, str]
    """Item number -> change, as decimal text."""
    order: Row
    lines: list[Row]
    order_gone: bool


def post(order: Row, lines: list[Row], desk: Desk, *, lose_invoice: bool) -> Posting:
    """Ship and invoice what the lines say.

    Args:
        order: the header.
        lines: its lines.
        desk: the books, new ids, the moment.
        lose_invoice: ship only, as if the invoicing half of the posting had been lost.

    Raises:
        ODataError: 400, nothing is to be posted or the order must be shipped complete.

    """
    ships = any(line.get("shipQuantity", 0) > 0 for line in lines)
    invoices = any(line.get("invoiceQuantity", 0) > 0 for line in lines)
    _check(order, lines, nothing=not (ships or invoices))
    after = [_moved(line, lose_invoice=lose_invoice) for line in lines]
    return Posting(
        shipment=_shipment(order, lines, desk) if ships else None,
        invoice=_invoice(order, lines, desk) if invoices and not lose_invoice else None,
        stock=_stock(lines),
        order=touched(order, after, desk),
        lines=after,
        order_gone=all(_is_done(line) for line in after),
    )


def moved_items(document: Document) -> list[Row]:
    """Item and quantity of each line of a posted document, for the journal."""
    return [
        {"item": line.get("lineObjectNumber", ""), "quantity": str(line["quantity"])}
        for line in document.lines
        if line["quantity"]
    ]


def _check(order: Row, lines: list[Row], *, nothing: bool) -> None:
    if any(line.get("lineObjectNumber") and not line.get("quantity") for line in lines):
        raise refused("One or more lines with a value in the No. field have no quantity.")
    if nothing:
        raise refused("There is nothing to post.")
    complete = all(outstanding(line) == line.get("shipQuantity", 0) for line in lines)
    if not (complete or order.get("partialShipping", True)):
        raise refused("This order must be a complete shipment.")


def _moved(line: Row, *, lose_invoice: bool) -> Row:
    """The line after posting, with the rest made ready for the next posting."""
    shipped = Decimal(line.get("shippedQuantity", 0)) + Decimal(line.get("shipQuantity", 0))
    billed = Decimal(0) if lose_invoice else Decimal(line.get("invoiceQuantity", 0))
    invoiced = Decimal(line.get("invoicedQuantity", 0)) + billed
    version = line.get("version", 0) + 1
    moved = line | {"shippedQuantity": shipped, "invoicedQuantity": invoiced, "version": version}
    return ready(moved)


def _is_done(line: Row) -> bool:
    return Decimal(line.get("invoicedQuantity", 0)) >= Decimal(line.get("quantity", 0))


def _stock(lines: list[Row]) -> dict[str, str]:
    stock: dict[str, Decimal] = {}
    for line in lines:
        if line["lineType"] == "Item" and line.get("shipQuantity"):
            item = line["lineObjectNumber"]
            stock[item] = stock.get(item, Decimal(0)) - Decimal(line["shipQuantity"])
    return {item: str(change) for item, change in stock.items()}


def _posted_header(order: Row, number: str, desk: Desk) -> Row:
    left_out = {"number", "status", "version", "orderDate", "partialShipping", "fullyShipped"}
    due = desk.now.date() + timedelta(days=PAYMENT_DAYS)
    return {name: value for name, value in order.items() if name not in left_out} | {
        "id": desk.new_id(),
        "number": number,
        "orderNumber": order["number"],
        "invoiceDate": desk.today,
        "postingDate": desk.today,
        "dueDate": due.isoformat(),
        "lastModifiedDateTime": desk.stamp,
    }


def _shipment(order: Row, lines: list[Row], desk: Desk) -> Document:
    header = _posted_header(order, f"S-SHPT{102001 + len(desk.company.shipments)}", desk)
    rows = [
        {name: line[name] for name in _COPIED_FROM_LINE if name in line}
        | {
            "id": desk.new_id(),
            "documentId": header["id"],
            "documentNo": header["number"],
            "sequence": line["sequence"],
            "quantity": line.get("shipQuantity", 0),
            "shipmentDate": desk.today,
        }
        for line in lines
    ]
    return Document(header, rows)


def _invoice(order: Row, lines: list[Row], desk: Desk) -> Document:
    header = _posted_header(order, f"PS-INV{103001 + len(desk.company.invoices)}", desk)
    rows = [_invoice_line(line, header["id"], desk) for line in lines]
    total = sum((row["amountExcludingTax"] for row in rows), Decimal(0))
    amounts = ("totalAmountExcludingTax", "totalAmountIncludingTax", "remainingAmount")
    header |= {"orderId": order["id"], "status": "Open"} | dict.fromkeys(amounts, total)
    return Document(header, rows)


def _invoice_line(line: Row, invoice_id: str, desk: Desk) -> Row:
    quantity, ordered = Decimal(line.get("invoiceQuantity", 0)), Decimal(line.get("quantity", 0))
    discount = Decimal(line.get("discountAmount", 0)) * (quantity / ordered if ordered else 0)
    net = quantity * Decimal(line.get("unitPrice", 0)) - discount
    amounts = ("amountExcludingTax", "amountIncludingTax", "netAmount", "netAmountIncludingTax")
    return (
        {name: line[name] for name in _COPIED_FROM_LINE if name in line}
        | {"id": desk.new_id(), "documentId": invoice_id, "sequence": line["sequence"]}
        | {"quantity": quantity, "discountAmount": discount.quantize(CENT, ROUND_HALF_UP)}
        | {"shipmentDate": desk.today}
        | dict.fromkeys(amounts, net.quantize(CENT, ROUND_HALF_UP))
    )
