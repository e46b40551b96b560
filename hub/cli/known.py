"""What this hub knows, for the check of a site: its connectors, control points and mappings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from canonical.errors import ConfigError
from connectors.registry import CONNECTORS
from hub.mapping.files import SUFFIX, flow_word, read_mapping, shipped_mappings
from hub.mapping.misnamed import misnamed
from hub.reconcile.runner import JOBS
from hub.release.control_points import CONTROL_POINTS
from hub.settings.check_parts import Known
from hub.settings.model import Route

_USE = re.compile(r"\$connection\b(?:\.(\w+))?")
"""How a mapping reads a binding; without a name it takes them all."""


def known() -> Known:
    """Everything that a site may refer to."""
    return Known(CONNECTORS, CONTROL_POINTS.keys(), _has_mapping, JOBS, _bindings, _own_mappings)


def _has_mapping(system: str, route: Route) -> bool:
    name = f"{route.entity}.{flow_word(route.flow)}{SUFFIX}"
    return (shipped_mappings() / system / name).is_file()


def _bindings(system: str, own: Path | None) -> frozenset[str] | None:
    folders = [shipped_mappings() / system, *([own / system] if own is not None else [])]
    texts = [path.read_text("utf-8") for each in folders for path in each.glob(f"*{SUFFIX}")]
    uses = [use for text in texts for use in _USE.findall(text)]
    return None if "" in uses else frozenset(uses)


def _own_mappings(folder: Path) -> Iterator[str]:
    for path in sorted(folder.glob(f"*/*{SUFFIX}")):
        try:
            file = read_mapping(path, folder)
        except ConfigError as error:
            yield f"{error.where}: {error.detail}"
            continue
        if wrong := misnamed(file, CONNECTORS):
            yield f"{path.parent.name}/{path.name}: {wrong}"
