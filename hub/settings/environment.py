"""What the environment says on top of the files, read by pydantic-settings.

``CROSSDOCK_<SECTION>__<OPTION>`` sets one option: ``CROSSDOCK_HTTP__PORT=9000``; lists are JSON.
Partners, connections, routes and tokens come from files alone. ``NATS_URL``, ``DATABASE_URL`` and
``REDIS_URL``, as hosters set them, count like ``CROSSDOCK_SERVERS__...``, which goes first. A URL
enters the settings as a reference (``env:DATABASE_URL``): it may hold a password.

A variable with ``CROSSDOCK_`` and ``__`` in its name that fits no option is refused: it is a
misspelt one. Codes: ``option_unknown``, ``value_invalid``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict, SettingsError

from canonical.errors import ConfigError
from hub.settings import places
from hub.settings.model import (
    ControlPoints,
    DeadLetters,
    Http,
    Reconcile,
    Retention,
    Retry,
    Servers,
    Workers,
)
from hub.settings.names import no_such_option
from hub.settings.places import Layer, OptionPath

PREFIX = "CROSSDOCK_"
_DELIMITER = "__"
_URLS = {"nats_url": "NATS_URL", "database_url": "DATABASE_URL", "redis_url": "REDIS_URL"}


class Overridable(BaseSettings):
    """The options that the environment may set; the same names and types as in `Site`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter=_DELIMITER)

    data_dir: Path | None = None
    otlp_endpoint: str | None = None
    servers: Servers | None = None
    http: Http | None = None
    workers: Workers | None = None
    retry: Retry | None = None
    control_points: ControlPoints | None = None
    reconcile: Reconcile | None = None
    dead_letters: DeadLetters | None = None
    retention: Retention | None = None


def read_environment() -> Layer:
    """The options that this process's environment sets.

    Raises:
        places.SettingsError: with every variable that cannot be used.

    """
    names = {name.lower(): name for name in os.environ if name.upper().startswith(PREFIX)}
    problems = list(_misspelt(names.values()))
    try:
        values: dict[str, Any] = EnvSettingsSource(Overridable)()
    except SettingsError as error:
        detail = "a list or a mapping is written as JSON"
        problems.append(ConfigError("value_invalid", "environment", f"{error}; {detail}"))
    if problems:
        raise places.SettingsError(problems)
    found = {_path(name): f"environment {original}" for name, original in names.items()}
    _add_urls(values, found, names)
    return Layer(values, found)


def _path(name: str) -> OptionPath:
    return tuple(name.lower().removeprefix(PREFIX.lower()).split(_DELIMITER))


def _misspelt(names: Iterable[str]) -> Iterable[ConfigError]:
    for name in names:
        problem = no_such_option(Overridable, _path(name)) if _DELIMITER in name else None
        if problem:
            yield ConfigError("option_unknown", f"environment {name}", problem)


def _add_urls(
    values: dict[str, Any], found: dict[OptionPath, str], names: Mapping[str, str]
) -> None:
    for option, plain in _URLS.items():
        name = names.get(f"{PREFIX}servers{_DELIMITER}{option}".lower(), plain)
        if os.environ.get(name):
            values.setdefault("servers", {})[option] = f"env:{name}"
            found["servers", option] = f"environment {name}"
