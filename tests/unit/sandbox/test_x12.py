"""The sandbox's own small X12 reader and writer."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.x12 import Envelope, Group, TransactionSet, acknowledgement, read, write

AT = datetime(2026, 3, 2, 10, 11, tzinfo=UTC)
ENVELOPE = Envelope("LAKESIDE3PL", "CROSSDOCK", 7, AT, "SW")


def test_what_is_written_reads_back() -> None:
    text = write(ENVELOPE, [("945", [["W06", "F", "XD1"], ["W03", "1"]]), ("945", [["W06", "F"]])])
    (interchange,) = read(text)
    assert (interchange.sender, interchange.receiver) == ("LAKESIDE3PL", "CROSSDOCK")
    assert interchange.control == "000000007"
    (group,) = interchange.groups
    assert (group.code, group.control) == ("SW", "7")
    assert [one.control for one in group.sets] == ["0001", "0002"]
    assert group.sets[0].segments == [["W06", "F", "XD1"], ["W03", "1"]]


def test_the_isa_has_106_characters_and_the_counts_are_right() -> None:
    text = write(ENVELOPE, [("945", [["W06", "F", "", ""]])])
    assert text.index("~") == 105
    assert "W06*F~" in text
    assert "SE*3*0001~" in text
    assert text.endswith("GE*1*7~\nIEA*1*000000007~\n")


@given(st.text(max_size=20))
def test_no_value_breaks_the_framing(value: str) -> None:
    (interchange,) = read(write(ENVELOPE, [("945", [["G69", value, "end"]])]))
    segment = interchange.groups[0].sets[0].segments[0]
    assert (segment[0], len(segment), segment[2]) == ("G69", 3, "end")


def test_several_interchanges_with_other_delimiters_are_read() -> None:
    other = write(ENVELOPE, [("997", [["AK1", "SW", "7"]])])
    other = other.replace("\n", "").replace("*", "|").replace("~", "\n")
    found = read("\ufeff" + write(ENVELOPE, []) + other + "\r\n")
    assert len(found) == 2
    assert found[1].groups[0].sets[0].segments == [["AK1", "SW", "7"]]


@pytest.mark.parametrize("text", ["", "  ", "hello", "ISA*00*", "ISA" + "*" * 200, "GS*SW*A*B~"])
def test_what_is_no_x12_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        read(text)


def test_a_file_that_was_cut_short_is_refused_wherever_it_was_cut() -> None:
    text = write(ENVELOPE, [("945", [["W06", "F", "XD1"]])]).rstrip()
    for end in range(len(text) - 1):
        with pytest.raises(ValueError, match="expected"):
            read(text[:end])
    assert read(text[:-1]) == read(text)  # only the last terminator is missing


def test_an_acknowledgement_counts_what_it_accepts() -> None:
    group = Group("OW", "12", [TransactionSet("940", str(n), []) for n in range(1, 4)])
    assert acknowledgement(group, {})[-1] == ["AK9", "A", "3", "3", "3"]
    partly = acknowledgement(group, {"2": "5"})
    assert partly[0] == ["AK1", "OW", "12"]
    assert partly[3:5] == [["AK2", "940", "2"], ["AK5", "R", "5"]]
    assert partly[-1] == ["AK9", "P", "3", "3", "2"]
    assert acknowledgement(group, dict.fromkeys("123", "5"))[-1][1] == "R"


def test_real_warehouse_orders_are_read(samples: Path) -> None:
    files = sorted((samples / "edi" / "x12" / "940").glob("*.edi"))
    assert files
    for file in files:
        sets = [
            one
            for interchange in read(file.read_text("utf-8-sig"))
            for group in interchange.groups
            for one in group.sets
        ]
        assert {one.code for one in sets} == {"940"}
