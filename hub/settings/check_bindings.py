"""Checks of what is for mappings: what nothing would read or run is misspelt, or for nothing.

Codes: ``binding_unknown`` (no mapping of the system reads it), ``mapping_unknown`` (a mapping of
the site's own of a system or a flow that is not there, or of another name than mappings have).
"""

from __future__ import annotations

from hub.settings.check_parts import Known, Problems, problem
from hub.settings.loader import Loaded
from hub.settings.names import did_you_mean


def check_bindings(loaded: Loaded, known: Known) -> Problems:
    """All bindings that nothing reads."""
    if known.bindings is None:
        return
    for name, connection in loaded.site.connections.items():
        if not connection.bindings or connection.system not in known.connectors:
            continue
        read = known.bindings(connection.system, loaded.site.mappings)
        for binding in connection.bindings:
            if read is not None and binding not in read:
                detail = f"no mapping of {connection.system} reads it{did_you_mean(binding, read)}"
                path = ("connections", name, "bindings", binding)
                yield problem(loaded, "binding_unknown", path, detail)


def check_own_mappings(loaded: Loaded, known: Known) -> Problems:
    """All mappings of the site's own that nothing would run."""
    folder = loaded.site.mappings
    if known.own_mappings is not None and folder is not None:
        for wrong in known.own_mappings(folder):
            yield problem(loaded, "mapping_unknown", ("mappings",), wrong)
