"""Reads the configuration: shipped defaults, then the site's file, then the environment.

Every mistake comes back with its place, all of them at once. Codes: those of `yaml_file`,
`environment`, `problems` and `secrets`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from canonical.errors import ConfigError
from hub.settings.environment import read_environment
from hub.settings.model import Site
from hub.settings.places import Layer, OptionPath, SettingsError, dotted
from hub.settings.problems import problems, without
from hub.settings.secrets import has_password, is_reference, secret_values
from hub.settings.yaml_file import read_yaml

DEFAULTS = Path(__file__).parents[2] / "config" / "defaults.yaml"
"""Beside `hub/`, in the checkout and in the wheel alike."""

_URLS = ("nats_url", "database_url", "redis_url")


@dataclass(frozen=True, slots=True)
class Loaded:
    """The site, and where each of its values was written."""

    site: Site
    layer: Layer


def load(path: Path) -> Loaded:
    """Read a site's configuration.

    Args:
        path: the site's YAML file.

    Raises:
        SettingsError: with every mistake found and its ``file:line``.

    """
    loaded, found = read(path)
    if found or loaded is None:
        raise SettingsError(found)
    return loaded


def read(path: Path) -> tuple[Loaded | None, list[ConfigError]]:
    """Read a site's configuration as far as it can be read.

    Returns:
        The site, without the values that were refused, or None where what is left makes no site;
        and every mistake.

    Raises:
        SettingsError: the file itself cannot be read, or is no YAML of ours.

    """
    layer = read_yaml(DEFAULTS, os.environ).under(read_yaml(path, os.environ))
    environment = read_environment()
    layer = _in_data_dir(layer.under(environment), environment, path.parent)
    found = list(_inline_secrets(layer))
    try:
        return Loaded(Site.model_validate(layer.values), layer), found
    except ValidationError as error:
        found = [*(_in(path, each) for each in problems(error, Site, layer)), *found]
        rest = without(error, layer.values)
    try:
        return Loaded(Site.model_validate(rest), layer), found
    except ValidationError:
        return None, found


def _in(path: Path, problem: ConfigError) -> ConfigError:
    """Put what is missing into the site's own file: nobody writes into the defaults."""
    if not problem.where.startswith(f"{DEFAULTS}:"):
        return problem
    return ConfigError(problem.code, f"{path}:1", problem.detail)


def _in_data_dir(layer: Layer, environment: Layer, folder: Path) -> Layer:
    """Replace ``{data_dir}`` in every text by the data folder.

    One site has one data folder, from wherever it is started: a relative one counts from the
    site's file. In the environment it is the shell's, and counts from where the shell is.
    """
    data_dir = layer.values.get("data_dir") or Site.model_fields["data_dir"].default
    values = layer.values
    if "data_dir" not in environment.values and isinstance(data_dir, str | Path):
        data_dir = folder / data_dir
        values = {**values, "data_dir": data_dir}
    return Layer(_filled(values, str(data_dir)), layer.places)


def _filled(value: Any, data_dir: str) -> Any:
    if isinstance(value, dict):
        return {name: _filled(inner, data_dir) for name, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, data_dir) for inner in value]
    return value.replace("{data_dir}", data_dir) if isinstance(value, str) else value


def _inline_secrets(layer: Layer) -> Iterator[ConfigError]:
    """Secrets that stand in the file themselves."""
    for path, value in _secrets(layer.values):
        if value is not None and not is_reference(value):
            detail = f"{dotted(path)}: a secret is written as env:NAME or file:/path"
            yield ConfigError("secret_inline", layer.place(path), detail)
    for option in _URLS:
        url = _section(layer.values, "servers").get(option)
        if isinstance(url, str) and not is_reference(url) and has_password(url):
            path = ("servers", option)
            detail = f"{dotted(path)}: a URL with a password is written as env:NAME or file:/path"
            yield ConfigError("secret_inline", layer.place(path), detail)


def _secrets(values: dict[str, Any]) -> Iterator[tuple[OptionPath, object]]:
    for name, connection in _section(values, "connections").items():
        if isinstance(connection, dict):
            for part in ("options", "transport"):
                for path, value in secret_values(_section(connection, part)):
                    yield ("connections", name, part, *path), value
    for name, token in _section(values, "api_tokens").items():
        yield ("api_tokens", name), token


def _section(values: dict[str, Any], name: str) -> dict[str, Any]:
    """A section as it was written, which need not be a mapping yet."""
    section = values.get(name)
    return section if isinstance(section, dict) else {}
