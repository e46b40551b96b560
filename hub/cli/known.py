"""What this hub knows, for the check of a site: its connectors, control points and mappings."""

from __future__ import annotations

from connectors.registry import CONNECTORS
from hub.mapping.files import SUFFIX, flow_word, shipped_mappings
from hub.reconcile.runner import JOBS
from hub.release.control_points import CONTROL_POINTS
from hub.settings.check_parts import Known
from hub.settings.model import Route


def known() -> Known:
    """Everything that a site may refer to."""
    return Known(CONNECTORS, CONTROL_POINTS.keys(), _has_mapping, JOBS)


def _has_mapping(system: str, route: Route) -> bool:
    name = f"{route.entity}.{flow_word(route.flow)}{SUFFIX}"
    return (shipped_mappings() / system / name).is_file()
