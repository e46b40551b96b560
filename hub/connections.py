"""Connections at run time: the connector of each, its options with secrets, its parts."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationError

from canonical.errors import ConfigError
from connectors.base import Client, Connector, ConnectorConfig, Poller, Webhook
from connectors.reach import Reach
from connectors.registry import CONNECTORS
from hub.delivery.carriers import Books, Sending, carrier
from hub.delivery.folder_client import CAPABILITIES as FOLDER
from hub.delivery.folder_client import FolderClient
from hub.delivery.parts import TargetSpec
from hub.settings.model import Connection, FolderTransport, Site
from hub.settings.secrets import resolve_options
from hub.settings.transports import As2Transport, FtpsTransport, SftpTransport


@dataclass(frozen=True, slots=True)
class Live:
    """One connection with its connector and its resolved options."""

    name: str
    connection: Connection
    connector: Connector
    config: ConnectorConfig
    reach: Reach
    """Where its calls may go."""

    def webhook(self) -> Webhook | None:
        """Return the verifier of the connection's webhooks, if it calls us."""
        if self.connection.transport.kind != "webhook":
            return None
        return self.connector.webhook(self.config)

    def poller(self) -> Poller | None:
        """Return the poller, if we poll the connection."""
        if self.connection.transport.kind != "poll":
            return None
        return self.connector.poller(self.config, self.reach)

    def target(self, books: Books | None = None) -> TargetSpec | None:
        """Return the connection as a target of deliveries, or None where nothing can be sent.

        Args:
            books: the ledger, without which AS2 and mailboxes cannot tell what has been sent; then
                they are no targets.
        """
        transport = self.connection.transport
        scope, suffix = self.config.control_scope, self.config.file_suffix
        if isinstance(transport, As2Transport | SftpTransport | FtpsTransport):
            return None if books is None else self._carried(transport, books)
        if isinstance(transport, FolderTransport):
            if transport.outbox is None:
                return None
            client: Client = FolderClient(transport.outbox)
            return TargetSpec(
                self.name, client, FOLDER, self.connection.limits, scope, file_suffix=suffix
            )
        found = self.connector.client(self.config, self.reach)
        if found is None:
            return None
        capabilities = self.connector.capabilities
        return TargetSpec(
            self.name, found, capabilities, self.connection.limits, scope, file_suffix=suffix
        )

    def _carried(
        self, transport: As2Transport | SftpTransport | FtpsTransport, books: Books
    ) -> TargetSpec | None:
        limits, suffix = self.connection.limits, self.config.file_suffix
        found = carrier(self.name, transport, Sending(limits, suffix, self.reach), books)
        if found is None:
            return None
        client, capabilities = found
        scope = self.config.control_scope
        return TargetSpec(self.name, client, capabilities, limits, scope, file_suffix=suffix)


def live(site: Site) -> dict[str, Live]:
    """Build every connection of a site.

    Raises:
        ConfigError: ``system_unknown``, ``options_invalid``, or a secret that is not there.
    """
    reach = Reach(site.servers.allow_private_networks)
    return {name: _live(name, each, reach) for name, each in site.connections.items()}


def _live(name: str, connection: Connection, reach: Reach) -> Live:
    where = f"connections.{name}"
    connector = CONNECTORS.get(connection.system)
    if connector is None:
        known = ", ".join(sorted(CONNECTORS))
        raise ConfigError("system_unknown", f"{where}.system", f"known systems: {known}")
    options = resolve_options(connection.options, f"{where}.options")
    try:
        config = connector.config.model_validate(options)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join([where, "options", *map(str, first["loc"])])
        raise ConfigError(
            "options_invalid", place, first["msg"].removeprefix("Value error, ")
        ) from None
    return Live(name, connection, connector, config, reach)
