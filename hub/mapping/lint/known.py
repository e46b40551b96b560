"""What is known of a mapping's source: what its connector says, and its worked cases."""

from __future__ import annotations

from collections.abc import Iterable

from connectors.base import Json
from connectors.fields import FIELDS, Options
from connectors.registry import CONNECTORS
from hub.mapping.cases import read_cases
from hub.mapping.files import MappingFile, flow_word, read_mapping, shipped_mappings


def source_fields(file: MappingFile, agreed: Iterable[Options] = ()) -> Json | None:
    """Return what an inbound mapping's source may hold; None where nobody says.

    Args:
        file: the mapping.
        agreed: the options of the connections by which it may come.
    """
    if file.direction == "out" or file.system not in FIELDS:
        return None
    for flow in CONNECTORS[file.system].capabilities.inbound:
        if flow_word(flow) == file.flow:
            return FIELDS[file.system](flow, agreed)
    return None


def sources(file: MappingFile) -> list[Json]:
    """What worked cases map: those beside a mapping, or of the shipped one that it would replace."""
    beside = [case.source for case in read_cases(file)]
    shipped = shipped_mappings() / file.system / file.path.name
    if beside or not shipped.is_file():
        return beside
    return [case.source for case in read_cases(read_mapping(shipped, shipped_mappings()))]
