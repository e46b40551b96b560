"""EDIFACT: orders, despatch advices, invoices and reports as files, with their CONTRL and APERAK."""

from connectors.edifact.connector import CONNECTOR

__all__ = ["CONNECTOR"]
