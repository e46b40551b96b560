"""Real X12 files of many origins: all are read, none crashes or hangs, and the counts agree."""

from __future__ import annotations

import csv
import os
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from connectors.base import Receipt
from connectors.x12.codec import X12Codec
from connectors.x12.config import X12Config
from connectors.x12.engine.checker import check
from connectors.x12.engine.control import element
from connectors.x12.engine.delimiters import Delimiters
from connectors.x12.engine.envelope import (
    Acknowledged,
    GroupStart,
    InterchangeStart,
    TransactionSet,
    walk,
)
from connectors.x12.engine.guide import load_guide
from connectors.x12.engine.levels import nested
from connectors.x12.engine.reader import Stray, chunks_of, read
from connectors.x12.engine.writer import Envelope, write

_DEFAULT = Path(__file__).parents[4] / "../shared/samples"
FOLDER = Path(os.environ.get("CROSSDOCK_SAMPLES", _DEFAULT)) / "edi"

DIFFERENT = {
    # Two files whose manifest was counted on bytes: their component separator is a UTF-8 broken
    # bar, of which the manifest took one byte for the segment terminator.
    "x12/200/Inteligenz-X12Parser__MortgageBrokersExample.txt",
    "x12/811/Inteligenz-X12Parser__GraniteNetExample.txt",
    # Its lines end in a blank, which the manifest takes for the terminator; our count is SE01's.
    "x12/850/Inteligenz-X12Parser__Example4_Adobe_ShrinkWrapped.txt",
}
WORDS = {
    "SE01": "set_count_mismatch", "SE02": "set_control_mismatch", "GE01": "group_count_mismatch",
    "GE02": "group_control_mismatch", "IEA01": "interchange_count_mismatch",
    "IEA02": "interchange_control_mismatch", "missing-SE": "set_trailer_missing",
    "missing-IEA": "interchange_truncated", "GE-without-GS": "interchange_content_invalid",
}  # fmt: skip
"""What the manifest calls a wrong envelope -> our code."""


class Row(NamedTuple):
    """One X12 file of the manifest."""

    path: str
    facts: str


def rows() -> list[Row]:
    manifest = FOLDER / "MANIFEST.tsv"
    if not manifest.is_file():
        return []
    with manifest.open(encoding="utf-8", newline="") as lines:
        table = csv.DictReader(lines, delimiter="\t")
        return [Row(row["path"], row["facts"]) for row in table if row["standard"] == "x12"]


ROWS = rows()
pytestmark = pytest.mark.skipif(not ROWS, reason="the shared samples are not here")


def counted(data: bytes) -> tuple[Counter[str], list[str]]:
    """How many events of each kind, and the codes of all envelope faults."""
    kinds: Counter[str] = Counter()
    codes: list[str] = []
    for event in walk(read(chunks_of(data))):
        kinds[type(event).__name__] += 1
        if isinstance(event, Stray):
            codes.append(event.error.code)
        elif not isinstance(event, Acknowledged):
            codes += [fault.code for fault in event.faults]
    return kinds, codes


def test_there_are_hundreds_of_them() -> None:
    assert len(ROWS) > 200


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.path)
def test_the_envelopes_that_are_found_are_those_of_an_independent_count(row: Row) -> None:
    kinds, codes = counted((FOLDER / row.path).read_bytes())
    found = tuple(kinds[name] for name in ("InterchangeStart", "GroupStart", "TransactionSet"))
    expected = re.search(r"ISA=(\d+),GS=(\d+),ST=(\d+)", row.facts)
    if row.path not in DIFFERENT:
        assert found == (tuple(map(int, expected.groups())) if expected else (0, 0, 0))
        wrong = re.search(r"ENVELOPE:(\S+)", row.facts)
        named = {word for mark, word in WORDS.items() if wrong and mark in wrong[1]}
        assert named <= set(codes)
        assert bool(set(codes) - {"isa_length"}) == bool(wrong or not expected)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.path)
def test_every_file_is_read_the_same_in_small_chunks(row: Row) -> None:
    data = (FOLDER / row.path).read_bytes()
    pieces = [data[at : at + 97] for at in range(0, len(data), 97)]
    whole = [type(event).__name__ for event in walk(read((data,)))]
    assert [type(event).__name__ for event in walk(read(pieces))] == whole


