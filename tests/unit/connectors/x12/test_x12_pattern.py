"""What an expression recognises is right: the close look at every element finds nothing in it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.x12.engine.delimiters import Delimiters
from connectors.x12.engine.element import segment_faults, write_plainly
from connectors.x12.engine.guide import Guide, load_guide
from connectors.x12.engine.notes import Kind, Note, violations
from connectors.x12.engine.pattern import SEPARATOR, Matches, has_control, pattern
from connectors.x12.engine.rule import Element, SegmentRule
from tests.support.x12_text import ADVICE, CHANGE, ORDER, lines

MARKS = Delimiters("*", ">", "~", None)
MOST = 6
VALUES = st.sampled_from(
    ["", "", "", "1", "A", "00", "EA", "7.5", "007", ".5", "-3", "X" * 40, "20261120", "\x01"]
)
GUIDES = [load_guide("850", "004010"), load_guide("856", "005010"), load_guide("997", "004010")]
RULES = [rule for guide in GUIDES if isinstance(guide, Guide) for rule in guide.rules.values()]


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(RULES), st.lists(VALUES, max_size=28))
def test_what_is_recognised_has_no_fault_and_is_written_plainly_already(
    rule: SegmentRule, values: list[str]
) -> None:
    segment = [rule.tag, *values]
    text = SEPARATOR.join(segment)
    if pattern(rule).fullmatch(text) and not has_control(text):
        assert segment_faults(rule, segment, 1, MARKS) == []
        plain = list(segment)
        write_plainly(rule, plain)
        assert plain == segment


@given(st.text(max_size=9), st.sampled_from(["", "\x00", "\x1c", "\x1f", "\x7f", "\x80", "\x9f"]))
def test_control_characters_are_found_in_any_text(text: str, control: str) -> None:
    text = "".join(each for each in text if each > "\x9f" or "\x1f" < each < "\x7f") + SEPARATOR
    assert has_control(text + control) == bool(control)


def anything() -> Element:
    return Element("1", "Anything", "AN", 1, 9, mandatory=False)


def ruled(notes: tuple[Note, ...]) -> SegmentRule:
    rule = RULES[0]
    elements = tuple(anything() for _ in range(MOST))
    keys = tuple(f"X{at:02d}" for at in range(1, MOST + 1))
    return SegmentRule("X1", "Any", elements, notes, False, keys, (), rule.namers)  # noqa: FBT003  # open


KINDS: list[Kind] = ["P", "R", "E", "C", "L"]
POSITIONS = st.lists(st.integers(1, MOST), min_size=2, max_size=4, unique=True)
NOTES = st.lists(
    st.builds(Note, st.sampled_from(KINDS), POSITIONS.map(tuple)), max_size=4, unique=True
)


@settings(max_examples=400, deadline=None)
@given(NOTES.map(tuple), st.lists(st.sampled_from(["", "A"]), max_size=MOST))
def test_any_notes_are_recognised_as_kept_exactly_where_they_are(
    notes: tuple[Note, ...], values: list[str]
) -> None:
    found = pattern(ruled(notes)).fullmatch(SEPARATOR.join(["X1", *values]))
    kept = not violations(notes, (True, *map(bool, values)))
    assert bool(found) == kept


def test_segments_of_real_documents_are_recognised() -> None:
    guide = GUIDES[0]
    assert guide is not None
    segments = [line for content in (ORDER, CHANGE, ADVICE) for line in lines(content)]
    for segment in segments:
        text = segment.replace("*", SEPARATOR)
        assert guide.matches[segment.split("*")[0]](text), segment


def test_segments_that_no_guide_knows_are_not_kept_in_memory() -> None:
    matches = Matches({})
    assert all(matches[f"Z{n}"](f"Z{n}{SEPARATOR}\x01") for n in range(1000))
    assert len(matches) == 0
