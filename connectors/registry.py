"""All connectors, one line each; a test proves that the folders beside this file agree."""

from __future__ import annotations

from connectors import business_central, easypost, edifact, shopify, x12
from connectors.base import Connector

CONNECTORS: dict[str, Connector] = {
    "business_central": business_central.CONNECTOR,
    "easypost": easypost.CONNECTOR,
    "edifact": edifact.CONNECTOR,
    "shopify": shopify.CONNECTOR,
    "x12": x12.CONNECTOR,
}
"""System -> its connector."""
