"""The source that is made of a guide's names: short, readable, and nothing else in it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.x12.engine.guide import Guide, load_guide
from connectors.x12.engine.plan import Plans
from connectors.x12.engine.plan_source import MOST_WRITTEN, WRITTEN_OUT, Areas, source
from connectors.x12.engine.tree import Tree
from tests.support.x12_text import lines

HEAD = "BEG*00*SA*PO-4711**20261120\nREF*DP*038\nREF*IA*04\n"
LINE = "PO1*1*3*EA*649.40**VN*1896-S\nPID*F****DESK\n"


def guide() -> Guide:
    found = load_guide("850", "004010")
    assert found is not None
    return replace(found, plans=Plans(found.rules))


def learned(content: str) -> tuple[tuple[str, ...], Areas]:
    """The tags of a set and its tree, as the automaton gives it."""
    segments = [each.split("*") for each in ["ST*850*0001", *lines(content), "SE*1*0001"]]
    tree = Tree(guide(), ">")
    tree.build(segments)
    return tuple(segment[0] for segment in segments), tree.areas


def text(content: str) -> str:
    found = source(*learned(content), guide().rules)
    assert found is not None
    return "\n".join(found)


def test_a_segment_is_written_out_and_left_to_its_namer_where_it_is_otherwise() -> None:
    assert text("BEG*00*SA*PO-4711**20261120") == (
        """\
def made(s, compose):
    if len(s[1]) == 6:
        _, v1, v2, v3, v4, v5, = s[1]
        if v1 and v2 and v3 and v5 and not v4:
            n1 = {'BEG01': v1, 'BEG02': v2, 'BEG03': v3, 'BEG05': v5}
        else:
            n1 = n_BEG[len(s[1])](s[1])
    else:
        n1 = n_BEG[len(s[1])](s[1])
    return {'heading': {'BEG': n1}}"""
    )


def test_lines_that_are_alike_are_one_loop_however_many_they_are() -> None:
    few, many = text(HEAD + 3 * LINE), text(HEAD + 90 * LINE)
    assert "    for p0, p1, in zip(s[4:10:2], s[5:10:2]):" in few
    assert len(few.splitlines()) == len(many.splitlines())


def test_only_so_many_segments_are_written_out() -> None:
    unlike = "PO1*1*3*EA\n" + LINE
    found = text(HEAD + (WRITTEN_OUT // 2) * unlike)
    assert found.count("if len(") == WRITTEN_OUT


def test_no_source_is_made_that_would_be_too_long() -> None:
    assert source(*learned(HEAD + MOST_WRITTEN * ("PO1*1*3*EA\n" + LINE)), guide().rules) is None


def test_composites_are_split_where_they_stood_in_the_set_that_was_learned() -> None:
    assert "compose(r_REF, n_REF[len(s[2])](s[2]))" in text("BEG*00*SA*1**20261120\nREF*DP*1**A>B")


def test_nothing_of_a_document_stands_in_the_source() -> None:
    other = HEAD.replace("PO-4711", "\"'); x = {").replace("038", "{0}\\").replace("20261120", "%s")
    assert text(other + LINE) == text(HEAD + LINE)


def test_a_name_that_could_be_more_than_a_name_is_refused() -> None:
    tags, areas = learned(HEAD)
    rules = guide().rules
    rule = replace(rules["BEG"], keys=("BEG01': x, '",))
    areas["heading"]["BEG"] = dict.fromkeys(rule.keys, "1")
    with pytest.raises(ValueError, match="letters and digits"):
        source(tags, areas, {**rules, "BEG": rule})