@pytest.mark.parametrize("strictness", ["strict", "tolerant"])
def test_the_codec_takes_every_file_from_whoever_sent_it(strictness: str) -> None:
    """Each file is read as from its own sender, so that what is inside is looked at too."""
    flows: Counter[str] = Counter()
    for row in ROWS:
        data = (FOLDER / row.path).read_bytes()
        header = next(iter(read((data,))), None)
        isa = getattr(header, "segment", ["ISA", *[""] * 16])
        options = {
            "partner_qualifier": isa[5].strip() or "ZZ", "partner_id": isa[6].strip()[:15].strip() or "NOBODY",
            "our_qualifier": isa[7].strip() or "ZZ", "our_id": isa[8].strip()[:15].strip() or "NOBODY",
            "our_group_id": "US", "partner_group_id": "THEM", "strictness": strictness,
            "usage": isa[15] if isa[15] in {"P", "T"} else "P",
        }  # fmt: skip
        config = X12Config.model_validate(options)
        receipt = Receipt("r1", "c1", "d1", datetime(2026, 11, 20, tzinfo=UTC), data)
        decoded = X12Codec(config).decode(receipt)
        assert decoded.documents, row.path
        flows.update(document.flow for document in decoded.documents)
    assert flows["850"] >= 20
    assert flows["997"] >= 20


def trimmed(segments: list[list[str]], component: str) -> list[list[str]]:
    """Segments without the elements and components at their ends that say nothing."""
    found = []
    for segment in segments:
        kept = [value.rstrip(component) for value in segment]
        while kept and not kept[-1]:
            kept.pop()
        found.append(kept)
    return found


def sets() -> Iterator[tuple[str, Delimiters, str, TransactionSet]]:
    """(file, delimiters, version, set) of all sets that stand in a group."""
    for row in ROWS:
        marks, version = Delimiters(), ""
        for event in walk(read(chunks_of((FOLDER / row.path).read_bytes()))):
            if isinstance(event, InterchangeStart):
                marks, version = event.delimiters, ""
            elif isinstance(event, GroupStart):
                version = element(event.gs, 8)
            elif isinstance(event, TransactionSet) and version:
                yield row.path, marks, version, event


def test_what_its_guide_allows_is_written_as_it_was_read() -> None:
    """Segment by segment, in the file's own delimiters; the envelope is ours."""
    count, at = 0, datetime(2026, 1, 1, tzinfo=UTC)
    for path, marks, version, one in sets():
        guide = load_guide(one.identifier, version)
        checked = check(guide, one.segments, marks) if guide and not one.faults else None
        if guide is None or checked is None or checked.faults:
            continue
        nested(checked.areas)
        envelope = Envelope(("ZZ", "A", "AA"), ("ZZ", "B", "BB"), version, "P", 1, 1, at, marks)
        wire = write(guide, {"transaction_set": one.identifier, **checked.areas}, envelope)
        (again,) = (each for each in walk(read((wire,))) if isinstance(each, TransactionSet))
        was, now = (trimmed(each.segments[1:-1], marks.component) for each in (one, again))
        assert now == was, path
        count += 1
    assert count > 100


FAULTY = {
    "204/BerryWorksSoftware-edireader__EDIReaderTest_L146.edi", "204/BerryWorksSoftware-edireader__EDIReaderTest_L44.edi",
    "204/GT-Logistics-edi-x12__no-se-trailer.edi", "210/Inteligenz-X12Parser__DBSchenker_SampleMotorFreightDetailsAndInvoice.txt",
    "810/Inteligenz-X12Parser__Example3_MultiInvoice.txt", "810/Inteligenz-X12Parser__Example5_Walmart.txt", "810/bots-edi-bots-plugins__810_3.x12",
    "820/Inteligenz-X12Parser__Example1_MortgageBankers.txt", "820/Inteligenz-X12Parser__Example2_ScanaEnergy.txt",
    "820/Inteligenz-X12Parser__Example3_HomeDepot.txt", "820/Inteligenz-X12Parser__Example5_Wikipedia.txt", "824/Inteligenz-X12Parser__FromTmhpSpec.txt",
    "846/Inteligenz-X12Parser__Example2.txt", "852/Inteligenz-X12Parser__hdexchange.txt", "856/Inteligenz-X12Parser__Example4.txt",
    "856/Inteligenz-X12Parser__edi1Source.txt", "856/aaronhuggins-node-x12__856.edi", "856/freight-trust-libedi__Sample_4010_856.txt",
    "865/Inteligenz-X12Parser__FromAdvanceAutoParts.txt", "940/olmelabs-EdiEngine__AckTest.edi",
}  # fmt: skip
"""Files that break the standard; docs/edi-x12-corpus.md says where and how."""


def test_the_guides_pass_every_real_document_but_those_that_break_the_standard() -> None:
    """850, 997 and 999 are left to the tests of their own: their files are mostly made to fail."""
    failed = set()
    for path, marks, version, one in sets():
        guide = load_guide(one.identifier, version)
        if guide and check(guide, one.segments, marks).faults:
            failed.add(path.removeprefix("x12/"))
    assert {path for path in failed if path[:3] not in {"850", "997", "999"}} == FAULTY
