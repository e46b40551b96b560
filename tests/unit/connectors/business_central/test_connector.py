"""The connector: builds its parts from its own options and from nobody else's."""

from __future__ import annotations

import pytest

from canonical.errors import ConfigError
from connectors.base import Client, Codec, Connector, ConnectorConfig, Poller
from connectors.business_central import CONNECTOR
from tests.support.business_central import options
from tests.support.reach import ANYWHERE


def test_it_builds_what_it_claims() -> None:
    connector: Connector = CONNECTOR
    config = options()
    codec: Codec = connector.codec(config)
    client: Client | None = connector.client(config, ANYWHERE)
    poller: Poller | None = connector.poller(config, ANYWHERE)
    assert codec is not None
    assert client is not None
    assert poller is not None
    assert connector.webhook(config) is None
    assert set(poller.flows) <= set(connector.capabilities.inbound)
    assert connector.capabilities.can_look_up
    assert not connector.capabilities.idempotent


def test_options_of_another_system_are_refused() -> None:
    for build in (CONNECTOR.codec, CONNECTOR.webhook):
        with pytest.raises(ConfigError, match="options_of_another_system"):
            build(ConnectorConfig())
    for called in (CONNECTOR.client, CONNECTOR.poller):
        with pytest.raises(ConfigError, match="options_of_another_system"):
            called(ConnectorConfig(), ANYWHERE)
