"""The guides' data: complete, consistent, and what the standard says of the places that matter."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.x12.engine.guide import AREAS, Loop, Slot, load_guide
from connectors.x12.engine.path import step
from connectors.x12.engine.pattern import pattern

FOLDER = Path(__file__).parents[4] / "connectors/x12/guides/004010"
SETS = ["850", "860", "940", "945", "997"]


def slots(loop: Loop) -> Iterator[Slot]:
    for item in loop.items:
        if isinstance(item, Slot):
            yield item
        else:
            yield from slots(item)


@pytest.mark.parametrize("identifier", SETS)
def test_every_set_has_a_guide_whose_loops_begin_with_their_own_segment(identifier: str) -> None:
    guide = load_guide(identifier, "004010")
    assert guide is not None
    assert guide.set == identifier

    def check(loop: Loop) -> None:
        for item in loop.items:
            if isinstance(item, Loop):
                assert item.first.tag == item.name
                assert item.first.maximum == 1
                check(item)

    check(guide.root)
    assert {slot.area for slot in slots(guide.root)} <= set(AREAS)


@pytest.mark.parametrize("identifier", SETS)
def test_every_place_of_a_guide_can_be_reached_from_its_beginning(identifier: str) -> None:
    guide = load_guide(identifier, "004010")
    assert guide is not None
    reached, waiting = {guide.begin}, [guide.begin]
    tags = {slot.tag for slot in slots(guide.root)}
    while waiting:
        slot = waiting.pop()
        for move in filter(None, (step(slot, tag) for tag in tags)):
            if move.slot not in reached:
                reached.add(move.slot)
                waiting.append(move.slot)
    assert [slot.tag for slot in slots(guide.root) if slot not in reached] == []


def test_every_element_of_a_segment_is_in_the_dictionary_and_every_note_inside_its_segment() -> (
    None
):
    elements = json.loads((FOLDER / "elements.json").read_text("utf-8"))
    segments = json.loads((FOLDER / "segments.json").read_text("utf-8"))
    used = {e.split()[0] for s in segments.values() for e in s.get("elements", ())}
    used |= {c.split()[0] for e in elements.values() for c in e.get("components", ())}
    assert used == set(elements)
    guide = load_guide("850", "004010")
    assert guide is not None
    for rule in guide.rules.values():
        assert max((p for note in rule.notes for p in note.positions), default=0) <= len(
            rule.elements
        )
        assert pattern(rule).groups == 0


@pytest.mark.parametrize(
    ("segment", "position", "number", "name", "kind", "least", "most", "mandatory"),
    [
        ("BEG", 1, "353", "Transaction Set Purpose Code", "ID", 2, 2, True),
        ("BEG", 3, "324", "Purchase Order Number", "AN", 1, 22, True),
        ("BEG", 5, "373", "Date", "DT", 8, 8, True),
        ("CUR", 2, "100", "Currency Code", "ID", 3, 3, True),
        ("PO1", 1, "350", "Assigned Identification", "AN", 1, 20, False),
        ("PO1", 2, "330", "Quantity Ordered", "R", 1, 15, False),
        ("PO1", 3, "355", "Unit or Basis for Measurement Code", "ID", 2, 2, False),
        ("PO1", 4, "212", "Unit Price", "R", 1, 17, False),
        ("PO1", 25, "234", "Product/Service ID", "AN", 1, 48, False),
        ("N1", 2, "93", "Name", "AN", 1, 60, False),
        ("N4", 2, "156", "State or Province Code", "ID", 2, 2, False),
        ("POC", 2, "670", "Change or Response Type Code", "ID", 2, 2, True),
        ("W05", 2, "285", "Depositor Order Number", "AN", 1, 22, True),
        ("W06", 4, "145", "Shipment Identification Number", "AN", 1, 30, False),
        ("W12", 1, "368", "Shipment/Order Status Code", "ID", 2, 2, True),
        ("W12", 3, "382", "Number of Units Shipped", "R", 1, 10, False),
        ("W27", 2, "140", "Standard Carrier Alpha Code", "ID", 2, 4, False),
        ("MAN", 2, "87", "Marks and Numbers", "AN", 1, 48, True),
        ("AK4", 3, "723", "Data Element Syntax Error Code", "ID", 1, 3, True),
        ("AK9", 4, "2", "Number of Accepted Transaction Sets", "N0", 1, 6, True),
    ],
)  # fmt: skip
def test_elements_are_what_the_standard_says(  # noqa: PLR0913, PLR0917  # a table
    segment: str, position: int, number: str, name: str, kind: str, least: int, most: int, mandatory: bool  # noqa: FBT001
) -> None:  # fmt: skip
    guide = load_guide("850", "004010")
    assert guide is not None
    element = guide.rules[segment].elements[position - 1]
    assert (element.number, element.name, element.type) == (number, name, kind)
    assert (element.minimum, element.maximum, element.mandatory) == (least, most, mandatory)


def test_later_versions_of_the_850_are_read_with_the_same_guide() -> None:
    assert load_guide("850", "005010") is load_guide("850", "004010")
    assert load_guide("850", "004010VICS") is load_guide("850", "004010")


@pytest.mark.parametrize(
    ("identifier", "version"),
    [("850", "003040"), ("850", ""), ("810", "004010"), ("../", "004010"), ("9" * 5000, "004010"), ("85\u0660", "004010")],
)  # fmt: skip
def test_what_no_guide_knows_has_none(identifier: str, version: str) -> None:
    assert load_guide(identifier, version) is None
