"""The way back: read(write(x)) = x for any message that a guide allows, and write is deterministic."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from typing import Any, get_args

import pytest

from canonical.errors import Rejected
from connectors.edifact.config import EdifactConfig
from connectors.edifact.engine.charset import written_as
from connectors.edifact.engine.checker import check
from connectors.edifact.engine.delimiters import Delimiters
from connectors.edifact.engine.directory import load_guide, messages, releases
from connectors.edifact.engine.envelope import InterchangeStart, Message, walk
from connectors.edifact.engine.guide import AREAS, Component, Group, Guide, Slot
from connectors.edifact.engine.reader import read
from connectors.edifact.engine.writer import Envelope, Side, write

AT = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
SEEDS = 25
CHARSETS = get_args(EdifactConfig.model_fields["charset"].annotation)
MARKS = [
    Delimiters(),
    Delimiters(repetition="*"),
    Delimiters("*", "|", ",", "!", None, "$"),
    Delimiters(decimal=","),
    Delimiters(segment="\n"),
]


def envelope(marks: Delimiters, **other: Any) -> Envelope:
    syntax = "4" if marks.repetition else "3"
    version = other.pop("version", ("D", "96A"))
    return Envelope(
        Side("US", "14"), Side("THEM", "14", "X"), version, 7, AT, marks, "UNOY", syntax, **other
    )


def value_of(component: Component, chance: Random) -> str:
    """Any value that a guide allows there."""
    if component.codes:
        return chance.choice(component.codes)
    most = min(component.maximum, 20)
    if component.kind == "n":
        if component.minimum > 1:
            return "1" * component.minimum
        return chance.choice(["0", "7"] if most < 3 else ["0", "12", "-1.5", "0.25"])
    if component.numeric:
        return chance.choice(["0", "99", "1.5"])
    letters = "ABC" if component.kind == "a" else "Ab1+:'?*|!$,.Ö日 "
    length = chance.randint(component.minimum, most)
    text = "".join(chance.choice(letters) for _ in range(length))
    return text if text == text.strip() else "x" * length


def segment(slot: Slot, chance: Random) -> dict[str, str]:
    """Any segment that fits its rule."""
    found = {}
    for keys, field in zip(slot.rule.keys, slot.rule.fields, strict=False):
        if not field.mandatory and chance.random() < 0.5:
            continue
        for at, (key, component) in enumerate(zip(keys, field.components, strict=True)):
            if component.mandatory or (field.mandatory and not at) or chance.random() < 0.25:
                found[key] = value_of(component, chance)
    return found


def content(group: Group, area: str, chance: Random) -> dict[str, Any]:
    """Any content of a group that fits its guide: mandatory places, and some of the others."""
    found: dict[str, Any] = {}
    for item in group.items:
        if item.area != area or (isinstance(item, Slot) and item.tag == "UNH"):
            continue
        if not item.mandatory and chance.random() > 0.15:
            continue
        times = range(chance.randint(1, min(item.maximum, 2)))
        if isinstance(item, Slot):
            values = [segment(item, chance) for _ in times]
            found[item.tag] = values[0] if item.maximum == 1 else values
        else:
            found[item.key] = [content(item, area, chance) for _ in times]
    return found


def body_of(message: str, release: str, chance: Random) -> dict[str, Any]:
    """Any message that its guide allows."""
    root = load_guide(message, release).root
    areas = {area: content(root, area, chance) for area in AREAS}
    return {area: node for area, node in areas.items() if node}


@pytest.mark.parametrize("release", releases())
@pytest.mark.parametrize("message", messages())
def test_what_is_written_reads_back_as_it_was(message: str, release: str) -> None:
    guide = load_guide(message, release)
    written = 0
    for seed in range(SEEDS):
        body = body_of(message, release, Random(seed))  # noqa: S311  # only has to repeat
        around = envelope(MARKS[seed % len(MARKS)], version=("D", release[1:]))
        try:
            wire = write(guide, {"message": message, **body}, around)
        except Rejected as refused:
            # Where a group begins with a segment that may also stand alone, the place is the
            # nearest: such a body is refused, not written as something else.
            assert refused.code.startswith("segment"), (seed, refused.code, refused.where)  # noqa: PT017
            continue
        areas = read_back(guide, wire)
        same = areas == body  # on its own: a difference of two large trees takes minutes to show
        assert same or has_trees(body), seed
        again = {"message": message, **areas}
        assert write(guide, again, around) == wire, seed
        written += 1
    assert written > SEEDS // 2


def read_back(guide: Guide, wire: bytes) -> dict[str, Any]:
    """The sections of what was written."""
    start, found, _ = walk(read((wire,)))
    assert isinstance(start, InterchangeStart)
    assert isinstance(found, Message)
    assert start.faults == found.faults == []
    checked = check(guide, found.segments, start.delimiters)
    assert checked.faults == []
    return checked.areas


def has_trees(body: dict[str, Any]) -> bool:
    """Packages and sub-lines that were drawn at random name each other by chance."""
    return "CPS_group" in body.get("detail", {}) or "LIN0401" in str(body)


def test_the_same_is_written_to_the_same_bytes() -> None:
    guide = load_guide("APERAK", "D96A")
    body = {"heading": {"BGM": {"BGM0101": "313", "BGM0201": "A?B'C"}}}
    marks = Delimiters()
    wire = write(guide, body, envelope(marks, application="APP", test=True, line_breaks=True))
    assert wire == write(
        guide, body, envelope(marks, application="APP", test=True, line_breaks=True)
    )
    assert wire.decode() == (
        "UNA:+.? '\nUNB+UNOY:3+US:14+THEM:14:X+261120:0830+7++APP++++1'\n"
        "UNH+1+APERAK:D:96A:UN'\nBGM+313+A??B?'C'\nUNT+3+1'\nUNZ+1+7'\n"
    )


@pytest.mark.parametrize(
    ("marks", "advice", "expected"),
    [
        (Delimiters(), True, "UNA:+.? 'UNB"),
        (Delimiters(), False, "UNB"),
        (Delimiters(decimal=","), False, "UNA:+,? 'UNB"),
        (Delimiters(repetition="*"), True, "UNA:+.?*'UNB+UNOY:4+US:14+THEM:14:X+20261120:0830"),
    ],
)
def test_a_una_is_written_where_it_is_needed_or_wanted(
    marks: Delimiters, expected: str, *, advice: bool
) -> None:
    guide = load_guide("APERAK", "D96A")
    body = {"heading": {"BGM": {"BGM0101": "313"}}}
    assert write(guide, body, envelope(marks, advice=advice)).decode().startswith(expected)


@pytest.mark.parametrize("identifier", CHARSETS)
def test_every_character_set_that_we_write_has_a_codec(identifier: str) -> None:
    assert "A".encode(written_as(identifier)) == b"A"


def test_all_character_sets_of_iso_9735_can_be_written() -> None:
    assert set(CHARSETS) == {f"UNO{letter}" for letter in "ABCDEFGHIJKWXY"}
