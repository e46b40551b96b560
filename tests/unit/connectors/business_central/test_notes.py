"""The note on a line: what it says is what was written, in fifty characters."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connectors.business_central.notes import Note, line_key, shipment_key

NUMBERS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=80)


@given(NUMBERS, NUMBERS)
def test_a_note_reads_back_as_it_was_written_and_fits(line: str, shipment: str) -> None:
    for note in (
        Note(line_key(line), shipment_key(shipment)),
        Note("", shipment_key(shipment)),
        Note(line_key(line), ""),
    ):
        assert Note.read(note.written()) == note
        assert len(note.written()) <= 50


@given(NUMBERS, NUMBERS)
def test_two_shipments_never_share_a_note(one: str, other: str) -> None:
    assert (shipment_key(one) == shipment_key(other)) == (one == other)


def test_a_note_is_readable() -> None:
    assert Note("10", "SHP-7001").written() == "LINE 10 SHIPMENT SHP-7001"


def test_a_number_that_reads_like_a_note_is_hashed() -> None:
    assert shipment_key("A SHIPMENT B").startswith("#")
    assert shipment_key("x" * 16).startswith("#")
    assert Note.read(Note("1 SHIPMENT 2", "S1").written()) == Note("1 SHIPMENT 2", "S1")


def test_what_others_wrote_says_nothing() -> None:
    for text in ("", "black, 2 m", "FREE SHIPMENT OFFER", "line 1", "DEADLINE 5"):
        assert Note.read(text) == Note()
