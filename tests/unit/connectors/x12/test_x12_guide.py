"""The guides' data: complete, consistent, and what the standard says of the places that matter."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.x12.engine.guide import AREAS, GuideError, compile_guide, load_guide
from connectors.x12.engine.path import step
from connectors.x12.engine.pattern import pattern
from connectors.x12.engine.place import Loop, Slot

FOLDER = Path(__file__).parents[4] / "connectors/x12/guides/004010"
SETS = [
    "204",
    "210",
    "214",
    "810",
    "820",
    "824",
    "832",
    "846",
    "850",
    "852",
    "855",
    "856",
    "860",
    "864",
    "865",
    "940",
    "943",
    "944",
    "945",
    "947",
    "990",
    "997",
]
RELEASES = [("004010", each) for each in SETS] + [("005010", each) for each in [*SETS, "999"]]
every_set = pytest.mark.parametrize(("release", "identifier"), RELEASES)


def slots(loop: Loop) -> Iterator[Slot]:
    for item in loop.items:
        if isinstance(item, Slot):
            yield item
        else:
            yield from slots(item)


@every_set
def test_every_set_has_a_guide_whose_loops_begin_with_their_own_segment(
    release: str, identifier: str
) -> None:
    guide = load_guide(identifier, release)
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


@every_set
def test_every_place_of_a_guide_can_be_reached_from_its_beginning(
    release: str, identifier: str
) -> None:
    guide = load_guide(identifier, release)
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
        assert pattern(rule).pattern.startswith(rule.tag)


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


@pytest.mark.parametrize(
    ("version", "same"),
    [("004010VICS", "004010"), ("004060", "004010"), ("005010X231A1", "005010"), ("008050", "005010")],
)  # fmt: skip
def test_versions_between_two_releases_are_read_with_the_earlier_one(
    version: str, same: str
) -> None:
    read, expected = load_guide("850", version), load_guide("850", same)
    assert read is not None
    assert expected is not None
    assert read.root is expected.root


@pytest.mark.parametrize(
    ("segment", "position", "number", "before", "since"),
    [("REF", 2, "127", 30, 50), ("PER", 4, "364", 80, 256), ("NM1", 3, "1035", 35, 60), ("IT1", 2, "358", 10, 15)],
)  # fmt: skip
def test_elements_that_005010_lengthened_are_longer_there(
    segment: str, position: int, number: str, before: int, since: int
) -> None:
    lengths = []
    for version in ("004010", "005010"):
        guide = load_guide("850", version)
        assert guide is not None
        element = guide.rules[segment].elements[position - 1]
        assert element.number == number
        lengths.append(element.maximum)
    assert lengths == [before, since]


TABLE = {"set": "850", "name": "", "group": "PO", "heading": ["BEG M 1"], "detail": [], "summary": []}  # fmt: skip


@pytest.mark.parametrize(
    "heading",
    [
        ["XYZ M 1"],
        ["BEG M 0"],
        ["BEG Q 1"],
        ["BEG M 1", "REF O 1", "BEG O 1"],
        ["BEG M 1", {"loop": "N1 O 1", "of": ["N2 M 1", "N1 O 1"]}],
        ["BEG M 1", {"loop": "N1 O 1", "of": ["N1 M 2"]}],
    ],
)
def test_a_guide_that_contradicts_itself_is_refused_when_it_is_compiled(heading: list[Any]) -> None:
    assert compile_guide(TABLE, "004010").set == "850"
    with pytest.raises(GuideError):
        compile_guide({**TABLE, "heading": heading}, "004010")


@pytest.mark.parametrize(
    "segment",
    [
        {"name": "Own", "elements": ["99999 M"]},
        {"name": "Own", "elements": ["127 Q"]},
        {"name": "Own", "elements": ["127 O"], "notes": ["P0102"]},
    ],
)
def test_a_segment_that_contradicts_the_dictionary_is_refused(segment: dict[str, Any]) -> None:
    with pytest.raises(GuideError):
        compile_guide(TABLE, "004010", {"ZZ1": segment})


def test_a_set_is_added_by_adding_a_file_and_a_release_by_adding_a_folder() -> None:
    """The folders' files are all that names a set or a version: the code lists neither."""
    for release in ("004010", "005010"):
        files = {path.stem for path in FOLDER.with_name(release).glob("[0-9]*.json")}
        assert files == {each for other, each in RELEASES if other == release}
        assert all(load_guide(each, release) for each in files)


@pytest.mark.parametrize(
    ("identifier", "version"),
    [("850", "003040"), ("850", ""), ("999", "004010"), ("837", "005010"), ("../", "004010"), ("9" * 5000, "004010"), ("85\u0660", "004010")],
)  # fmt: skip
def test_what_no_guide_knows_has_none(identifier: str, version: str) -> None:
    assert load_guide(identifier, version) is None
