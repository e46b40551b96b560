"""Business Central as the hub sees it."""

from __future__ import annotations

from canonical.errors import ConfigError
from connectors.base import Capabilities, ConnectorConfig
from connectors.business_central.api import LIMITS
from connectors.business_central.client import ACTIONS, BusinessCentralClient
from connectors.business_central.codec import INBOUND, OUTBOUND, BusinessCentralCodec
from connectors.business_central.config import BusinessCentralConfig
from connectors.business_central.poller import BusinessCentralPoller
from connectors.reach import Reach


class BusinessCentralConnector:
    """Polled and written; it does not call us (its notifications are unsigned and carry ids only)."""

    name = "business_central"
    config: type[ConnectorConfig] = BusinessCentralConfig
    capabilities = Capabilities(
        inbound=INBOUND,
        outbound=OUTBOUND,
        actions=ACTIONS,
        can_look_up=True,
        # externalDocumentNumber is not unique there: the same order twice is two orders.
        idempotent=False,
        transports=("poll", "webhook"),  # webhook: only called
    )

    def codec(self, config: ConnectorConfig) -> BusinessCentralCodec:
        """The codec."""
        _own(config)
        return BusinessCentralCodec()

    def client(self, config: ConnectorConfig, reach: Reach) -> BusinessCentralClient:
        """The client."""
        return BusinessCentralClient(_own(config), transport=reach.transport(limits=LIMITS))

    def poller(self, config: ConnectorConfig, reach: Reach) -> BusinessCentralPoller:
        """The poller."""
        return BusinessCentralPoller(_own(config), transport=reach.transport(limits=LIMITS))

    def webhook(self, config: ConnectorConfig) -> None:
        """None: it does not call us."""
        _own(config)


def _own(config: ConnectorConfig) -> BusinessCentralConfig:
    if not isinstance(config, BusinessCentralConfig):
        expected = "expected the options of business_central"
        raise ConfigError("options_of_another_system", "", expected)
    return config


CONNECTOR = BusinessCentralConnector()
