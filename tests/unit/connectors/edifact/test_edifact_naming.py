"""The names of a segment's components: every length, every empty part, and no other names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.edifact.engine.naming import Namers

KEYS = (("LIN0101",), ("LIN0201", "LIN0202"), tuple(f"LIN03{at:02d}" for at in range(1, 6)))
PART = st.sampled_from(["", "A", "BC"])
ELEMENT = st.lists(PART, min_size=1, max_size=7).map(":".join)


@given(st.lists(ELEMENT, max_size=6))
def test_what_is_not_empty_gets_its_name_in_order(elements: list[str]) -> None:
    segment = ["LIN", *elements]
    expected = [
        (key, part)
        for keys, element in zip(KEYS, elements, strict=False)
        for key, part in zip(keys, element.split(":"), strict=False)
        if part
    ]
    assert list(Namers(KEYS)[len(segment)](segment, ":").items()) == expected


def test_no_more_functions_are_kept_than_a_segment_has_elements() -> None:
    namers = Namers(KEYS)
    for parts in range(1, 200):
        named = namers[parts](["LIN", *["X"] * (parts - 1)], ":")
        assert named == {keys[0]: "X" for keys in KEYS[: parts - 1]}
    assert len(namers) == len(KEYS) + 1


@pytest.mark.parametrize("key", ["", "LIN-01", "L'", "n\n", "Ñ101"])
def test_only_names_that_a_guide_can_have_become_source(key: str) -> None:
    with pytest.raises(ValueError, match="letters and digits"):
        Namers(((key,),))[2](["LIN", "X"], ":")
