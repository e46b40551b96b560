"""EDIFACT: orders, despatch advices, invoices and reports as files, with their CONTRL and APERAK."""

from connectors.edifact.connector import CONNECTOR
from connectors.edifact.inspector import INSPECTOR

__all__ = ["CONNECTOR", "INSPECTOR"]
