"""The structure around transaction sets: what is found, and every way in which it can be wrong."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.x12.engine.envelope import (
    Acknowledged,
    Event,
    GroupEnd,
    GroupStart,
    InterchangeEnd,
    InterchangeStart,
    TransactionSet,
    walk,
)
from connectors.x12.engine.reader import Stray, chunks_of, read
from tests.support.x12_text import (
    ACCEPTED,
    CHANGE,
    ORDER,
    as_bytes,
    changed,
    group,
    interchange,
    isa,
    orders,
)


def events(segments: list[str]) -> list[Event]:
    return list(walk(read((as_bytes(segments),))))


def names(found: list[Event]) -> list[str]:
    return [type(event).__name__ for event in found]


def faults(segments: list[str]) -> list[str]:
    """All faults as ``code where``, in order."""
    found = []
    for event in events(segments):
        if isinstance(event, Stray):
            found.append(f"{event.error.code} {event.error.where}")
        elif not isinstance(event, Acknowledged):
            found += [f"{fault.code} {fault.where}" for fault in event.faults]
    return found


def test_every_level_begins_and_ends() -> None:
    segments = interchange(
        group("PO", [("850", ORDER), ("850", ORDER)]), group("PC", [("860", CHANGE)], "2")
    )
    assert names(events(segments * 2)) == 2 * [
        "InterchangeStart",
        "GroupStart", "TransactionSet", "TransactionSet", "GroupEnd",
        "GroupStart", "TransactionSet", "GroupEnd",
        "InterchangeEnd",
    ]  # fmt: skip
    assert faults(segments * 2) == []


def test_a_transaction_set_has_all_its_segments_and_knows_their_offsets() -> None:
    data = as_bytes(orders(ORDER, ORDER.replace("PO-4711", "PO-4712")))
    sets = [event for event in walk(read((data,))) if isinstance(event, TransactionSet)]
    assert [found.segments[1][3] for found in sets] == ["PO-4711", "PO-4712"]
    for found in sets:
        assert (found.identifier, len(found.segments)) == ("850", 17)
        for position, segment in enumerate(found.segments, 1):
            assert data[found.offset(position) :].startswith("*".join(segment).encode())


@pytest.mark.parametrize("size", [1, 7, 100, 333])
def test_offsets_stay_right_when_a_set_is_cut_into_batches(size: int) -> None:
    data = as_bytes(orders())
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    (found,) = (event for event in walk(read(pieces)) if isinstance(event, TransactionSet))
    assert found.segments == [s.split("*") for s in orders()[2:-2]]
    for position, segment in enumerate(found.segments, 1):
        assert data[found.offset(position) :].startswith("*".join(segment).encode())


WRONG = [
    ("SE*17*0001", "SE*16*0001", "set_count_mismatch SE01"),
    ("SE*17*0001", "SE**0001", "set_count_mismatch SE01"),
    ("SE*17*0001", "SE*+17*0001", "set_count_mismatch SE01"),
    ("SE*17*0001", "SE*" + "9" * 5000 + "*0001", "set_count_mismatch SE01"),
    ("SE*17*0001", "SE*17*0002", "set_control_mismatch SE02"),
    ("SE*17*0001", "SE*17*1", "set_control_mismatch SE02"),
    ("GE*1*1", "GE*2*1", "group_count_mismatch GE01"),
    ("GE*1*1", "GE*1*2", "group_control_mismatch GE02"),
    ("GE*1*1", "GE*1*01", "group_control_mismatch GE02"),
    ("IEA*1*000000905", "IEA*2*000000905", "interchange_count_mismatch IEA01"),
    ("IEA*1*000000905", "IEA*1*905", "interchange_control_mismatch IEA02"),
    ("IEA*1*000000905", "IEA*1", "interchange_control_mismatch IEA02"),
]


@pytest.mark.parametrize(("old", "new", "fault"), WRONG, ids=[row[1][:20] for row in WRONG])
def test_a_wrong_count_or_control_number_is_named_with_its_element(
    old: str, new: str, fault: str
) -> None:
    assert faults(changed(orders(), old, new)) == [fault]


def test_blanks_after_control_numbers_and_leading_zeros_of_counts_do_not_count() -> None:
    segments = changed(orders(), "SE*17*0001", "SE*017*0001 ")
    assert faults(changed(segments, "GE*1*1", "GE*1*1 ")) == []


SPOILED = st.sampled_from(
    [
        "",
        "~",
        "*",
        " ",
        "SE*1*0001~",
        "IEA~",
        "GE*1*1~",
        "GS*PO~",
        "ST*850*0001~",
        "TA1*1~",
        "9",
        "A",
    ]
)


@settings(max_examples=200, deadline=None)
@given(at=st.integers(0, 520), spoiled=SPOILED, cut=st.integers(0, 9), size=st.integers(1, 90))
def test_an_interchange_is_followed_the_same_whole_and_in_pieces(
    at: int, spoiled: str, cut: int, size: int
) -> None:
    """A whole one of one set takes a short way, which pieces of it cannot take."""
    good = as_bytes(orders(), "~").decode()
    data = (good[:at] + spoiled + good[at + cut :]).encode()
    pieces = [data[begin : begin + size] for begin in range(0, len(data), size)]
    assert told(pieces) == told([data])


def told(pieces: list[bytes]) -> list[Any]:
    """Events with all that they hold."""
    found: list[Any] = []
    for event in walk(read(pieces)):
        if isinstance(event, TransactionSet):
            offsets = [event.offset(at) for at in range(1, len(event.segments) + 1)]
            found.append((event.segments, event.texts, event.faults, offsets))
        else:
            found.append(event)
    return [repr(each) for each in found]


def test_a_set_without_trailer_ends_at_the_next_set_and_at_the_end_of_its_group() -> None:
    segments = [s for s in orders(ORDER, ORDER) if not s.startswith("SE")]
    assert faults(segments) == ["set_trailer_missing SE", "set_trailer_missing SE"]
    assert names(events(segments)).count("TransactionSet") == 2


def test_a_group_without_trailer_ends_at_the_next_group_and_at_the_iea() -> None:
    segments = interchange(group("PO", [("850", ORDER)]), group("PC", [("860", CHANGE)], "2"))
    without = [s for s in segments if not s.startswith("GE")]
    assert faults(without) == ["group_trailer_missing GE", "group_trailer_missing GE"]
    assert names(events(without)) == names(events(segments))


@pytest.mark.parametrize("last", range(1, 20))
def test_an_interchange_cut_anywhere_is_truncated_and_every_level_still_ends(last: int) -> None:
    found = events(orders()[:last])
    assert [type(event) for event in (found[0], found[-1])] == [InterchangeStart, InterchangeEnd]
    assert names(found).count("GroupStart") == names(found).count("GroupEnd")
    assert faults(orders()[:last])[-1] == "interchange_truncated IEA"


def test_an_interchange_inside_another_cuts_the_outer_one() -> None:
    whole = orders()
    assert faults(whole[:-1] + whole) == ["interchange_truncated IEA"]
    assert names(events(whole[:-1] + whole)).count("InterchangeStart") == 2


@pytest.mark.parametrize(
    ("segments", "place"),
    [
        ([isa(), "BEG*00", "IEA*0*000000905"], "BEG"),
        ([isa(), "ST*850*0001", "SE*2*0001", "IEA*0*000000905"], "ST"),
        ([isa(), "GE*1*1", "IEA*0*000000905"], "GE"),
        ([isa(), *group("PO", [("850", ORDER)])[:-1], "SE*1*0001", "GE*1*1", "IEA*1*000000905"], "SE"),
        ([isa(), *group("PO", [("850", ORDER)])[:-1], "TA1*1", "GE*1*1", "IEA*1*000000905"], "TA1"),
        ([isa(), "\u20ac!*1", "IEA*0*000000905"], ""),
    ],
)  # fmt: skip
def test_a_segment_outside_of_any_set_is_content_that_does_not_belong(
    segments: list[str], place: str
) -> None:
    assert f"interchange_content_invalid {place}" in faults(segments)


def test_control_numbers_must_be_unique_in_their_envelope() -> None:
    twice = changed(orders(ORDER, ORDER), "*0002", "*0001")
    assert faults(twice) == ["set_control_duplicate ST02"]
    groups = interchange(group("PO", [("850", ORDER)]), group("PC", [("860", CHANGE)], "1"))
    assert faults(groups) == ["group_control_duplicate GS06"]


@pytest.mark.parametrize("number", ["", "1", "001", "1234567890"])
def test_a_set_control_number_has_4_to_9_characters(number: str) -> None:
    segments = changed(orders(), "*0001", f"*{number}")
    assert faults(segments) == ["set_control_invalid ST02"]


@pytest.mark.parametrize("number", ["", "A", "1234567890", "-1", "٣"])
def test_a_group_control_number_has_1_to_9_digits(number: str) -> None:
    segments = changed(orders(), "*0830*1*X", f"*0830*{number}*X")
    assert "group_control_invalid GS06" in faults(segments)


def test_a_group_control_number_is_looked_at_also_where_header_and_trailer_agree_on_it() -> None:
    segments = changed(changed(orders(), "*0830*1*X", "*0830*A*X"), "GE*1*1", "GE*1*A")
    assert faults(segments) == ["group_control_invalid GS06"]


def test_an_interchange_control_number_has_nine_digits() -> None:
    segments = changed(orders(), "000000905", "00000A905")
    assert faults(segments) == ["interchange_control_invalid ISA13"]


def test_an_empty_group_says_so() -> None:
    assert faults(interchange(group("PO", []))) == ["group_empty GE01"]


def test_interchange_acknowledgments_and_old_service_segments_are_no_content() -> None:
    segments = interchange(group("FA", [("997", ACCEPTED)]))
    segments[1:1] = ["ISB*1", "ISE*200601*0515*04", "TA1*000000012*261120*0830*A*000"]
    assert faults(segments) == []
    assert names(events(segments))[:3] == ["InterchangeStart", "Acknowledged", "GroupStart"]


def test_what_follows_an_interchange_is_told_last() -> None:
    found = events([*orders(), "Best regards"])
    assert names(found)[-2:] == ["InterchangeEnd", "Stray"]


def test_a_large_interchange_is_followed_in_one_pass_over_bounded_batches() -> None:
    sets = [ORDER] * 500
    found = list(walk(read(chunks_of(as_bytes(orders(*sets))))))
    assert names(found).count("TransactionSet") == 500
    assert [event.faults for event in found if isinstance(event, GroupStart | GroupEnd)] == [[], []]
