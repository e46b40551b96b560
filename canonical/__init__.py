"""The vocabulary: what every system's documents become, and the identities and errors they share."""

from canonical.application_advice import ApplicationAdvice
from canonical.base import Document
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

DOCUMENTS: dict[str, type[Document]] = {
    model.entity: model
    for model in (
        Order, OrderChange, OrderResponse, Shipment, ReceivingAdvice, Tracking, Invoice, Remittance,
        InventoryPosition, StockAdjustment, LoadTender, TenderResponse, ApplicationAdvice, Item,
        Customer,
    )
}  # fmt: skip
"""Entity word -> its model; the words that subjects, tables and mappings use."""

__all__ = ["DOCUMENTS", "Document"]
