"""X12 as the hub sees it."""

from __future__ import annotations

from canonical.errors import ConfigError
from connectors.base import Capabilities, Client, Codec, ConnectorConfig, Poller, Webhook
from connectors.reach import Reach
from connectors.x12.codec import ACKNOWLEDGEMENTS, INBOUND, OUTBOUND, X12Codec
from connectors.x12.config import X12Config


class X12Connector:
    """Files alone: they travel by a folder transport, and nobody is called."""

    name = "x12"
    config: type[ConnectorConfig] = X12Config
    capabilities = Capabilities(
        inbound=INBOUND,
        outbound=OUTBOUND,
        acknowledgements=ACKNOWLEDGEMENTS,
        transports=("folder", "as2", "sftp", "ftps"),
    )

    def codec(self, config: ConnectorConfig) -> Codec:
        """The codec of one connection."""
        return X12Codec(_own(config))

    def client(self, config: ConnectorConfig, reach: Reach) -> Client | None:  # noqa: ARG002  # nobody is called
        """None: outbound files are left in the connection's folder."""
        _own(config)
        return None

    def poller(self, config: ConnectorConfig, reach: Reach) -> Poller | None:  # noqa: ARG002  # nobody is called
        """None: there is nothing to poll."""
        _own(config)
        return None

    def webhook(self, config: ConnectorConfig) -> Webhook | None:
        """None: X12 partners do not call."""
        _own(config)
        return None


def _own(config: ConnectorConfig) -> X12Config:
    if not isinstance(config, X12Config):
        raise ConfigError("options_of_another_system", "", "expected the options of x12")
    return config


CONNECTOR = X12Connector()
