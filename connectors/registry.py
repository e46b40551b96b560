"""All connectors, one line each; a test proves that the folders beside this file agree."""

from __future__ import annotations

from connectors import business_central, easypost, shopify
from connectors.base import Connector

CONNECTORS: dict[str, Connector] = {
    "business_central": business_central.CONNECTOR,
    "easypost": easypost.CONNECTOR,
    "shopify": shopify.CONNECTOR,
}
"""System -> its connector."""
