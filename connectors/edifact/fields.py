"""What an EDIFACT source document may hold: all that the guides of its message have, in any release."""

from __future__ import annotations

from collections.abc import Iterable

from connectors.base import Json
from connectors.edifact.engine.directory import guides, messages
from connectors.edifact.engine.guide import Group, Slot
from connectors.json_fields import Options

_OCCURRENCES = ("", *(f"_{n}" for n in range(2, 10)))
"""Syntax version 4 lets an element repeat; beyond nine times nobody has been seen to."""


def edifact_fields(flow: str, _agreed: Iterable[Options] = ()) -> Json | None:
    """See `connectors.fields.Fields`; a partner's guide only leaves out, so it adds nothing."""
    if flow not in messages():
        return None
    body: Json = dict.fromkeys(("message", "version", "reference", "association"))
    for guide in guides(flow):
        for item in guide.root.items:
            if item is not guide.begin:
                _add(body.setdefault(item.area, {}), item)
    packages = body.get("detail", {}).get("CPS_group", [])
    for held in (body.get("detail", {}), *packages):
        for key in ("CPS_group", "LIN_group"):  # which `engine.packing` nests
            if key in held:
                held[key][0].setdefault(key, held[key])
    return body


def _add(node: Json, item: Slot | Group) -> None:
    """Add a segment or group to what its group may hold."""
    if isinstance(item, Group):
        part = node.setdefault(item.key, [{}])[0]
        for each in item.items:
            _add(part, each)
        return
    held = node.setdefault(item.tag, {} if item.maximum == 1 else [{}])
    part = held[0] if isinstance(held, list) else held
    for keys in item.keys:
        part.update({key + time: None for key in keys for time in _OCCURRENCES})
