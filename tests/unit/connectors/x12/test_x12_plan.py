"""Sets that are like others before are put together by plan: the same tree, to the last byte."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import islice, product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.x12.engine.guide import Guide, load_guide
from connectors.x12.engine.plan import MOST_PLANS, MOST_SEGMENTS, SEEN, Plans
from connectors.x12.engine.plan_source import MOST_WRITTEN
from connectors.x12.engine.tree import Tree
from tests.support.x12_text import ADVICE, CHANGE, ORDER, lines

SETS = {"850": ORDER, "860": CHANGE, "945": ADVICE}


def fresh(identifier: str = "850") -> Guide:
    """A guide that has seen nothing yet."""
    guide = load_guide(identifier, "004010")
    assert guide is not None
    return replace(guide, plans=Plans(guide.rules))


class Forgetful(Plans):
    """Never has a plan."""

    def find(self, tags: tuple[str, ...]) -> None:
        """Ask the automaton each time."""


def split(content: str, identifier: str = "850") -> list[list[str]]:
    body = [f"ST*{identifier}*0001", *lines(content), "SE*1*0001"]
    return [segment.split("*") for segment in body]


def tree(guide: Guide, segments: list[list[str]]) -> str:
    built = Tree(guide, ">")
    built.build(segments)
    assert not built.faults
    return json.dumps(built.areas)


def tags(segments: list[list[str]]) -> tuple[str, ...]:
    return tuple(segment[0] for segment in segments)


@pytest.mark.parametrize("identifier", SETS)
def test_a_plan_is_made_for_a_set_of_a_kind_that_came_often_and_gives_the_same_tree(
    identifier: str,
) -> None:
    guide, segments = fresh(identifier), split(SETS[identifier], identifier)
    expected = tree(guide, segments)
    for _ in range(SEEN - 1):
        assert guide.plans.find(tags(segments)) is None
        tree(guide, segments)
    assert guide.plans.find(tags(segments)) is not None
    assert tree(guide, segments) == expected


VALUE = st.sampled_from(["", "1", "AB", "A>B", ">", "X>>Y", "'", '"', "{", "\\", "\n", "é"])
ELEMENTS = st.lists(VALUE, max_size=6)
LINE = st.lists(st.sampled_from(["PID", "REF", "MSG"]), max_size=3, unique=True).map(
    lambda found: ["PO1", *sorted(found, key=["PID", "REF", "MSG"].index)]
)
LINES = st.lists(st.tuples(LINE, st.integers(1, 5)), min_size=1, max_size=4).map(
    lambda runs: [tag for line, times in runs for tag in line * times]
)


@settings(max_examples=80, deadline=None)
@given(LINES, st.data())
def test_whatever_the_elements_hold_a_plan_gives_what_the_automaton_gives(
    shape: list[str], data: st.DataObject
) -> None:
    guide = fresh()
    slow = replace(guide, plans=Forgetful(guide.rules))
    order = ["BEG", "REF", "REF", "N1", "N3", *shape, "CTT"]

    def drawn() -> list[list[str]]:
        body = [[tag, *data.draw(ELEMENTS)] for tag in order]
        return [["ST", "850", "0001"], *body, ["SE", "1", "0001"]]

    first = drawn()
    for _ in range(SEEN):
        assert tree(guide, first) == tree(slow, first)
    assert guide.plans.find(tags(first)) is not None
    other = drawn()
    other[-3:-2] = first[-3:-2]
    for segments in (first, drawn(), other):
        assert tree(guide, segments) == tree(slow, segments)


def test_a_set_that_would_need_too_long_a_plan_is_always_left_to_the_automaton() -> None:
    guide = fresh()
    unlike = ["PO1*1*3*EA", "PO1*2*3*EA\nPID*F****DESK"] * MOST_WRITTEN
    segments = split("BEG*00*SA*1**20261120\n" + "\n".join(unlike))
    expected = tree(guide, segments)
    for _ in range(2 * SEEN):
        assert tree(guide, segments) == expected
    assert guide.plans.find(tags(segments)) is None


def test_a_set_without_its_se_has_a_plan_of_its_own() -> None:
    guide, segments = fresh(), split(ORDER)
    for _ in range(SEEN + 1):
        assert tree(guide, segments) == tree(guide, segments[:-1])


def test_a_set_that_does_not_keep_its_guide_teaches_nothing() -> None:
    guide, segments = fresh(), split(ORDER.replace("CUR*BY*USD", "XYZ*1"))
    for _ in range(SEEN + 1):
        built = Tree(guide, ">")
        built.build(segments)
        assert [fault.code for fault in built.faults] == ["segment_unrecognized"]
    assert guide.plans.find(tags(segments)) is None


def areas(count: int) -> dict[str, Any]:
    return {"heading": {"REF": [{} for _ in range(count)]}}


def test_only_so_many_plans_are_kept_and_none_of_a_very_long_set() -> None:
    guide = fresh()
    plans = Plans(guide.rules)
    series = list(islice(product(*[["N1", "REF", "DTM"]] * 6), MOST_PLANS + 9))
    for each in series:
        for _ in range(SEEN):
            plans.learn(each, areas(len(each) - 1))
    assert [each for each in series if plans.find(each)] == series[-MOST_PLANS:]
    long = ("ST", *["REF"] * MOST_SEGMENTS, "SE")
    for _ in range(SEEN):
        plans.learn(long, areas(MOST_SEGMENTS))
    assert plans.find(long) is None


def test_a_tag_that_is_no_name_never_becomes_source() -> None:
    plans = Plans({})
    strange = ("ST", "A);b(")
    for _ in range(SEEN - 1):
        plans.learn(strange, {})
    with pytest.raises(ValueError, match="letters and digits"):
        plans.learn(strange, {})
