"""Control numbers and counts: what may stand there, and what must agree."""

from __future__ import annotations

import pytest

from connectors.x12.engine.control import (
    disagreement,
    element,
    group_number,
    interchange_number,
    set_number,
)
from connectors.x12.engine.faults import EnvelopeFault


def codes(faults: list[EnvelopeFault]) -> list[str]:
    return [fault.code for fault in faults]


def test_an_element_is_empty_where_its_segment_ends_before_it_and_blanks_around_it_do_not_count() -> (
    None
):
    segment = ["GE", " 1 ", ""]
    assert [element(segment, at) for at in (1, 2, 3)] == ["1", "", ""]


@pytest.mark.parametrize(
    ("number", "expected"),
    [("000000905", []), ("", ["interchange_control_invalid"]), ("٣", ["interchange_control_invalid"])],
)  # fmt: skip
def test_an_interchange_number_is_digits(number: str, expected: list[str]) -> None:
    assert codes(interchange_number(number)) == expected


def test_a_group_number_is_named_once_and_first_for_what_it_is() -> None:
    assert codes(group_number("1", {"2"})) == []
    assert codes(group_number("2", {"2"})) == ["group_control_duplicate"]
    assert codes(group_number("A", {"A"})) == ["group_control_invalid"]


def test_a_set_number_may_be_wrong_in_two_ways_at_once() -> None:
    assert codes(set_number("0001", set())) == []
    assert codes(set_number("1", {"1"})) == ["set_control_invalid", "set_control_duplicate"]


@pytest.mark.parametrize(
    "trailer", [["SE", "3", "0001"], ["SE", "03", "0001 "], ["SE", "3", "0001", ""]]
)
def test_a_trailer_agrees_also_with_blanks_and_leading_zeros(trailer: list[str]) -> None:
    assert disagreement("set", trailer, "SE", "0001", 3) == []


def test_a_trailer_that_disagrees_says_what_it_holds_and_what_was_expected() -> None:
    number, count = disagreement("group", ["GE", "x", "7"], "GE", "8", 2)
    assert number == EnvelopeFault("group_control_mismatch", "GE02", "7", "8")
    assert count == EnvelopeFault("group_count_mismatch", "GE01", "x", "2")
