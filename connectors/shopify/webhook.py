"""Shopify's webhook calls: HMAC-SHA256 of the raw body in base64, keyed with the app's secret.

The signature covers the body alone: neither the topic nor the delivery id. Whoever holds one
genuine call could send it again under another id, which the document's own identities catch.
"""

from __future__ import annotations

import base64
import hashlib
import re

from canonical.errors import Rejected
from connectors.base import Verified, WebhookCall
from connectors.shopify.config import ShopifyConfig
from connectors.transports.webhook import hmac_sha256, require_match

SIGNATURE = "x-shopify-hmac-sha256"
TOPIC = "x-shopify-topic"
SHOP_DOMAIN = "x-shopify-shop-domain"
WEBHOOK_ID = "x-shopify-webhook-id"

_TOPIC = re.compile(rb"[a-z_]{1,40}/[a-z_]{1,40}")
_WEBHOOK_ID = re.compile(rb"[A-Za-z0-9_-]{8,80}")


class ShopifyWebhook:
    """Tells a store's genuine calls from forged ones."""

    def __init__(self, config: ShopifyConfig) -> None:
        self._shop_domain = config.shop_domain.encode()
        self._secrets = [s.get_secret_value().encode() for s in config.webhook_secrets]

    def verify(self, call: WebhookCall) -> Verified:
        """Check the signature, then that the call speaks of our store.

        The delivery id is the webhook id, which stays the same when Shopify tries again; without
        one, the hash of the body. A topic that is none becomes "", which the codec answers for.
        """
        expected = (base64.b64encode(hmac_sha256(key, call.body)) for key in self._secrets)
        require_match(call.headers.get(SIGNATURE), expected, SIGNATURE)
        if call.headers.get(SHOP_DOMAIN, b"").lower() != self._shop_domain:
            raise Rejected("signature_invalid", SHOP_DOMAIN, "expected the configured store")
        webhook_id = call.headers.get(WEBHOOK_ID, b"")
        if not _WEBHOOK_ID.fullmatch(webhook_id):
            webhook_id = hashlib.sha256(call.body).hexdigest().encode()
        topic = call.headers.get(TOPIC, b"")
        flow = topic.decode("ascii") if _TOPIC.fullmatch(topic) else ""
        return Verified(webhook_id.decode("ascii"), flow)
