"""What an X12 source document may hold: all that the guides of its set have, in any release."""

from __future__ import annotations

from collections.abc import Iterable

from connectors.base import Json
from connectors.json_fields import Options
from connectors.x12.agreed import Agreed, PartnerGuides
from connectors.x12.engine.guide import AREAS, releases
from connectors.x12.engine.levels import KEY as LEVELS
from connectors.x12.engine.place import Loop, Slot


def x12_fields(flow: str, agreed: Iterable[Options] = ()) -> Json | None:
    """See `connectors.fields.Fields`."""
    own = [PartnerGuides.model_validate(options.get("guides", {})) for options in agreed]
    guides = [
        guide
        for each in (PartnerGuides(), *own)
        for release in releases()
        if (guide := Agreed(each).guide(flow, release)) is not None
    ]
    if not guides:
        return None
    body: Json = dict.fromkeys(("transaction_set", "version", "control_number"))
    for guide in guides:
        for area in AREAS:
            table = body.setdefault(area, {})
            for item in guide.root.items:
                if item.area == area and item is not guide.begin:
                    _add(table, item)
    levels = body["detail"].get(LEVELS)
    if levels:
        levels[0][LEVELS] = levels  # they nest as their sender says (X12.6, HL)
    return body


def _add(node: Json, item: Slot | Loop) -> None:
    """Add a segment or loop to what its loop may hold."""
    key = item.tag if isinstance(item, Slot) else item.key
    held = node.setdefault(key, {} if item.maximum == 1 else [{}])
    part = held[0] if isinstance(held, list) else held
    if isinstance(item, Loop):
        for each in item.items:
            _add(part, each)
        return
    part.update(dict.fromkeys(item.rule.keys))
    for position in item.rule.composites:
        name = item.rule.keys[position - 1]
        components = item.rule.elements[position - 1].components
        part[name] = {f"{name}{n:02d}": None for n in range(1, len(components) + 1)}
