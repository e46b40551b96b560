"""What a worker builds once and uses for every document: codecs, compiled mappings, bindings."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationError

from canonical.errors import ConfigError
from connectors.base import Codec, Json
from hub.mapping.engine import Limits
from hub.mapping.jsonatapy_engine import JsonatapyMapping
from hub.mapping.library import Compile, Library
from hub.mapping.refused import Refused
from hub.mapping.validation import field_path
from hub.mapping.values import check_source
from hub.workers.spec import ConnectionSpec, WorkerSpec

_DEPTH = 32


@dataclass(frozen=True, slots=True)
class Bound:
    """One connection with its codec and the bindings that all its documents share."""

    system: str
    codec: Codec
    bindings: Json
    acknowledgements: frozenset[str]
    """Flows that only acknowledge what we sent: recorded, never mapped."""


class Tools:
    """Belongs to the thread that makes it, as compiled mappings do.

    Raises:
        ConfigError: options, bindings or mappings are wrong.

    """

    def __init__(self, spec: WorkerSpec, compile_: Compile = JsonatapyMapping) -> None:
        self.library = Library(spec.mappings, Limits(), compile_)
        self._connections = {
            name: _bind(name, connection, spec) for name, connection in spec.connections.items()
        }

    def connection(self, name: str) -> Bound:
        """The connection of that name.

        Raises:
            ConfigError: ``connection_unknown``.

        """
        found = self._connections.get(name)
        if found is None:
            raise ConfigError("connection_unknown", f"connections.{name}", "no such connection")
        return found


def _bind(name: str, connection: ConnectionSpec, spec: WorkerSpec) -> Bound:
    connector = spec.connectors.get(connection.system)
    if connector is None:
        raise ConfigError("system_unknown", f"connections.{name}.system", "no such connector")
    try:
        check_source(connection.bindings, _DEPTH)
    except Refused:
        place = f"connections.{name}.bindings"
        detail = "expected plain values; write decimals and dates as quoted text"
        raise ConfigError("binding_not_plain", place, detail) from None
    try:
        config = connector.config.model_validate(connection.options)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = f"connections.{name}.options.{field_path(first['loc'])}"
        raise ConfigError(
            "options_invalid", place, first["msg"].removeprefix("Value error, ")
        ) from None
    return Bound(
        connection.system,
        connector.codec(config),
        {"partner": connection.partner, "connection": connection.bindings},
        frozenset(connector.capabilities.acknowledgements),
    )
