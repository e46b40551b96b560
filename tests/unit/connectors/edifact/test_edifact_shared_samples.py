"""Real EDIFACT files of many origins: all are read, none crashes or hangs, and the counts agree."""

from __future__ import annotations

import csv
import os
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from connectors.edifact.engine.charset import to_text
from connectors.edifact.engine.checker import check
from connectors.edifact.engine.delimiters import Delimiters, Header
from connectors.edifact.engine.directory import load_guide, messages, reading
from connectors.edifact.engine.envelope import InterchangeStart, Message, part, parts_of, walk
from connectors.edifact.engine.reader import Stray, chunks_of, read
from connectors.edifact.engine.writer import Envelope, Side, write
from connectors.edifact.inspector import EdifactInspector

_DEFAULT = Path(__file__).parents[4] / "../shared/samples"
FOLDER = Path(os.environ.get("CROSSDOCK_SAMPLES", _DEFAULT)) / "edi"

DIFFERENT = {
    # No segment of it ends: the manifest was counted on lines, and found nothing.
    "edifact/IFCSUM/indice-co-EDI.Net__edifact.D01B.IFCSUM.NewLines.EDI",
    # Messages stand beside a group that holds one of the same reference; the manifest does not look.
    "edifact/INVOIC/xlate-staedi__ErrorEventsTest_L235.edi",
    # Two groups of one reference; the manifest does not look.
    "edifact/ORDERS/anatoli308-edifacts__DuplicateGroup.txt",
    # A BGM stands before the UNH, so that nothing begins there; the manifest counts UNH anywhere.
    "edifact/ORDERS/hupe1980-edifact-rs__d96a_orders_malformed.edi",
    # JSON around EDIFACT.
    "edifact/ORDRSP/evergreen-library-system-Evergreen__baker_taylor.ordrsp.jedi",
    # Syntax version 0, which there is not.
    "edifact/ORDRSP/evergreen-library-system-Evergreen__ingram_437.ordrsp.edi",
    "edifact/ORDRSP/evergreen-library-system-Evergreen__ingram_437.ordrsp.edi.breakout",
    # Its UNA makes the plus separate twice.
    "edifact/none/sapstern-edifactconverter__UTILMD_Result.edi",
}
LARGE = 60_000


class Row(NamedTuple):
    """One EDIFACT file of the manifest."""

    path: str
    facts: str


def rows() -> list[Row]:
    manifest = FOLDER / "MANIFEST.tsv"
    if not manifest.is_file():
        return []
    with manifest.open(encoding="utf-8", newline="") as lines:
        table = csv.DictReader(lines, delimiter="\t")
        return [Row(row["path"], row["facts"]) for row in table if row["standard"] == "edifact"]


ROWS = rows()
pytestmark = pytest.mark.skipif(not ROWS, reason="the shared samples are not here")
each_file = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.path)


def counted(data: bytes) -> tuple[tuple[int, int, int], set[str]]:
    """How many UNB, UNG and UNH, and the codes of all envelope faults."""
    kinds: Counter[str] = Counter()
    codes: set[str] = set()
    for event in walk(read(chunks_of(data))):
        kinds[type(event).__name__] += 1
        if isinstance(event, Stray):
            codes.add(event.error.code)
        else:
            codes |= {fault.code for fault in event.faults}
    headers = sum(bool(item.text) for item in read((data,)) if isinstance(item, Header))
    return (headers, kinds["GroupStart"], kinds["Message"]), codes


def test_there_are_more_than_a_hundred_of_them() -> None:
    assert len(ROWS) > 100


@each_file
def test_the_envelopes_that_are_found_are_those_of_an_independent_count(row: Row) -> None:
    found, codes = counted((FOLDER / row.path).read_bytes())
    if row.path in DIFFERENT:
        return
    expected = re.search(r"UNB=(\d+),UNG=(\d+),UNH=(\d+)", row.facts)
    assert expected
    assert found == tuple(map(int, expected.groups()))
    assert bool(codes - {"interchange_header_missing"}) == ("ENVELOPE:" in row.facts)


def events(*chunks: bytes) -> list[Any]:
    return [
        (event.error.code, event.offset, event.line)
        if isinstance(event, Stray)
        else (type(event).__name__, event.faults, getattr(event, "segments", None))
        for event in walk(read(chunks))
    ]


@each_file
def test_every_file_is_read_the_same_in_chunks_of_any_size(row: Row) -> None:
    data = (FOLDER / row.path).read_bytes()[:LARGE]
    whole = events(data)
    for size in (1, 61) if len(data) < 2_000 else (997,):
        assert events(*(data[at : at + size] for at in range(0, len(data), size))) == whole


def trimmed(segments: list[list[str]], marks: Delimiters) -> list[list[list[str]]]:
    """Segments as their values, without what the writer drops as saying nothing."""
    found = []
    for segment in segments:
        parts = [list(each) for each in parts_of(segment, marks)]
        for each in parts:
            while each and not each[-1]:
                each.pop()
        while parts and not parts[-1]:
            parts.pop()
        found.append([[value.replace(",", ".") for value in each] for each in parts])
    return found


@each_file
def test_what_its_guide_allows_is_written_as_it_was_read(row: Row) -> None:
    marks = Delimiters()
    for event in walk(read(((FOLDER / row.path).read_bytes()[:LARGE],))):
        if isinstance(event, InterchangeStart):
            marks = event.delimiters
        if not isinstance(event, Message):
            continue
        by = reading(event.type, part(event.unh, 2, 2), part(event.unh, 2, 3))
        if by is None:
            continue
        guide = load_guide(event.type, by.release)
        checked = check(guide, event.segments, marks)
        if checked.faults or event.segments[-1][0] != "UNT":
            continue
        own = Delimiters(repetition=marks.repetition)
        syntax = "4" if marks.repetition else "3"
        envelope = Envelope(
            Side("A"), Side("B"), ("D", by.release[1:]), 1, datetime(2026, 1, 1, tzinfo=UTC), own, "UNOY", syntax,
        )  # fmt: skip
        wire = write(guide, {"message": event.type, **checked.areas}, envelope)
        (again,) = [each for each in walk(read((wire,))) if isinstance(each, Message)]
        assert check(guide, again.segments, own).areas == checked.areas
        assert trimmed(again.segments[1:-1], own) == trimmed(event.segments[1:-1], marks)


def test_most_messages_that_guides_exist_for_have_nothing_against_them() -> None:
    """A guide that is too narrow would show here: real messages are mostly right."""
    inspector, verdicts = EdifactInspector(), Counter[str]()
    for row in ROWS:
        data = (FOLDER / row.path).read_bytes()
        assert inspector.recognises(data) or row.path in DIFFERENT
        for interchange in inspector.inspect(data[:LARGE])["interchanges"]:
            for each in interchange["sets"]:
                if each["type"] in messages():
                    levels = {error["level"] for error in each["errors"]}
                    verdicts["guide" if "guide" in levels else "fine"] += 1
    assert verdicts["fine"] > 100
    assert verdicts["fine"] > 2 * verdicts["guide"]


def test_text_that_is_no_character_at_all_is_marked() -> None:
    assert to_text("\xaa\xff", "iso8859-5") != ""
    assert "\ufffd" in to_text("\x81", "cp1252")
