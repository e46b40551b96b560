"""EasyPost as the hub sees it."""

from __future__ import annotations

from canonical.errors import ConfigError
from connectors.base import Capabilities, Client, Codec, ConnectorConfig, Poller, Webhook
from connectors.easypost.codec import TRACKER_UPDATED, EasyPostCodec
from connectors.easypost.config import EasyPostConfig
from connectors.easypost.webhook import EasyPostWebhook
from connectors.reach import Reach


class EasyPostConnector:
    """Webhooks in; nothing is sent or polled."""

    name = "easypost"
    config: type[ConnectorConfig] = EasyPostConfig
    capabilities = Capabilities(
        inbound=(TRACKER_UPDATED,),
        transports=("webhook",),
    )

    def codec(self, config: ConnectorConfig) -> Codec:
        """The codec; it reads every account's events alike."""
        _own(config)
        return EasyPostCodec()

    def client(self, config: ConnectorConfig, reach: Reach) -> Client | None:  # noqa: ARG002  # nobody is called
        """None: the hub does not call EasyPost."""
        _own(config)
        return None

    def poller(self, config: ConnectorConfig, reach: Reach) -> Poller | None:  # noqa: ARG002  # nobody is called
        """None: there is nothing to poll."""
        _own(config)
        return None

    def webhook(self, config: ConnectorConfig) -> Webhook | None:
        """The webhook verifier."""
        return EasyPostWebhook(_own(config))


def _own(config: ConnectorConfig) -> EasyPostConfig:
    if not isinstance(config, EasyPostConfig):
        raise ConfigError("options_of_another_system", "", "expected the options of easypost")
    return config


CONNECTOR = EasyPostConnector()
