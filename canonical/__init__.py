"""The vocabulary: what every system's documents become, and the identities and errors they share."""

from canonical.base import Document
from canonical.inventory import InventoryPosition
from canonical.invoice import Invoice
from canonical.item import Item
from canonical.order import Order, OrderChange
from canonical.party import Customer
from canonical.shipment import Shipment, Tracking

DOCUMENTS: dict[str, type[Document]] = {
    model.entity: model
    for model in (
        Order, OrderChange, Shipment, Tracking, Invoice, InventoryPosition, Item, Customer,
    )
}  # fmt: skip
"""Entity word -> its model; the words that subjects, tables and mappings use."""

__all__ = ["DOCUMENTS", "Document"]
