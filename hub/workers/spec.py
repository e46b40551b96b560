"""What a worker is told when it starts: connectors, mappings and connections, as plain values.

Codes of the `ConfigError` raised here: ``connection_unknown``, ``system_unknown``,
``binding_not_plain`` and ``options_invalid``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from canonical.errors import ConfigError
from connectors.base import Connector, Json
from hub.mapping.files import MappingFile, mapping_files, overlaid
from hub.settings.model import Site
from hub.settings.secrets import secret_values


@dataclass(frozen=True, slots=True)
class ConnectionSpec:
    """One connection, as far as decoding and mapping go."""

    system: str
    options: Json = field(default_factory=dict)
    """The connector's options, a placeholder in place of every secret: codecs need none."""
    partner: Json = field(default_factory=dict)
    """What mappings read as ``$partner``: key, name, customer_number, currency."""
    bindings: Json = field(default_factory=dict)
    """What mappings read as ``$connection``."""


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """All that a worker builds its tools from; it is pickled once for each process."""

    connectors: Mapping[str, Connector]
    """System -> connector: the registry."""
    mappings: tuple[MappingFile, ...]
    """Their texts as they were when the hub started: a worker that starts later has the same."""
    connections: Mapping[str, ConnectionSpec]


_WITHHELD = "0" * 64
"""Long enough, and plain enough, for what connectors demand of a secret's form."""


def worker_spec(site: Site, connectors: Mapping[str, Connector], mappings: Path) -> WorkerSpec:
    """The spec of a configured hub.

    Args:
        site: its configuration; its own mappings replace the shipped ones of their names.
        connectors: the registry.
        mappings: the shipped mappings.

    Raises:
        ConfigError: ``system_unknown``; a mapping file cannot be read.

    """
    connections = {}
    for name, connection in site.connections.items():
        if connection.system not in connectors:
            place = f"connections.{name}.system"
            raise ConfigError("system_unknown", place, f"known: {', '.join(sorted(connectors))}")
        partner = site.partners[connection.partner]
        facts = {
            "key": connection.partner,
            "name": partner.name,
            "customer_number": partner.customer_number,
            "currency": partner.currency,
        }
        connections[name] = ConnectionSpec(
            connection.system,
            _without_secrets(connection.options),
            {key: value for key, value in facts.items() if value is not None},
            dict(connection.bindings),
        )
    systems = {connection.system for connection in connections.values()}
    own = () if site.mappings is None else mapping_files(site.mappings, systems)
    return WorkerSpec(connectors, overlaid(mapping_files(mappings, systems), own), connections)


def _without_secrets(options: Mapping[str, Any]) -> Json:
    """The options as a process may have them that runs other people's mappings."""
    secret = {path for path, _ in secret_values(options)}

    def plain(path: tuple[str | int, ...], value: Any) -> Any:
        if path in secret:
            return _WITHHELD
        if isinstance(value, Mapping):
            return {name: plain((*path, name), inner) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return [plain((*path, index), inner) for index, inner in enumerate(value)]
        return value

    return {name: plain((name,), value) for name, value in options.items()}
