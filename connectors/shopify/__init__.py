"""Shopify: orders of a store, as its webhooks tell them."""

from connectors.shopify.connector import CONNECTOR

__all__ = ["CONNECTOR"]
