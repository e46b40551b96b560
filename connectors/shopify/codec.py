"""Shopify's webhook bodies: one REST resource each, as JSON.

Codes, all `Rejected`, beside those of `connectors.json_body`:

=====================  ==========================================================================
``flow_not_handled``   a topic that the hub has no use for; recorded, answered with 200
``flow_not_written``   the hub writes nothing to Shopify
=====================  ==========================================================================
"""

from __future__ import annotations

from canonical.errors import Rejected
from connectors.base import Decoded, Json, Numbers, Receipt, Refusal, SourceDocument
from connectors.json_body import read_object
from connectors.shopify.config import ShopifyConfig

ORDERS_CREATE = "orders/create"


class ShopifyCodec:
    """Reads the bodies of webhook calls."""

    def __init__(self, config: ShopifyConfig) -> None:
        self._control = {"shop_domain": config.shop_domain, "api_version": config.api_version}

    def decode(self, receipt: Receipt) -> Decoded:
        """The body of ``orders/create`` is the order itself, one document without an envelope.

        A store may be subscribed to more topics than we handle. Refusing those would make Shopify
        try again for four hours and then delete the subscription, so they count as answered.
        """
        if receipt.flow != ORDERS_CREATE:
            error = Rejected("flow_not_handled", "x-shopify-topic", f"expected {ORDERS_CREATE}")
            return Decoded((Refusal(0, "", error, receipt.flow, answered=True),))
        try:
            order = read_object(receipt.body)
        except Rejected as error:
            return Decoded((Refusal(0, "body", error, receipt.flow),))
        return Decoded((SourceDocument(ORDERS_CREATE, 0, _where(order), order, self._control),))

    def encode(self, flow: str, body: Json, numbers: Numbers) -> bytes:  # noqa: ARG002
        """Nothing is written to Shopify."""
        raise Rejected("flow_not_written", "", "the hub writes nothing to Shopify")


def _where(order: Json) -> str:
    """Shopify's order id, by which its people find it; only digits, so that it carries no data."""
    identifier = str(order.get("id"))
    named = identifier.isascii() and identifier.isdigit() and len(identifier) <= 20  # noqa: PLR2004
    return f"order {identifier}" if named else "order"
