"""The few facts that the ledger keeps of every document, whatever its entity."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from canonical.application_advice import ApplicationAdvice
from canonical.base import Document
from canonical.currency import MINOR_UNITS
from canonical.decimal_text import INTEGER_DIGITS
from canonical.inventory import InventoryPosition
from canonical.invoice import Invoice
from canonical.item import Item
from canonical.load_tender import LoadTender
from canonical.order import Order, OrderChange
from canonical.order_response import OrderResponse
from canonical.party import Customer
from canonical.receiving_advice import ReceivingAdvice
from canonical.remittance import Remittance
from canonical.shipment import Shipment, Tracking
from canonical.stock_adjustment import StockAdjustment
from canonical.tender_response import TenderResponse


@dataclass(frozen=True, slots=True)
class Summary:
    """What to list, search, add up and thread a document by; None: it does not say."""

    number: str
    """The document's own number: PO, shipment, invoice, tracking, item or account number."""
    reference_number: str | None = None
    """Our reference of the order that a shipment or an invoice belongs to."""
    buyer_account: str | None = None
    """The buyer's account in our own ERP."""
    buyer_po: str | None = None
    """The buyer's own purchase order number, as sent."""
    amount: Decimal | None = None
    """What is at stake, in `currency`: the declared total, else the sum of the priced lines."""
    currency: str | None = None
    """ISO 4217."""


def summarise(document: Document) -> Summary:  # noqa: C901, PLR0911  # one case per entity
    """Read the facts off a document.

    Raises:
        TypeError: an entity that has no case here; a test walks through all of them.

    """
    match document:
        case Order():
            return _order(document)
        case OrderChange():
            return _order_change(document)
        case Shipment():
            return _shipment(document)
        case Invoice():
            return _invoice(document)
        case Tracking():
            return Summary(number=document.tracking_number)
        case Item() | InventoryPosition():
            # An item has a position at each site: their numbers must not meet.
            return Summary(number=document.key_parts()[0])
        case Customer():
            return Summary(number=document.number, buyer_account=document.number)
        case OrderResponse() | LoadTender() | TenderResponse():
            number = document.key_parts()[0]
            return Summary(number=number, reference_number=document.order_reference)
        case ReceivingAdvice():
            return _receiving_advice(document)
        case Remittance():
            total = document.total
            return Summary(document.number, amount=total.amount, currency=total.currency)
        case StockAdjustment() | ApplicationAdvice():
            return Summary(number=document.number)
        case _:
            raise TypeError(f"no summary of {document.entity}")


def _order(order: Order) -> Summary:
    total = order.total
    return Summary(
        number=order.po_number,
        buyer_account=order.buyer.customer_number,
        buyer_po=order.buyer_po_number or order.po_number,
        amount=total.amount if total else _priced(order),
        currency=total.currency if total else order.currency,
    )


def _priced(order: Order) -> Decimal | None:
    """The sum of the lines that have a price, rounded to the currency.

    None where no line has one, where one is in another currency than the order's, and where the
    sum has more digits than any amount may have: two quantities of 18 digits can be multiplied,
    and then neither be rounded nor stored.
    """
    total, currency, has_prices = Decimal(0), order.currency, False
    for line in order.lines:
        price = line.unit_price
        if price is None:
            continue
        if price.currency != currency:
            return None
        total += price.times(line.quantity.value)
        has_prices = True
    if not has_prices or abs(total) >= 10**INTEGER_DIGITS - 1:
        return None
    return total.quantize(Decimal(1).scaleb(-MINOR_UNITS[order.currency]), ROUND_HALF_UP)


def _order_change(change: OrderChange) -> Summary:
    # A change says what differs, in no currency of its own: what it is worth is not known from it.
    return Summary(
        number=change.po_number,
        buyer_account=change.buyer.customer_number,
        buyer_po=change.po_number,
    )


def _shipment(shipment: Shipment) -> Summary:
    return Summary(
        number=shipment.number,
        reference_number=shipment.order_reference,
        buyer_po=shipment.po_number,
    )


def _receiving_advice(advice: ReceivingAdvice) -> Summary:
    return Summary(
        number=advice.number,
        reference_number=advice.order_reference,
        buyer_po=advice.po_number,
    )


def _invoice(invoice: Invoice) -> Summary:
    return Summary(
        number=invoice.number,
        reference_number=invoice.order_reference,
        buyer_account=invoice.bill_to.customer_number if invoice.bill_to else None,
        amount=invoice.total.amount,
        currency=invoice.total.currency,
    )
