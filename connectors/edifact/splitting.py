"""Messages that report on many things, as one document for each thing.

An INVRPT reports stock of many items at many places, an IFTSTA the status of many consignments;
what the hub keeps is one position and one consignment. Each document keeps the heading and holds
one line and place (INVRPT), or one consignment (IFTSTA), in the message's own order.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Node = dict[str, Any]
Areas = dict[str, Node]


def split(message: str, areas: Areas) -> list[tuple[str, Areas]]:
    """The documents of a message: (where in it, its sections)."""
    detail = areas.get("detail", {})
    if message == "INVRPT" and len(detail.get("LIN_group", [])) > 0:
        parts = [
            (f" LIN {number}", part)
            for number, line in enumerate(detail["LIN_group"], 1)
            for part in _places(line)
        ]
        return [(where, {**areas, "detail": {"LIN_group": [part]}}) for where, part in parts]
    if message == "IFTSTA" and len(detail.get("CNI_group", [])) > 1:
        return [
            (f" CNI {number}", {**areas, "detail": {"CNI_group": [consignment]}})
            for number, consignment in enumerate(detail["CNI_group"], 1)
        ]
    return [("", areas)]


def _places(line: Node) -> Iterator[Node]:
    """A line of an INVRPT, once for every place that its quantities are at."""
    quantities: list[Node] = line.get("QTY_group", [])
    places = list(dict.fromkeys(_place(group) for group in quantities))
    if len(places) <= 1:
        yield line
        return
    for place in places:
        mine = [group for group in quantities if _place(group) == place]
        yield {**line, "QTY_group": mine}


def _place(group: Node) -> str:
    found = next((loc.get("LOC0201") for loc in group.get("LOC", [])), None)
    return found or ""
