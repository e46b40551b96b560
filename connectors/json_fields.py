"""The fields of a JSON system's documents, as its connector's ``fields.json`` lists them.

The file has one entry a flow, in the shape of a document: an object, a list of the one thing that it
repeats, null for a value. A text names another entry: what stands in many places is listed once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any

from connectors.base import Json

Options = Mapping[str, Any]
"""The options of a connection."""


class JsonFields:
    """Implements `connectors.fields.Fields` with a table in the system's folder."""

    def __init__(self, package: str) -> None:
        """Take the folder.

        Args:
            package: of the connector, such as ``connectors.shopify``.
        """
        self._file = files(package) / "fields.json"

    def __call__(self, flow: str, _agreed: Iterable[Options] = ()) -> Json | None:
        """Return what a document of a flow may hold; None where the flow is not listed."""
        table = json.loads(self._file.read_text(encoding="utf-8"))
        return _resolved(table[flow], table) if flow in table else None


def _resolved(part: Any, table: Json) -> Any:
    if isinstance(part, str):
        return _resolved(table[part], table)
    if isinstance(part, dict):
        return {name: _resolved(each, table) for name, each in part.items()}
    return [_resolved(each, table) for each in part] if isinstance(part, list) else part
