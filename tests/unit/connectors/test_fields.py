"""What systems' documents may hold: every sample and every worked case fits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.base import Json
from connectors.fields import FIELDS
from connectors.registry import CONNECTORS
from hub.mapping.cases import read_cases
from hub.mapping.files import MappingFile, mapping_files, shipped_mappings
from hub.mapping.lint.known import source_fields

INBOUND = [each for each in mapping_files(shipped_mappings()) if each.direction == "in"]


BEYOND = {"line_items.barcode"}
"""What a worked case has although its system does not send it: an app may add it."""


def strangers(value: Any, fields: Any, place: str = "") -> Iterator[str]:
    """Yield what a document has and the list does not."""
    fields = fields[0] if isinstance(fields, list) else fields
    if isinstance(value, list):
        for each in value:
            yield from strangers(each, fields, place)
    elif isinstance(value, dict) and not (isinstance(fields, dict) and "*" in fields):
        for name, each in value.items():
            inner = f"{place}.{name}".removeprefix(".")
            if not isinstance(fields, dict) or name not in fields:
                yield inner
            else:
                yield from strangers(each, fields[name], inner)


def test_no_system_is_listed_that_there_is_not() -> None:
    assert FIELDS.keys() <= CONNECTORS.keys()


@pytest.mark.parametrize("file", INBOUND, ids=lambda each: each.name)
def test_what_worked_cases_map_is_listed(file: MappingFile) -> None:
    fields = source_fields(file)
    assert fields is not None
    beyond = {each for case in read_cases(file) for each in strangers(case.source, fields)}
    assert beyond <= BEYOND


SAMPLES = {
    "shopify": ("orders/create", "orders_create/business_order.json"),
    "easypost": ("tracker.updated", "tracker_updated/in_transit.json"),
}


@pytest.mark.parametrize("system", SAMPLES)
def test_what_a_sample_holds_is_listed(system: str) -> None:
    flow, name = SAMPLES[system]
    path = Path(__file__).parents[3] / "connectors" / system / "samples" / name
    fields = FIELDS[system](flow)
    assert fields is not None
    assert list(strangers(json.loads(path.read_text()), fields)) == []


def test_a_flow_that_nobody_reads_is_unknown() -> None:
    for fields in FIELDS.values():
        assert fields("no such flow") is None


def test_a_partners_own_segment_is_known_where_it_was_agreed() -> None:
    own: Json = {"name": "Store", "after": "PO1_loop.PO1", "elements": ["127 M", "352 O"]}
    agreed = {"guides": {"850": {"segments": {"ZA1": own}}}}
    line = {"detail": {"PO1_loop": [{"ZA1": {"ZA101": "7", "ZA103": "8"}}]}}
    plain, theirs = FIELDS["x12"]("850"), FIELDS["x12"]("850", [agreed, {}])
    assert list(strangers(line, plain)) == ["detail.PO1_loop.ZA1"]
    assert list(strangers(line, theirs)) == ["detail.PO1_loop.ZA1.ZA103"]
    assert list(strangers(line, FIELDS["x12"]("856", [agreed]))) == ["detail.PO1_loop"]


def test_both_releases_and_composites_are_known() -> None:
    fields = FIELDS["x12"]("850")
    assert fields is not None
    assert list(strangers({"heading": {"REF": [{"REF04": {"REF0401": "IA"}}]}}, fields)) == []
    assert list(strangers({"heading": {"REF": [{"REF04": {"REF0499": "IA"}}]}}, fields)) == [
        "heading.REF.REF04.REF0499"
    ]


def test_levels_and_packages_nest() -> None:
    shipped = FIELDS["x12"]("856")
    packed = FIELDS["edifact"]("DESADV")
    assert shipped is not None
    assert packed is not None
    levels = shipped["detail"]["HL_loop"]
    assert levels[0]["HL_loop"] is levels
    packages = packed["detail"]["CPS_group"]
    assert packages[0]["CPS_group"] is packages
    lines = packages[0]["LIN_group"]
    assert lines[0]["LIN_group"] is lines
