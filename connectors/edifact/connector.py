"""EDIFACT as the hub sees it."""

from __future__ import annotations

from canonical.errors import ConfigError
from connectors.base import Capabilities, Client, Codec, ConnectorConfig, Poller, Webhook
from connectors.edifact.codec import ACKNOWLEDGEMENTS, INBOUND, OUTBOUND, EdifactCodec
from connectors.edifact.config import EdifactConfig
from connectors.reach import Reach


class EdifactConnector:
    """Files alone: they travel by a folder transport, and nobody is called."""

    name = "edifact"
    config: type[ConnectorConfig] = EdifactConfig
    capabilities = Capabilities(
        inbound=INBOUND,
        outbound=OUTBOUND,
        acknowledgements=ACKNOWLEDGEMENTS,
        transports=("folder", "as2", "sftp", "ftps"),
    )

    def codec(self, config: ConnectorConfig) -> Codec:
        """The codec of one connection."""
        return EdifactCodec(_own(config))

    def client(self, config: ConnectorConfig, reach: Reach) -> Client | None:  # noqa: ARG002  # nobody is called
        """None: outbound files are left in the connection's folder."""
        _own(config)
        return None

    def poller(self, config: ConnectorConfig, reach: Reach) -> Poller | None:  # noqa: ARG002  # nobody is called
        """None: there is nothing to poll."""
        _own(config)
        return None

    def webhook(self, config: ConnectorConfig) -> Webhook | None:
        """None: EDIFACT partners do not call."""
        _own(config)
        return None


def _own(config: ConnectorConfig) -> EdifactConfig:
    if not isinstance(config, EdifactConfig):
        raise ConfigError("options_of_another_system", "", "expected the options of edifact")
    return config


CONNECTOR = EdifactConnector()
