"""Shopify as the hub sees it."""

from __future__ import annotations

from canonical.errors import ConfigError
from connectors.base import Capabilities, Client, Codec, ConnectorConfig, Poller, Webhook
from connectors.reach import Reach
from connectors.shopify.codec import ORDERS_CREATE, ShopifyCodec
from connectors.shopify.config import ShopifyConfig
from connectors.shopify.webhook import ShopifyWebhook


class ShopifyConnector:
    """Webhooks in; nothing is sent or polled."""

    name = "shopify"
    config: type[ConnectorConfig] = ShopifyConfig
    capabilities = Capabilities(
        inbound=(ORDERS_CREATE,),
        transports=("webhook",),
    )

    def codec(self, config: ConnectorConfig) -> Codec:
        """The codec."""
        return ShopifyCodec(_own(config))

    def client(self, config: ConnectorConfig, reach: Reach) -> Client | None:  # noqa: ARG002  # nobody is called
        """None: the hub does not call Shopify."""
        _own(config)
        return None

    def poller(self, config: ConnectorConfig, reach: Reach) -> Poller | None:  # noqa: ARG002  # nobody is called
        """None: there is nothing to poll."""
        _own(config)
        return None

    def webhook(self, config: ConnectorConfig) -> Webhook | None:
        """The webhook verifier."""
        return ShopifyWebhook(_own(config))


def _own(config: ConnectorConfig) -> ShopifyConfig:
    if not isinstance(config, ShopifyConfig):
        raise ConfigError("options_of_another_system", "", "expected the options of shopify")
    return config


CONNECTOR = ShopifyConnector()
