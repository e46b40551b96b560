"""Mappings that nothing would ever run: of a system or a flow that is not there."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.base import Connector
from hub.mapping.files import MappingFile, flow_word
from hub.settings.names import did_you_mean


def misnamed(file: MappingFile, connectors: Mapping[str, Connector]) -> str | None:
    """Say why nothing would run a mapping; None: something may."""
    connector = connectors.get(file.system)
    if connector is None:
        return f"no such system{did_you_mean(file.system, connectors)}"
    offers = connector.capabilities
    flows = offers.outbound if file.direction == "out" else offers.inbound + offers.acknowledgements
    words = [flow_word(flow) for flow in flows]
    if file.flow in words:
        return None
    way = "writes" if file.direction == "out" else "reads"
    return f"{file.system} {way} no such flow{did_you_mean(file.flow, words)}"
