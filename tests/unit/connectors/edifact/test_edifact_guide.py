"""Guides as data: all of them load, wrong ones are refused, partners make them narrower."""

from __future__ import annotations

from typing import Any

import pytest

from canonical.errors import ConfigError
from connectors.edifact.engine.checker import check
from connectors.edifact.engine.delimiters import Delimiters
from connectors.edifact.engine.directory import (
    Reading,
    compile_guide,
    load_guide,
    messages,
    read_table,
    reading,
    releases,
    segments_of,
)
from connectors.edifact.engine.guide import Group, Slot
from connectors.edifact.engine.overlay import Narrower, narrowed
from connectors.edifact.engine.pattern import pattern
from tests.support.edifact_text import ORDER

MARKS = Delimiters()


def order(text: str = ORDER) -> list[list[str]]:
    parts = ["UNH+1+ORDERS:D:96A:UN", *text.rstrip("'").split("'"), "UNT+22+1"]
    return [part.split("+") for part in parts]


def tags(group: Group) -> set[str]:
    found = set()
    for item in group.items:
        found |= {item.tag} if isinstance(item, Slot) else tags(item)
    return found


@pytest.mark.parametrize("release", releases())
@pytest.mark.parametrize("message", messages())
def test_every_guide_loads_and_knows_its_segments(message: str, release: str) -> None:
    guide = load_guide(message, release)
    assert (guide.message, guide.release) == (message, release)
    assert guide.begin.tag == "UNH"
    assert tags(guide.root) - {"UNH"} <= set(guide.rules)


@pytest.mark.parametrize("release", releases())
def test_every_segment_of_a_directory_has_an_expression_and_keys(release: str) -> None:
    for rule in segments_of(release).values():
        assert pattern(rule, ":", "").pattern or rule.open or not rule.fields
        assert all(key.startswith(rule.tag) for keys in rule.keys for key in keys)


@pytest.mark.parametrize("release", releases())
def test_all_composites_and_elements_of_a_directory_are_used_somewhere_or_shared(
    release: str,
) -> None:
    composites = read_table(release, "composites")
    elements = read_table(release, "elements")
    named = {use.split()[0] for row in composites.values() for use in row["components"]}
    assert named <= set(elements)


def test_what_a_document_calls_a_number_is_the_same_in_both_directories() -> None:
    old, new = segments_of("D96A"), segments_of("D01B")
    assert old["BGM"].keys[1][0] == new["BGM"].keys[1][0] == "BGM0201"
    assert old["NAD"].keys[6][0] == new["NAD"].keys[6][0] == "NAD0701"


def test_all_messages_have_a_guide_in_both_directories() -> None:
    assert releases() == ("D96A", "D01B")
    assert set(messages()) == {
        "ORDERS", "ORDRSP", "ORDCHG", "DESADV", "INVOIC", "INVRPT", "RECADV", "SLSRPT", "IFTMIN",
        "IFTSTA", "PRICAT", "REMADV", "CONTRL", "APERAK",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("version", "release", "expected"),
    [("D", "96A", "D96A"), ("D", "01B", "D01B"), ("D", "3", "D96A"), ("2", "2", "D96A"), ("4", "1", "D01B")],
)  # fmt: skip
def test_a_directory_that_guides_exist_for_is_read_by_its_own(
    version: str, release: str, expected: str
) -> None:
    assert reading("CONTRL", version, release) == Reading(expected)


@pytest.mark.parametrize(
    ("version", "release", "expected"),
    [("D", "93A", "D96A"), ("S", "93A", "D96A"), ("D", "96B", "D96A"), ("D", "97A", "D96A"),
     ("D", "99B", "D96A"), ("D", "00A", "D96A"), ("D", "01A", "D96A"), ("D", "02A", "D01B"),
     ("D", "09B", "D01B"), ("0", "96A", "D96A"), ("1", "96A", "D96A")],
)  # fmt: skip
def test_any_other_is_read_by_the_nearest_older_one_and_that_is_said(
    version: str, release: str, expected: str
) -> None:
    known = ("D96A", "D01B")
    assert reading("ORDERS", version, release) == Reading(expected, version + release, known)


