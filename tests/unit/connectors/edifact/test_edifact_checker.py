"""A message against its guide: its tree, and a code for everything that can be wrong with it."""

from __future__ import annotations

import pytest

from connectors.edifact.engine.checker import Checked, check
from connectors.edifact.engine.delimiters import Delimiters
from connectors.edifact.engine.directory import load_guide
from connectors.edifact.engine.faults import ELEMENT_CODES, SEGMENT_CODES
from connectors.edifact.engine.iso2022 import UNREAD
from connectors.edifact.engine.tree import MAX_FAULTS
from tests.support.edifact_text import ORDER

MARKS = Delimiters()


def checked(text: str, kind: str = "ORDERS", release: str = "D96A", marks: Delimiters = MARKS) -> Checked:  # fmt: skip
    parts = [f"UNH+1+{kind}:D:{release[1:]}:UN", *text.rstrip("'").split("'")]
    segments = [part.split("+") for part in [*parts, f"UNT+{len(parts) + 1}+1"]]
    return check(load_guide(kind, release), segments, marks)


def faults(text: str, marks: Delimiters = MARKS) -> list[tuple[str, str]]:
    return [(fault.code, fault.where) for fault in checked(text, marks=marks).faults]


def test_an_order_comes_out_as_a_tree_under_the_names_of_its_segments() -> None:
    areas = checked(ORDER).areas
    assert areas["heading"]["BGM"] == {"BGM0101": "220", "BGM0201": "PO-4711", "BGM0301": "9"}
    assert [dtm["DTM0101"] for dtm in areas["heading"]["DTM"]] == ["137", "2"]
    assert areas["heading"]["NAD_group"][2]["NAD"]["NAD0401"] == "ACME WAREHOUSE"
    first, second = areas["detail"]["LIN_group"]
    assert first["LIN"] == {"LIN0101": "1", "LIN0301": "5412345111115", "LIN0302": "SRV"}
    assert first["QTY"] == [{"QTY0101": "21", "QTY0102": "3", "QTY0103": "PCE"}]
    assert second["PRI_group"] == [{"PRI": {"PRI0101": "AAA", "PRI0102": "35.60"}}]
    assert areas["summary"] == {"UNS": {"UNS0101": "S"}, "CNT": [{"CNT0101": "2", "CNT0102": "2"}]}


@pytest.mark.parametrize("release", ["D96A", "D01B"])
def test_both_directories_give_the_same_tree(release: str) -> None:
    found = checked(ORDER, release=release)
    assert found.faults == []
    assert found.areas == checked(ORDER).areas


BROKEN: dict[str, tuple[str, str, str]] = {
    "segment_unrecognized": ("CUX+2", "XYZ+1'CUX+2", "XYZ[1]"),
    "segment_unexpected": ("CUX+2", "COM+1:TE'CUX+2", "COM[1]"),
    "segment_missing": ("DTM+137:20261120:102'DTM+2:20261205:102'", "", "DTM[1]"),
    "segment_exceeds_maximum": ("IMD+F++:::DESK'", "QVR+3'QVR+4'", "QVR[2]"),
    "segment_group_exceeds_maximum": ("CUX+2:EUR:9'", "CUX+2:EUR:9'" * 6, "CUX[6]"),
    "segment_not_in_message": ("CUX+2", "CPS+1'CUX+2", "CPS[1]"),
    "segment_out_of_sequence": ("CUX+2", "ALI+DE'CUX+2", "ALI[1]"),
    "element_missing": ("QTY+21:3:PCE", "QTY+21", "QTY[1].QTY0102"),
    "element_too_many": ("BGM+220+PO-4711+9", "BGM+220+PO-4711+9+AB+X", "BGM[1].BGM0501"),
    "element_repeated": ("BGM+220+PO-4711", "BGM+220+PO*4711", "BGM[1].BGM0201"),
    "element_too_short": ("UNS+S", "UNS+", "UNS[1]"),
    "element_too_long": ("CUX+2:EUR", "CUX+2:EURO", "CUX[1].CUX0102"),
    "element_invalid_character": ("DESK", "DE\x01SK", "IMD[1].IMD0304"),
    "charset_unsupported": ("DESK", f"D{UNREAD}SK", "IMD[1].IMD0304"),
    "element_type_invalid": ("UNS+S", "UNS+7", "UNS[1].UNS0101"),
    "decimal_invalid": ("QTY+21:3:", "QTY+21:3.:", "QTY[1].QTY0102"),
    "code_invalid": ("UNS+S", "UNS+X", "UNS[1].UNS0101"),
}


