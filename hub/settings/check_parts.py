"""Checks of servers, partners, control points and connections: whether they fit together.

Codes:

- ``system_unknown``, ``partner_unknown``, ``connection_unknown``, ``currency_unknown``
- ``control_point_unknown``, ``control_point_repeated``
- ``option_unknown``, ``option_missing``, ``value_invalid``: a connector's own options
- ``address_private``: a connection to a private network, which `servers` does not allow
- ``transport_unusable``: a transport by which nothing of the system comes or goes
- ``flow_unknown``: a polled collection that the system does not offer
- ``folder_shared``, and those of `hub.settings.check_transports`
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from canonical.currency import MINOR_UNITS
from canonical.errors import ConfigError
from connectors.base import Connector
from hub.settings.check_transports import check_names, check_transport
from hub.settings.loader import Loaded
from hub.settings.model import Connection, FolderTransport, PollTransport, Route
from hub.settings.names import did_you_mean
from hub.settings.network import is_private_url
from hub.settings.places import OptionPath, dotted
from hub.settings.problems import problems
from hub.settings.secrets import is_reference, resolve, secret_values

_SCHEMES = {
    "nats_url": ("nats", "tls"),
    "database_url": ("postgresql", "postgres"),
    "redis_url": ("redis", "rediss", "unix"),
}
_STAND_IN = "x" * 64
"""For a secret that is not set where the check runs: long enough for every connector."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the site's parts are checked against."""

    connectors: Mapping[str, Connector]
    control_points: Collection[str]
    has_mapping: Callable[[str, Route], bool]
    """Whether there is a mapping for a route to a system."""
    jobs: Collection[str] = ()
    """The jobs of reconciliation; none: their names are not checked."""
    bindings: Callable[[str, Path | None], Collection[str] | None] | None = None
    """The names that mappings of a system read, with a site's own folder of mappings; None: one of
    them could read any."""
    own_mappings: Callable[[Path], Iterable[str]] | None = None
    """What is wrong with the names of a site's own mappings, in words."""


Problems = Iterator[ConfigError]


def check_parts(loaded: Loaded, known: Known) -> Problems:
    """All that does not fit in servers, partners, control points and connections."""
    yield from _servers(loaded)
    yield from _partners(loaded)
    yield from _control_points(loaded, known)
    for name, connection in loaded.site.connections.items():
        path: OptionPath = ("connections", name)
        yield from _connection(loaded, known, path, connection)
    yield from _shared_folders(loaded)
    yield from check_names(loaded)


def problem(loaded: Loaded, code: str, path: OptionPath, detail: str) -> ConfigError:
    """An error at the place of a value."""
    return ConfigError(code, loaded.layer.place(path), f"{dotted(path)}: {detail}")


def _servers(loaded: Loaded) -> Problems:
    for option, schemes in _SCHEMES.items():
        url: str | None = getattr(loaded.site.servers, option)
        if url and not is_reference(url) and urlsplit(url).scheme not in schemes:
            detail = f"expected {' or '.join(f'{scheme}://' for scheme in schemes)}"
            yield problem(loaded, "value_invalid", ("servers", option), detail)


def _partners(loaded: Loaded) -> Problems:
    for name, partner in loaded.site.partners.items():
        if partner.currency not in MINOR_UNITS:
            path = ("partners", name, "currency")
            yield problem(loaded, "currency_unknown", path, "expected an ISO 4217 code")


def _control_points(loaded: Loaded, known: Known) -> Problems:
    policy = loaded.site.control_points
    for index, name in enumerate(policy.enabled):
        path = ("control_points", "enabled", index)
        if name not in known.control_points:
            hint = did_you_mean(name, known.control_points)
            yield problem(loaded, "control_point_unknown", path, f"no such control point{hint}")
        elif name in policy.enabled[:index]:
            yield problem(loaded, "control_point_repeated", path, "stands there already")
    yield from connection_exists(loaded, ("control_points", "reference"), policy.reference)


def connection_exists(loaded: Loaded, path: OptionPath, name: str) -> Problems:
    """A problem where no connection has this name."""
    if name not in loaded.site.connections:
        hint = did_you_mean(name, loaded.site.connections)
        yield problem(loaded, "connection_unknown", path, f"no such connection{hint}")


