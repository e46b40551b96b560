"""Checks of bindings: a name that no mapping of the system reads is misspelt, or for nothing.

Code: ``binding_unknown``.
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
