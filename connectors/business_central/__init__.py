"""Business Central: customers, items, stock and invoices in; sales orders and postings out."""

from connectors.business_central.connector import CONNECTOR

__all__ = ["CONNECTOR"]