@pytest.mark.parametrize("code", sorted(set(BROKEN) - {"element_too_short"}))
def test_what_is_wrong_inside_a_message_has_its_code_and_place(code: str) -> None:
    old, new, where = BROKEN[code]
    assert old in ORDER
    marks = Delimiters(repetition="*") if code == "element_repeated" else MARKS
    assert (code, where) in faults(ORDER.replace(old, new, 1), marks)


def test_every_code_has_its_case_but_those_that_only_partners_cause() -> None:
    assert set(SEGMENT_CODES) | set(ELEMENT_CODES) == set(BROKEN) | {"element_not_used"}


def test_a_fixed_length_is_held() -> None:
    text = "UCI+1+A+B+4+2+UN"
    (fault,) = checked(text, "CONTRL").faults
    assert (fault.code, fault.where) == ("element_too_short", "UCI[1].UCI0601")


def test_a_fault_says_the_elements_name_and_number_and_what_may_stand_there() -> None:
    (fault,) = checked(ORDER.replace("CUX+2:EUR", "CUX+2:EURO")).faults
    assert fault.detail == "(Currency identification code, 6345) too long; expected an..3"
    (fault,) = checked(ORDER.replace("UNS+S", "UNS+X")).faults
    assert fault.detail.endswith("expected D, S")


def test_no_more_faults_are_listed_than_anyone_reads() -> None:
    assert len(checked(ORDER + "XYZ+1'" * 500).faults) == MAX_FAULTS


@pytest.mark.parametrize("number", ["3", "-3", "3.5", "3,5", "0.000001", "123456789012345"])
def test_numbers_have_a_point_or_a_comma_and_may_be_negative(number: str) -> None:
    found = checked(ORDER.replace("QTY+21:3:", f"QTY+21:{number}:"))
    assert found.faults == []
    quantity = found.areas["detail"]["LIN_group"][0]["QTY"][0]["QTY0102"]
    assert quantity == number.replace(",", ".")


@pytest.mark.parametrize("number", [".5", "3.", "1,000.5", "1 000", "3e2", "", "\u0661"])
def test_anything_else_is_no_number(number: str) -> None:
    found = faults(ORDER.replace("QTY+21:3:", f"QTY+21:{number}:"))
    assert [code for code, _ in found] in (["decimal_invalid"], ["element_missing"])


def test_repetitions_keep_all_values() -> None:
    found = checked("BGM+220+1'FTX+AAI*AAJ'", marks=Delimiters(repetition="*"))
    assert found.areas["heading"]["FTX"] == [{"FTX0101": "AAI", "FTX0101_2": "AAJ"}]


def test_packages_come_out_as_a_tree_with_their_lines() -> None:
    text = (
        "BGM+351+D-1+9'CPS+1'PAC+1'CPS+2+1'PAC+1++CT'LIN+1++A:SA'QTY+12:5'CPS+3+1'PAC+1'"
        "CPS+4+3'LIN+2++B:SA'CPS+5+9'LIN+3++C:SA'"
    )
    top, lost = checked(text, "DESADV").areas["detail"]["CPS_group"]
    assert (top["CPS"]["CPS0101"], lost["CPS"]["CPS0101"]) == ("1", "5")
    second, third = top["CPS_group"]
    assert second["LIN_group"][0]["QTY"][0]["QTY0102"] == "5"
    assert third["CPS_group"][0]["CPS"] == {"CPS0101": "4", "CPS0201": "3"}


def test_sub_lines_come_out_in_their_line() -> None:
    text = ORDER.replace("LIN+2++5412345111122:SRV", "LIN+2++5412345111122:SRV+1:1")
    (line,) = checked(text).areas["detail"]["LIN_group"]
    assert [inner["LIN"]["LIN0101"] for inner in line["LIN_group"]] == ["2"]


@pytest.mark.parametrize("text", ["CPS+1+1'", "CPS+1+2'CPS+2+1'", "CPS+1'CPS+1+1'"])
def test_packages_that_are_in_each_other_do_not_make_a_circle(text: str) -> None:
    packages = checked("BGM+351+D-1+9'" + text, "DESADV").areas["detail"]["CPS_group"]
    assert len(str(packages)) < 500
