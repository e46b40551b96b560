"""The place of a refused value: certain, or not said."""

from __future__ import annotations

from hub.mapping.places import place_of


def test_the_first_of_equal_values_in_repeating_lines_is_meant() -> None:
    source = {"lines": [{"q": "5"}, {"q": "x"}, {"q": "x"}]}
    assert place_of("x", source) == "lines[1].q"


def test_equal_values_in_different_fields_leave_the_place_open() -> None:
    assert place_of("x", {"lines": [{"q": "x"}], "note": "x"}) == ""


def test_a_value_that_the_mapping_computed_is_nowhere() -> None:
    assert place_of("xy", {"a": "x", "b": "y"}) == ""


def test_numbers_and_texts_are_different_values() -> None:
    assert place_of("1", {"a": 1, "b": "1"}) == "b"


def test_containers_and_absent_values_have_no_place() -> None:
    values: list[object] = [None, True, [], {}, ["x"]]
    for value in values:
        assert place_of(value, {"a": value}) == ""
