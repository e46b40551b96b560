"""EasyPost: what carriers say about parcels, as tracker webhooks tell it."""

from connectors.easypost.connector import CONNECTOR

__all__ = ["CONNECTOR"]
