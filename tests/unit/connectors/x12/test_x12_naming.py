"""The names of a segment's elements: every length, every empty element, and no other names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.x12.engine.naming import Namers

KEYS = ("N101", "N102", "N103", "N104")


@given(st.lists(st.sampled_from(["", "A", "BC"]), max_size=9))
def test_what_is_not_empty_gets_its_name_in_order(values: list[str]) -> None:
    segment = ["N1", *values]
    named = Namers(KEYS)[len(segment)](segment)
    expected = [(key, value) for key, value in zip(KEYS, values, strict=False) if value]
    assert list(named.items()) == expected


def test_no_more_functions_are_kept_than_a_segment_has_names() -> None:
    namers = Namers(KEYS)
    for parts in range(1, 200):
        assert namers[parts](["N1", *["X"] * (parts - 1)]) == dict.fromkeys(KEYS[: parts - 1], "X")
    assert len(namers) == len(KEYS) + 1


@pytest.mark.parametrize("key", ["", "N1-01", "N1'", "n\n", "Ñ101"])
def test_only_names_that_a_guide_can_have_become_source(key: str) -> None:
    with pytest.raises(ValueError, match="letters and digits"):
        Namers((key,))[2](["N1", "X"])
