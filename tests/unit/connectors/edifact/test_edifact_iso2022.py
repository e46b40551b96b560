"""UNOX: character sets that are called in by escape sequences, held to Python's own codecs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.errors import Rejected
from connectors.base import Decoded, Numbers, Receipt, Refusal, SourceDocument
from connectors.edifact.codec import EdifactCodec
from connectors.edifact.config import EdifactConfig
from connectors.edifact.engine.checker import Checked, check
from connectors.edifact.engine.delimiters import Delimiters
from connectors.edifact.engine.directory import load_guide
from connectors.edifact.engine.envelope import InterchangeEnd, Message, walk
from connectors.edifact.engine.iso2022 import UNREAD, Decoder, unmarked
from connectors.edifact.engine.reader import read
from tests.support.edifact_text import ORDER, interchange, message

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
_WORDS = st.text(st.sampled_from("AZ+:'? 日本語アイÀé£αΩ한국中国丂;0"), max_size=30)


def decoded(raw: bytes) -> str:
    return unmarked(Decoder().decode(raw.decode("latin-1"), final=True))


def codec(**options: Any) -> EdifactCodec:
    sides = {"our_id": "5412345000013", "partner_id": "4012345500004"}
    return EdifactCodec(EdifactConfig.model_validate({**sides, **options}))


def received(body: bytes) -> Receipt:
    return Receipt("r", "c", "d", AT, body)


def wire(decoded_: Decoded) -> str:
    """Our answers, as they are sent."""
    each = (codec().encode(it.flow, it.body, Numbers(1, 1, AT)) for it in decoded_.answers)
    return b"".join(each).decode()


def item_of(checked: Checked) -> object:
    """What the first item is called."""
    detail: Any = checked.areas["detail"]
    return detail["LIN_group"][0]["IMD"][0]["IMD0304"]


def found(data: bytes) -> list[Message]:
    return [event for event in walk(read([data])) if isinstance(event, Message)]


def ordered(text: bytes) -> bytes:
    """An order whose item is called so, in an interchange with code extension."""
    return interchange(message(ORDER), syntax="UNOX:3").encode().replace(b"DESK", text)


@pytest.mark.parametrize("codec", ["iso2022_jp_2", "iso2022_kr", "iso2022_jp"])
@given(text=_WORDS)
def test_what_python_writes_is_read_as_it_was(codec: str, text: str) -> None:
    raw = text.encode(codec, "ignore")
    assert decoded(raw) == raw.decode(codec)


@given(text=_WORDS, at=st.lists(st.integers(0, 200), max_size=4))
def test_places_stay_and_cuts_change_nothing(text: str, at: list[int]) -> None:
    raw = text.encode("iso2022_jp_2", "ignore").decode("latin-1")
    whole = Decoder().decode(raw, final=True)
    assert len(whole) == len(raw)
    decoder, rest, pieces = Decoder(), "", ""
    ends = sorted(min(each, len(raw)) for each in at)
    for start, end in zip([0, *ends], [*ends, len(raw)], strict=True):
        rest += raw[start:end]
        more = decoder.decode(rest, final=False)
        rest, pieces = rest[len(more) :], pieces + more
    assert pieces + decoder.decode(rest, final=True) == whole


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"\x1b-A \xe9t\xe9", " été"), (b"\x1b-L\xb6", "Ж"), (b"\x1b-F\xc1\xc8", "ΑΘ"), (b"\x1b-M\xd0", "Ğ"),
        (b"\x1b$)C\x0e\x47\x51\x0f+", "한+"), (b"\x1b$)C\xc7\xd1+", "한+"), (b"\x1b.A\x1bNi", "é"),
        (b"\x1b-B\x1b.A\x8e\xe9", "é"), (b"\x1b(J\\+", "¥+"), (b"\x1b(K{", "ä"),
        (b"\x1b(A#", "£"), (b"\x1b(I12\x1b(B1", "ｱｲ1"), (b"\x1b$(D\x30\x21\x1b(B", "丂"), (b"\x1b%Gn\xc3\xa9", "né"),
        (b"\xe9", "é"), (b"\x1b&@\x1b$B\x46\x7c\x1b(B", "日"), (b"\x1b*B\x1bn+\x0f", "+"), (b"\x1b-A\x1b.B\x1b}\xa3", "Ł"),
    ],
)  # fmt: skip
def test_sets_are_called_in_and_shifted_to(raw: bytes, text: str) -> None:
    assert decoded(raw) == text


@pytest.mark.parametrize(
    "raw", [b"\x1b$(GAB", b"\x1b(~A", b"\x1b-~\xe9", b"\x1b%/XA", b"\x0eA", b"\x1bNA", b"\x1bc"]
)
def test_what_is_not_read_is_marked_as_such(raw: bytes) -> None:
    assert UNREAD in decoded(raw)


@pytest.mark.parametrize("raw", [b"\x1b$BF", b"\x1b$", b"\x1b", b"\x1b$)C\x0e\x47\x0f"])
def test_half_a_character_is_none(raw: bytes) -> None:
    assert "\ufffd" in decoded(raw)


@pytest.mark.parametrize("at", range(2))
def test_half_a_character_that_looks_like_a_delimiter_is_none(at: int) -> None:
    name = (b"\x1b$B\x21\x27\x25\x2b\x3f\x3a\x1b(B", b"\x1b$)C\x0e\x30\x27\x30\x3f\x0f")[at]
    (order,) = found(ordered(name))
    checked = check(load_guide("ORDERS", "D96A"), order.segments, Delimiters())
    assert (order.faults, checked.faults) == ([], [])
    assert item_of(checked) == decoded(name) == name.decode(("iso2022_jp", "iso2022_kr")[at])


def test_a_set_stays_called_in_from_segment_to_segment() -> None:
    data = (
        ordered(b"\xb0\xa1+")
        .replace(b"UNH+1", b"\x1b$)CUNH+1")
        .replace(b"RING", b"\x0e\x30\x21\x0f")
    )
    (order,) = found(data)
    assert not order.faults
    assert [segment for segment in order.segments if segment[0] in ("FTX", "IMD")] == [
        ["FTX", "DEL", "", "", "가 AT GATE 3"], ["IMD", "F", "", ":::가", ""],
    ]  # fmt: skip


def test_each_interchange_begins_with_ascii_again() -> None:
    second = interchange(message(ORDER.replace("DESK", "Größe"))).encode("latin-1")
    data = ordered(b"\x1b$B\x46\x7c\x1b(B") + second + ordered(b"\xc3\xa9")
    items = [next(s for s in each.segments if s[0] == "IMD")[3] for each in found(data)]
    assert items == [":::日", ":::Größe", ":::é"]
    ends = [event for event in walk(read([data])) if isinstance(event, InterchangeEnd)]
    assert [event.faults for event in ends] == [[], [], []]


def test_a_set_that_is_not_read_is_refused_at_its_element_and_the_sender_is_told() -> None:
    good = message(ORDER.replace("PO-4711", "PO-4712"), reference="2")
    bad = message(ORDER.replace("DESK", "\x1b$(GAB\x1b(B"))
    decoded_ = codec().decode(received(interchange(bad, good, syntax="UNOX:3").encode("latin-1")))
    refused, accepted = decoded_.documents
    assert isinstance(refused, Refusal)
    assert isinstance(accepted, SourceDocument)
    assert (refused.error.code, refused.error.where) == ("charset_unsupported", "IMD[1].IMD0304")
    assert refused.answered
    assert "UCD+46+4:4'" in wire(decoded_)


def test_a_set_that_is_never_left_again_swallows_no_other_interchange_unseen() -> None:
    decoded_ = codec().decode(received(ordered(b"\x1b$B\x46\x7c")))
    assert [each.error.code for each in decoded_.documents if isinstance(each, Refusal)] == [
        "interchange_truncated"
    ]


@pytest.mark.parametrize("text", ["日本語 DESK", "Größe", "Αθήνα", "한국", "中国", "A+B:C'D?"])
def test_what_we_write_with_code_extension_reads_back(text: str) -> None:
    partner = codec(charset="UNOX")
    (order,) = codec().decode(received(interchange(message(ORDER)).encode())).documents
    assert isinstance(order, SourceDocument)
    order.body["detail"]["LIN_group"][0]["IMD"][0]["IMD0304"] = text
    wire_ = partner.encode("ORDERS", order.body, Numbers(7, 7, AT))
    assert b"UNB+UNOX:3+" in wire_
    (again,) = found(wire_)
    checked = check(load_guide("ORDERS", "D96A"), again.segments, Delimiters())
    assert item_of(checked) == text


def test_what_code_extension_lacks_too_is_not_written() -> None:
    body = {"heading": {"BGM": {"BGM0201": "\U0001f4e6"}}}
    with pytest.raises(Rejected, match="character_not_in_charset"):
        codec(charset="UNOX").encode("DESADV", body, Numbers(1, 1, AT))