@pytest.mark.parametrize(
    ("message", "version", "release"),
    [("ORDERS", "2", "912"), ("ORDERS", "", ""), ("ORDERS", "D", "../"), ("ORDERS", "X", "96A"),
     ("ORDERS", "D", "96A/../D01B"), ("elements", "D", "96A"), ("MEDDIS", "D", "96A"), ("../x", "D", "96A")],
)  # fmt: skip
def test_what_names_no_directory_or_no_message_is_not_read(
    message: str, version: str, release: str
) -> None:
    assert reading(message, version, release) is None


@pytest.mark.parametrize(
    "change",
    [
        {"heading": ["BGM M"]},
        {"heading": ["BGM X 1"]},
        {"heading": ["QQQ M 1"]},
        {"heading": ["BGM M 1", "BGM C 2"]},
        {"heading": [{"group": "RFF C 9", "of": []}]},
        {"heading": [{"group": "RFF C 9", "of": ["DTM M 1"]}]},
        {"heading": [{"group": "RFF C 9", "of": ["RFF C 1"]}]},
        {"heading": [{"group": "RFF C 9"}]},
        {"heading": None},
        {"name": None, "summary": 7},
    ],
)
def test_a_table_that_is_not_of_its_form_is_refused(change: dict[str, Any]) -> None:
    table = {**read_table("D96A", "ORDERS"), **change}
    with pytest.raises(ConfigError) as refused:
        compile_guide(table, "D96A")
    assert refused.value.code == "guide_invalid"


def test_a_guide_that_is_not_there_is_refused() -> None:
    with pytest.raises(ConfigError):
        load_guide("NOPE", "D96A")


def faults(*overlay: Narrower, text: str = ORDER) -> list[tuple[str, str]]:
    guide = narrowed("ORDERS", "D96A", overlay)
    return [(fault.code, fault.where) for fault in check(guide, order(text), MARKS).faults]


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (Narrower("LIN_group.QTY.QTY0103", status="M"), ("element_missing", "QTY[2].QTY0103")),
        (Narrower("LIN_group.QTY.QTY0101", codes=("12",)), ("code_invalid", "QTY[1].QTY0101")),
        (Narrower("BGM.BGM0201", maximum=4), ("element_too_long", "BGM[1].BGM0201")),
        (Narrower("FTX.FTX0401", status="X"), ("element_not_used", "FTX[1].FTX0401")),
        (Narrower("FTX", status="X"), ("segment_unexpected", "FTX[1]")),
        (Narrower("DTM", maximum=1), ("segment_exceeds_maximum", "DTM[2]")),
        (Narrower("LIN_group", maximum=1), ("segment_group_exceeds_maximum", "LIN[2]")),
        (Narrower("PAI", status="M"), ("segment_missing", "PAI[1]")),
        (Narrower("LIN_group.MOA", status="M"), ("segment_missing", "MOA[1]")),
    ],
)
def test_a_partner_makes_a_guide_narrower(place: Narrower, expected: tuple[str, str]) -> None:
    assert expected in faults(place)


def test_a_partner_changes_nothing_for_others() -> None:
    assert faults(Narrower("FTX", status="X")) != []
    assert check(load_guide("ORDERS", "D96A"), order(), MARKS).faults == []


@pytest.mark.parametrize(
    "at", ["XYZ", "LIN_group.NAD", "BGM.BGM9901", "BGM.DTM0101", "NO_group.LIN"]
)
def test_a_place_that_a_guide_lacks_is_refused(at: str) -> None:
    with pytest.raises(ConfigError) as refused:
        narrowed("ORDERS", "D96A", (Narrower(at, status="M"),))
    assert refused.value.code == "overlay_invalid"
