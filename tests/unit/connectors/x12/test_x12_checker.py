"""What a guide finds wrong with a set: every code of the 997, with the place a person looks for."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.x12.engine.checker import Checked, check
from connectors.x12.engine.delimiters import Delimiters
from connectors.x12.engine.faults import ELEMENT_CODES, SEGMENT_CODES
from connectors.x12.engine.guide import load_guide
from connectors.x12.engine.tree import MAX_FAULTS
from tests.support.x12_text import ACCEPTED, ADVICE, CHANGE, ORDER, lines

MARKS = Delimiters("*", ">", "~", "^")


def checked(content: str, identifier: str = "850") -> Checked:
    guide = load_guide(identifier, "004010")
    assert guide is not None
    body = [f"ST*{identifier}*0001", *lines(content), "SE*1*0001"]
    return check(guide, [segment.split("*") for segment in body], MARKS)


def faults(content: str, identifier: str = "850") -> list[tuple[str, str, str, int]]:
    """(where, our code, the standard's code, segment position) of all that is wrong."""
    found = checked(content, identifier).faults
    return [(fault.where, fault.code, fault.ack, fault.position) for fault in found]


def with_segment(segment: str, before: str = "CTT*3") -> str:
    """The order with one more segment."""
    assert before in ORDER
    return ORDER.replace(before, f"{segment}\n{before}")


@pytest.mark.parametrize(
    ("content", "identifier"),
    [(ORDER, "850"), (CHANGE, "860"), (ADVICE, "945"), (ACCEPTED, "997")],
)
def test_what_is_right_has_no_faults(content: str, identifier: str) -> None:
    assert faults(content, identifier) == []


SEGMENTS = [
    ("segment_unrecognized", with_segment("XYZ*1"), ("XYZ[1]", "1", 15)),
    ("segment_unexpected", ORDER.replace("CUR*BY*USD", "SDQ*EA*92*1*1"), ("SDQ[1]", "2", 3)),
    ("segment_missing", ORDER.replace("BEG*00*SA*PO-4711**20261120\n", ""), ("BEG[1]", "3", 2)),
    ("segment_missing", "\n".join(lines(ORDER)[:8]), ("PO1[1]", "3", 10)),
    ("loop_exceeds_maximum", with_segment("CTT*3", "AMT*TT") , ("CTT[2]", "4", 16)),
    ("segment_exceeds_maximum", with_segment("CUR*BY*EUR", "REF*DP"), ("CUR[2]", "5", 4)),
    ("segment_exceeds_maximum", with_segment("\n".join(["PER*BD"] * 4), "DTM*002"), ("PER[4]", "5", 8)),
    ("segment_not_in_set", with_segment("W05*N*1"), ("W05[1]", "6", 15)),
    ("segment_out_of_sequence", with_segment("REF*IA*1"+"\nPO4*6", "PID*F****AMS"), ("PO4[1]", "7", 15)),
    ("segment_out_of_sequence", with_segment("CUR*BY*EUR", "N3*100"), ("CUR[2]", "7", 8)),
]  # fmt: skip


@pytest.mark.parametrize(("code", "content", "expected"), SEGMENTS)
def test_segments_in_the_wrong_place(
    code: str, content: str, expected: tuple[str, str, int]
) -> None:
    where, ack, position = expected
    assert (where, code, ack, position) in faults(content)


ELEMENTS = [
    ("element_missing", "CUR*BY*USD", "CUR*BY", ("CUR[1].CUR02", "1", 3)),
    ("element_missing", "BEG*00*SA*PO-4711**20261120", "BEG*00*SA***20261120", ("BEG[1].BEG03", "1", 2)),
    ("element_conditional_missing", "PO1*2*10*EA*", "PO1*2**EA*", ("PO1[2].PO102", "2", 12)),
    ("element_conditional_missing", "REF*DP*038", "REF*DP", ("REF[1].REF02", "2", 4)),
    ("element_conditional_missing", "PO1*3*2*EA*35.60**VN*1928-S", "PO1*3*2*EA*35.60**VN", ("PO1[3].PO107", "2", 13)),
    ("element_too_many", "CUR*BY*USD", "CUR*BY*USD" + "*" * 20 + "X", ("CUR[1].CUR22", "3", 3)),
    ("element_too_many", "N3*100 MAIN ST*DOCK 4", "N3*100 MAIN ST*DOCK 4*3", ("N3[1].N303", "3", 8)),
    ("element_too_short", "N4*SPRINGFIELD*IL*62701", "N4*SPRINGFIELD*IL*62", ("N4[1].N403", "4", 9)),
    ("element_too_long", "PO1*3*2*EA", "PO1*3*2*EACH", ("PO1[3].PO103", "5", 13)),
    ("element_too_long", "PO1*1*3*EA*649.40", "PO1*1*1234567890123456*EA*649.40", ("PO1[1].PO102", "5", 10)),
    ("element_invalid_character", "PO1*1*3*EA", "PO1*1*3,5*EA", ("PO1[1].PO102", "6", 10)),
    ("element_invalid_character", "PO1*1*3*EA", "PO1*1*٣*EA", ("PO1[1].PO102", "6", 10)),
    ("element_invalid_character", "PO1*1*3*EA", "PO1*1*NaN*EA", ("PO1[1].PO102", "6", 10)),
    ("element_invalid_character", "ATHENS DESK", "ATHENS\tDESK", ("PID[1].PID05", "6", 11)),
    ("element_invalid_character", "ATHENS DESK", "ATHENS\x1dDESK", ("PID[1].PID05", "6", 11)),
    ("element_invalid_character", "ATHENS DESK", "ATHENS>DESK", ("PID[1].PID05", "6", 11)),
    ("element_invalid_character", "ATHENS DESK", "ATHENS^DESK", ("PID[1].PID05", "6", 11)),
    ("element_invalid_character", "CTT*3", "CTT*3.0", ("CTT[1].CTT01", "6", 15)),
    ("code_invalid", "BEG*00", "BEG*99", ("BEG[1].BEG01", "7", 2)),
    ("date_invalid", "DTM*002*20261201", "DTM*002*20260229", ("DTM[1].DTM02", "8", 5)),
    ("date_invalid", "DTM*002*20261201", "DTM*002*2026120A", ("DTM[1].DTM02", "8", 5)),
    ("date_invalid", "DTM*002*20261201", "DTM*002*00000000", ("DTM[1].DTM02", "8", 5)),
    ("time_invalid", "DTM*002*20261201", "DTM*002*20261201*2460", ("DTM[1].DTM03", "9", 5)),
    ("time_invalid", "DTM*002*20261201", "DTM*002*20261201*12345", ("DTM[1].DTM03", "9", 5)),
]  # fmt: skip


@pytest.mark.parametrize(("code", "old", "new", "expected"), ELEMENTS)
def test_elements_that_are_wrong(
    code: str, old: str, new: str, expected: tuple[str, str, int]
) -> None:
    where, ack, position = expected
    assert old in ORDER
    assert faults(ORDER.replace(old, new, 1)) == [(where, code, ack, position)]


def test_an_element_that_excludes_another() -> None:
    found = faults(with_segment("TD3*TL**1*******ABCD", "N1*BY"))
    assert found == [("TD3[1].TD310", "element_excluded", "10", 6)]


def test_every_code_of_the_997_is_shown_by_a_test() -> None:
    shown = {row[0] for row in SEGMENTS} | {row[0] for row in ELEMENTS} | {"element_excluded"}
    assert shown == set(SEGMENT_CODES) | set(ELEMENT_CODES)


def test_a_fault_names_the_element_as_the_dictionary_does_and_holds_no_data() -> None:
    (fault,) = checked(ORDER.replace("PO1*3*2*EA", "PO1*3*2*EACH")).faults
    assert fault.where == "PO1[3].PO103"
    assert fault.detail == "(Unit or Basis for Measurement Code, 355) too long"


@pytest.mark.parametrize(
    "value", ["20280229", "20261231", "20260430", "19000101", "21991230", "00010101"]
)
def test_days_of_the_calendar_are_dates(value: str) -> None:
    assert faults(ORDER.replace("20261201", value)) == []


@pytest.mark.parametrize("value", ["0000", "2359", "235959", "2359599", "23595999"])
def test_times_have_hours_and_minutes_and_may_go_on(value: str) -> None:
    assert faults(ORDER.replace("20261201", f"20261201*{value}")) == []


@pytest.mark.parametrize(
    "value",
    ["1", "0.5", ".5", "5.", "-3", "123456789012345", "-12345678901234.5", "1E2", "1.5E-3"],
)
def test_decimals_do_not_count_sign_and_point_as_length(value: str) -> None:
    assert faults(ORDER.replace("PO1*1*3*EA", f"PO1*1*{value}*EA")) == []


@pytest.mark.parametrize(
    ("sent", "read"),
    [("12.50", "12.50"), (".5", "0.5"), ("5.", "5"), ("007.0", "7.0"), ("-.25", "-0.25"), ("-0", "-0"), ("-00", "-0"), ("15E-1", "1.5"), ("1E99999", "1E99999")],
)  # fmt: skip
def test_numbers_of_type_r_are_written_plainly(sent: str, read: str) -> None:
    first = checked(f"BEG*00*SA*007**20261120\nPO1*007*{sent}*EA").areas["detail"]["PO1_loop"][0]
    assert first["PO1"] == {"PO101": "007", "PO102": read, "PO103": "EA"}


def test_faults_come_in_the_order_of_their_places() -> None:
    content = with_segment("XYZ*1").replace("BEG*00", "BEG*99").replace("CUR*BY*USD", "CUR*BY")
    found = faults(content.replace("PO1*1*3*EA", "PO1*1*x*EACH"))
    assert [where for where, *_ in found] == [
        "BEG[1].BEG01", "CUR[1].CUR02", "PO1[1].PO102", "PO1[1].PO103", "XYZ[1]",
    ]  # fmt: skip


def test_a_hopeless_set_is_given_up_after_a_hundred_faults() -> None:
    assert len(faults(with_segment("\n".join(["XYZ*1"] * 5000)))) == MAX_FAULTS
    many = ORDER.replace("CTT*3", "\n".join(["PO1*1*x*EA"] * 5000) + "\nCTT*3")
    assert len(faults(many)) == MAX_FAULTS


def test_composites_are_checked_part_by_part() -> None:
    assert faults(CHANGE.replace("**EA*", "**EA>1>2>EA*"), "860") == []
    found = faults(CHANGE.replace("**EA*", "**EACH>x*"), "860")
    assert found == [
        ("POC[1].POC0501", "element_too_long", "5", 3),
        ("POC[1].POC0502", "element_invalid_character", "6", 3),
    ]
    assert faults(CHANGE.replace("**EA*", "**>1*"), "860") == [
        ("POC[1].POC0501", "element_missing", "1", 3)
    ]
    assert faults(CHANGE.replace("**EA*", "**EA" + ">" * 15 + "X*"), "860") == [
        ("POC[1].POC0516", "element_too_many", "3", 3)
    ]
    reference = ORDER.replace("REF*DP*038", "REF*DP*038**IA>V7")
    assert faults(reference) == []
    assert faults(reference.replace("IA>V7", "IA")) == [
        ("REF[1].REF0402", "element_missing", "1", 4)
    ]


def test_elements_after_the_last_known_one_are_kept_where_the_guide_is_open() -> None:
    found = checked(with_segment("PKG*F*ANY*THING>GOES*", "N1*BY"))
    assert found.faults == []
    assert found.areas["heading"]["PKG"] == [{"PKG01": "F", "PKG02": "ANY", "PKG03": "THING>GOES"}]
    assert faults(with_segment("PKG*F*A\x07", "N1*BY")) == [
        ("PKG[1].PKG02", "element_invalid_character", "6", 6)
    ]


def test_text_outside_ascii_and_trailing_separators_are_right() -> None:
    assert faults(ORDER.replace("ATHENS DESK", "BÜRO… 机")) == []
    assert faults(ORDER.replace("CUR*BY*USD", "CUR*BY*USD**")) == []
    assert faults(ORDER.replace("CTT*3", "CTT*3" + "*" * 40)) == []


def test_the_tree_keeps_loops_lists_and_composites_apart() -> None:
    content = ORDER.replace("REF*DP*038", "REF*DP*038**IA>V7\nREF*IA*9")
    areas: dict[str, Any] = checked(content).areas
    assert areas["heading"]["BEG"] == {
        "BEG01": "00", "BEG02": "SA", "BEG03": "PO-4711", "BEG05": "20261120",
    }  # fmt: skip
    assert areas["heading"]["REF"] == [
        {"REF01": "DP", "REF02": "038", "REF04": {"REF0401": "IA", "REF0402": "V7"}},
        {"REF01": "IA", "REF02": "9"},
    ]
    assert [loop["N1"]["N101"] for loop in areas["heading"]["N1_loop"]] == ["BY", "ST"]
    assert areas["heading"]["N1_loop"][1]["N3"] == [{"N301": "100 MAIN ST", "N302": "DOCK 4"}]
    assert [loop["PO1"]["PO101"] for loop in areas["detail"]["PO1_loop"]] == ["1", "2", "3"]
    assert areas["detail"]["PO1_loop"][0]["PID_loop"] == [
        {"PID": {"PID01": "F", "PID05": "ATHENS DESK"}}
    ]
    assert areas["summary"]["CTT_loop"] == {
        "CTT": {"CTT01": "3"}, "AMT": {"AMT01": "TT", "AMT02": "3270.40"},
    }  # fmt: skip


def test_the_same_tag_finds_the_nearest_place_that_still_has_room() -> None:
    """N9 stands in the 945's heading, in its LX loop and in its W12 loop."""
    content = "W06*F*XD1*20261124*SH-1\nN1*SF*A\nN9*BM*1\nLX*1\nN9*PO*2\nW12*CC*1*1**EA**VN*A\nN9*LI*3\nLX*2\nW12*CC*1*1**EA**VN*B"
    areas: dict[str, Any] = checked(content, "945").areas
    assert areas["heading"]["N9"][0]["N902"] == "1"
    first, second = areas["detail"]["LX_loop"]
    assert first["N9"][0]["N902"] == "2"
    assert first["W12_loop"][0]["N9"][0]["N902"] == "3"
    assert second["W12_loop"][0]["W12"]["W1208"] == "B"


def test_line_by_line_loops_inside_ls_and_le_are_told_from_those_around_them() -> None:
    content = "W06*F*XD1*20261124*SH-1\nLX*1\nW12*CC*1*1**EA**VN*A\nLS*X\nLX*1\nN9*SE*9\nLE*X\nLX*2\nW12*CC*1*1**EA**VN*B"
    found = checked(content, "945")
    assert found.faults == []
    loops: dict[str, Any] = found.areas["detail"]
    inner = loops["LX_loop"][0]["W12_loop"][0]["LS_loop"]
    assert inner["LX_loop"][0]["N9"] == [{"N901": "SE", "N902": "9"}]
    assert len(loops["LX_loop"]) == 2


def test_a_segment_that_a_repeated_loop_lacks_is_missing_once() -> None:
    content = "AK1*PO*1\nAK2*850*0001\nAK2*850*0002\nAK5*A\nAK9*A*2*2*2"
    assert faults(content, "997") == [("AK5[1]", "segment_missing", "3", 4)]
