"""X12: purchase orders, changes and warehouse messages as files, with their acknowledgments."""

from connectors.x12.connector import CONNECTOR

__all__ = ["CONNECTOR"]
