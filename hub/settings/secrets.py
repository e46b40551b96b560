"""Secrets by reference: the configuration says where a secret is, never what it is.

``env:NAME`` is the value of an environment variable, ``file:/path`` the content of a file (one
trailing newline is dropped). References are resolved late, where a client is built; the resolved
value enters no settings model, so no `repr` or error can show it.

Codes: ``secret_inline`` (a value instead of a reference), ``secret_unset`` (the variable or file is
missing or empty), ``secret_unreadable`` (the file cannot be read, or is larger than 64 kB).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from canonical.errors import ConfigError
from hub.settings.places import OptionPath, dotted

SECRET_WORDS = frozenset(
    {"secret", "secrets", "token", "tokens", "password", "passwords", "key", "keys", "passphrase"}
)
"""An option whose name ends in one of these words is a secret: ``client_secret``, ``api-key``, and
not ``token_url``."""

_REFERENCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:.+", re.DOTALL)
_FILE_BYTES = 65_536


def is_reference(value: object) -> bool:
    """Whether the value has the form of a reference."""
    return isinstance(value, str) and _REFERENCE.fullmatch(value) is not None


def is_secret_name(name: str) -> bool:
    """Whether an option of this name holds a secret."""
    words = re.split(r"[^a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower())
    return words[-1] in SECRET_WORDS


def has_password(url: str) -> bool:
    """Whether a URL (or one of several with commas) carries a password, and so is a secret."""
    parts = [urlsplit(part) for part in url.split(",")]
    # libpq takes `?password=` too.
    queries = {name for part in parts for name, _ in parse_qsl(part.query)}
    return any(part.password for part in parts) or any(map(is_secret_name, queries))


def secret_values(options: Mapping[str, Any]) -> Iterator[tuple[OptionPath, object]]:
    """The path and value of every secret among a connection's options, at any depth."""
    for name, value in options.items():
        yield from _below((name,), value, is_secret_name(name))


def _below(
    path: OptionPath,
    value: object,
    secret: bool,  # noqa: FBT001 - the walk's state
) -> Iterator[tuple[OptionPath, object]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _below((*path, name), inner, secret or is_secret_name(str(name)))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _below((*path, index), inner, secret)
    elif secret:
        yield path, value


def resolve(reference: str, where: str, environ: Mapping[str, str] | None = None) -> str:
    """The secret itself.

    Args:
        reference: ``env:NAME`` or ``file:/path``.
        where: who needs it, for the error: ``connections.shop.options.secret``.
        environ: the environment; the process's own by default.

    Raises:
        ConfigError: ``secret_inline``, ``secret_unset``, ``secret_unreadable``.

    """
    if not is_reference(reference):
        raise ConfigError("secret_inline", where, "expected env:NAME or file:/path")
    kind, _, place = reference.partition(":")
    if kind == "file":
        return _from_file(Path(place), where)
    value = (os.environ if environ is None else environ).get(place, "")
    if not value:
        raise ConfigError("secret_unset", where, f"environment variable {place} is not set")
    return value


def resolve_options(
    options: Mapping[str, Any], where: str, environ: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """A connection's options with every secret in place, for the connector's config model.

    Raises:
        ConfigError: as `resolve`.

    """
    resolved: dict[str, Any] = _copy(options)
    for path, value in secret_values(options):
        place = f"{where}.{dotted(path)}"
        holder: Any = resolved
        for step in path[:-1]:
            holder = holder[step]
        holder[path[-1]] = resolve(str(value), place, environ)
    return resolved


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _copy(inner) for name, inner in value.items()}
    return [_copy(inner) for inner in value] if isinstance(value, list | tuple) else value


def _from_file(path: Path, where: str) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_FILE_BYTES + 1)
        text = content.decode()
    except FileNotFoundError as error:
        raise ConfigError("secret_unset", where, f"file {path} is not there") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("secret_unreadable", where, f"file {path} cannot be read") from error
    if len(content) > _FILE_BYTES:
        raise ConfigError("secret_unreadable", where, f"file {path} is larger than 64 kB")
    secret = text.removesuffix("\n").removesuffix("\r")
    if not secret:
        raise ConfigError("secret_unset", where, f"file {path} is empty")
    return secret