def _connection(loaded: Loaded, known: Known, path: OptionPath, connection: Connection) -> Problems:
    if connection.partner not in loaded.site.partners:
        hint = did_you_mean(connection.partner, loaded.site.partners)
        yield problem(loaded, "partner_unknown", (*path, "partner"), f"no such partner{hint}")
    connector = known.connectors.get(connection.system)
    if connector is None:
        hint = did_you_mean(connection.system, known.connectors)
        yield problem(loaded, "system_unknown", (*path, "system"), f"no such connector{hint}")
        return
    yield from _transport(loaded, path, connection, connector)
    yield from _options(loaded, (*path, "options"), connection, connector)


def usable(connector: Connector, connection: Connection) -> bool:
    """Whether documents of the system come or go by the connection's transport."""
    kinds = connector.capabilities.transports
    return not kinds or connection.transport.kind in kinds


def _transport(
    loaded: Loaded, path: OptionPath, connection: Connection, connector: Connector
) -> Problems:
    transport = connection.transport
    yield from check_transport(loaded, path, connection)
    if not usable(connector, connection):
        kinds = " or ".join(connector.capabilities.transports)
        detail = f"{connection.system} cannot use it; expected {kinds}"
        yield problem(loaded, "transport_unusable", (*path, "transport", "kind"), detail)
        return
    if isinstance(transport, PollTransport):
        offered = connector.capabilities.inbound
        for index, flow in enumerate(transport.flows):
            if flow not in offered:
                here = (*path, "transport", "flows", index)
                hint = did_you_mean(flow, offered)
                yield problem(loaded, "flow_unknown", here, f"not a collection of it{hint}")


def _options(
    loaded: Loaded, path: OptionPath, connection: Connection, connector: Connector
) -> Problems:
    options, unset = _with_secrets(connection.options)
    try:
        connector.config.model_validate(options)
    except ValidationError as error:
        # A stand-in may be refused where the secret itself would not be.
        stood_in = {(*path, *secret) for secret in unset}
        yield from problems(error, connector.config, loaded.layer, path, stood_in)
    if not loaded.site.servers.allow_private_networks:
        for option, value in _texts((), connection.options):
            if "://" in value and is_private_url(value):
                detail = "a private address; see servers.allow_private_networks"
                yield problem(loaded, "address_private", (*path, *option), detail)


def _with_secrets(options: Mapping[str, Any]) -> tuple[dict[str, Any], list[OptionPath]]:
    """The options with their secrets, and the paths of those that are not set here."""
    unset: list[OptionPath] = []

    def fill(path: OptionPath, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: fill((*path, name), inner) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return [fill((*path, index), inner) for index, inner in enumerate(value)]
        return secret(path) if path in secrets else value

    def secret(path: OptionPath) -> str:
        try:
            return resolve(str(secrets[path]), dotted(path))
        except ConfigError:
            unset.append(path)
            return f"{_STAND_IN}{len(unset)}"  # each another: they may have to differ

    secrets = dict(secret_values(options))
    return fill((), options), unset


def _texts(path: OptionPath, value: Any) -> Iterator[tuple[OptionPath, str]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _texts((*path, name), inner)
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _texts((*path, index), inner)
    elif isinstance(value, str):
        yield path, value


def _shared_folders(loaded: Loaded) -> Problems:
    """Two ends of different exchanges in one folder would read each other's files."""
    folders: list[tuple[OptionPath, Path]] = []
    for name, connection in loaded.site.connections.items():
        transport = connection.transport
        if isinstance(transport, FolderTransport):
            for end in ("inbox", "outbox"):
                folder = getattr(transport, end)
                if folder is not None:
                    folders.append((("connections", name, "transport", end), folder.resolve()))
    for index, (path, folder) in enumerate(folders):
        for other_path, other in folders[:index]:
            if folder == other or folder in other.parents or other in folder.parents:
                detail = f"the same folder as {dotted(other_path)}, or one inside the other"
                yield problem(loaded, "folder_shared", path, detail)
