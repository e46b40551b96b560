"""What runs: the parts of a hub whose change can be the cause of what fails afterwards."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version

import orjson
from pydantic import BaseModel

from hub.mapping.files import MappingFile
from hub.settings.model import Site

_WHOLE = ("connections", "partners")
"""Sections of which every entry is a part of its own."""
_SILENT = ("data_dir", "servers", "http", "api_tokens", "api_roles", "otlp_endpoint")
"""Sections that say nothing about how documents are treated."""


def installed() -> str:
    """Return the version of the hub; "" where it runs from a folder that was not installed."""
    try:
        return version("crossdock")
    except PackageNotFoundError:
        return ""


def parts(site: Site, mappings: Iterable[MappingFile]) -> dict[str, str]:
    """Return a short hash for each part of a site and each mapping, by a name for people.

    Secrets are references there, and hashed like all else: a part tells that it changed, not what.
    """
    found = {f"mapping {each.system}/{each.path.stem}": each.version for each in mappings}
    for name in type(site).model_fields:
        section = getattr(site, name)
        if name in _SILENT:
            continue
        if name in _WHOLE and isinstance(section, Mapping):
            found |= {f"{name[:-1]} {key}": _hash(entry) for key, entry in section.items()}
        else:
            found[f"section {name}"] = _hash(section)
    return found


def _hash(value: object) -> str:
    text = orjson.dumps(value, default=_plain, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text).hexdigest()[:12]


def _plain(value: object) -> object:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else str(value)
