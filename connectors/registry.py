"""All connectors, one line each; a test proves that the folders beside this file agree."""

from __future__ import annotations

from connectors import easypost, shopify
from connectors.base import Connector

CONNECTORS: dict[str, Connector] = {
    "easypost": easypost.CONNECTOR,
    "shopify": shopify.CONNECTOR,
}
"""System -> its connector."""
