"""Sets that report on many things, as one document for each thing.

An 846 reports stock of many items at many places; what the hub keeps is one position. Each document
keeps the heading and holds one item at one place, in the set's own order.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Node = dict[str, Any]
Areas = dict[str, Node]


def split(identifier: str, areas: Areas) -> list[tuple[str, Areas]]:
    """The documents of a set: (where in it, its tables)."""
    if identifier != "846":
        return [("", areas)]
    items = areas.get("detail", {}).get("LIN_loop", [])
    parts = [
        (f" LIN {number}", part) for number, item in enumerate(items, 1) for part in _places(item)
    ]
    if not parts:
        return [("", areas)]
    return [(where, {**areas, "detail": {"LIN_loop": [part]}}) for where, part in parts]


def _places(item: Node) -> Iterator[Node]:
    """An item, once for every place that has quantities of its own."""
    places = [loop for loop in item.get("N1_loop", []) if "QTY_loop" in loop]
    if not places:
        yield item
    for place in places:
        own = {**item, "N1_loop": [place]}
        own.pop("QTY_loop", None)  # what all places have together
        yield own
