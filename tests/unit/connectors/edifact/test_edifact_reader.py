"""Bytes to segments: delimiters, character sets, places, and the same for every split."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.edifact.engine.delimiters import Delimiters, Header
from connectors.edifact.engine.marks import escape, protected, released, table
from connectors.edifact.engine.reader import MAX_SEGMENT, Batch, Reader, Stray, read
from tests.support.edifact_text import ORDER, interchange, message, orders

GOOD = orders().encode()
CALLED_IN = interchange(
    message(ORDER.replace("DESK", "\x1b$)C\x0e0'?+\x0f \x1b$B\x27\x2b\x1b(B")), syntax="UNOX:3"
).encode()
"""With code extension: characters whose bytes look like delimiters."""


def items(*chunks: bytes) -> list[Any]:
    """What is read, in a form that can be compared; batches are cut differently by chunk."""
    found: list[Any] = []
    for item in read(chunks):
        if isinstance(item, Header):
            found.append((item.text, item.delimiters, item.offset))
        elif isinstance(item, Stray):
            found.append((item.error.code, item.offset, item.line))
        else:
            escapes = table(item.marks)
            for index, segment in enumerate(item.segments):
                place = item.place(index)
                text = [element.translate(escapes) for element in segment]
                found.append((text, place.offset, place.line))
    return found


def segments(data: bytes) -> list[list[str]]:
    return [item[0] for item in items(data) if isinstance(item[0], list)]


def headers(data: bytes) -> list[Delimiters]:
    return [item[1] for item in items(data) if isinstance(item[0], str) and len(item) == 3 and isinstance(item[1], Delimiters)]  # fmt: skip


def with_marks(text: str, una: str) -> bytes:
    """The text with other delimiters, and the UNA that says so."""
    component, element, _, release, _, terminator = tuple(una)
    other = str.maketrans({":": component, "+": element, "'": terminator, "?": release})
    return f"UNA{una}{text.translate(other)}".encode()


TRICKY = [
    GOOD,
    b"\xef\xbb\xbf" + GOOD,
    orders(ORDER.replace("DESK", "D?+E?:S?'K??")).encode(),
    orders(ORDER.replace("DESK", "D??'IMD+F++:::???'")).encode(),
    orders(ORDER.replace("DESK", "SCHREIBTISCH GRÖSSE Ł")).encode(),
    orders(ORDER.replace("DESK", "GRÖSSE")).encode("latin-1"),
    GOOD.replace(b"'", b"'\r\n"),
    GOOD.replace(b"'", b"\n"),
    GOOD + b"\r\n" + with_marks(orders(), "*|,! $") + GOOD,
    GOOD[:-20] + GOOD,
    with_marks(orders(), ":+.? *") + b"\n" + GOOD,
    b"UNA:+.  '\r\n" + GOOD,
    message(ORDER).encode(),
    GOOD[: len(GOOD) // 2],
    b"UNA:+.? '",
    b"UNB+UNOX:3+A+B+261120:0830+1'",
    CALLED_IN,
    CALLED_IN.replace(b"\x0f", b"") + b"\r\n" + GOOD,
    CALLED_IN[:-12] + GOOD + CALLED_IN,
    CALLED_IN.replace(b"\x1b$)C", b"\x1b.A\x1bNi\x1b(") + b"\x1b$",
    b"hello",
    GOOD + b"rubbish",
    interchange(message("BGM+220'" + "FTX+AAI+++?'?''" * 20)).encode(),
]


@pytest.mark.parametrize("data", TRICKY, ids=range(len(TRICKY)))
def test_every_single_byte_fed_alone_gives_the_same(data: bytes) -> None:
    assert items(*(data[at : at + 1] for at in range(len(data)))) == items(data)


@pytest.mark.parametrize("data", TRICKY, ids=range(len(TRICKY)))
def test_every_cut_into_two_gives_the_same(data: bytes) -> None:
    whole = items(data)
    for at in range(len(data)):
        assert items(data[:at], data[at:]) == whole


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.text("UNABHZ+:'?* \r\nx1é", max_size=80),
    st.sampled_from(["", "UNA:+.? '", "UNA:+.?*'", "UNA*|,! $", "UNA:+.  '"]),
    st.lists(st.integers(1, 9), min_size=1, max_size=9),
)
def test_any_text_cut_anyhow_gives_the_same(text: str, una: str, sizes: list[int]) -> None:
    data = (una + "UNB+UNOC:4+A+B+1:2+3'UNH+1+X'" + text + "UNZ+1+3'" + text).encode()
    chunks: list[bytes] = []
    at = 0
    while at < len(data):
        size = sizes[len(chunks) % len(sizes)]
        chunks.append(data[at : at + size])
        at += size
    assert items(*chunks) == items(data)


@given(st.text("ab+:'?*"), st.sampled_from([Delimiters(), Delimiters(repetition="*")]))
def test_what_is_released_reads_back_as_it_was(value: str, marks: Delimiters) -> None:
    wire = released(protected(value, marks), marks)
    assert escape(wire, marks).translate(table(marks)) == value
    kept = escape(wire, marks)
    assert not any(mark in kept for mark in marks.separators())


def test_released_characters_do_not_separate() -> None:
    text = "UNB+UNOC:3+A+B+1:2+3'FTX+AAI+++A?+B?:C?'D??:E'UNZ+0+3'"
    assert segments(text.encode())[0] == ["FTX", "AAI", "", "", "A+B:C'D?:E"]


@pytest.mark.parametrize(
    ("una", "expected"),
    [
        (":+.? '", Delimiters()),
        (":+,? '", Delimiters(decimal=",")),
        (":+.? *", Delimiters(segment="*")),
        ("^|.! ~", Delimiters("^", "|", ".", "!", None, "~")),
        (":+.  '", Delimiters(release=None)),
    ],
)
def test_a_una_says_what_separates(una: str, expected: Delimiters) -> None:
    head = with_marks("UNB+UNOA:2+A+B+1:2+3'", una)
    assert headers(head) == [expected]


@pytest.mark.parametrize("between", ["", "\r\n", "\n", "  "])
def test_line_breaks_may_stand_after_a_una(between: str) -> None:
    assert len(segments(f"UNA:+.? '{between}{orders()}".encode())) == len(segments(GOOD))


@pytest.mark.parametrize(
    ("syntax", "una", "repetition"),
    [("UNOC:4", "", "*"), ("UNOC:3", "", None), ("UNOC:4", "UNA:+.? '", None),
     ("UNOC:4", "UNA:+.?~'", "~"), ("UNOC:3", "UNA:+.?*'", None)],
)  # fmt: skip
def test_elements_repeat_from_syntax_version_four_on(
    syntax: str, una: str, repetition: str | None
) -> None:
    data = una + interchange(message(ORDER), syntax=syntax)
    assert headers(data.encode())[0].repetition == repetition


def test_level_b_of_the_first_version_separates_with_control_characters() -> None:
    text = orders().replace(":", "\x1f").replace("+", "\x1d").replace("'", "\x1c")
    found = [[each.replace("\x1f", ":") for each in segment] for segment in segments(text.encode())]
    assert found == segments(GOOD)


def test_interchanges_of_one_file_may_have_other_delimiters() -> None:
    data = GOOD + with_marks(orders(), "*|,! $") + GOOD
    one = segments(GOOD)
    assert len(segments(data)) == 3 * len(one)
    assert [marks.element for marks in headers(data)] == ["+", "|", "+"]


def test_segments_may_end_with_line_breaks_and_no_apostrophe() -> None:
    assert segments(GOOD.replace(b"'", b"\r\n")) == segments(GOOD)


def test_files_wrapped_at_a_fixed_column_are_joined_again() -> None:
    wrapped = b"\r\n".join(GOOD[at : at + 60] for at in range(0, len(GOOD), 60))
    assert segments(wrapped) == segments(GOOD)


@pytest.mark.parametrize(
    ("syntax", "encoding", "text"),
    [("UNOA:1", "ascii", "DESK 7"), ("UNOB:1", "ascii", "Desk #7"), ("UNOB:1", "cp1252", "Größe"), ("UNOC:3", "latin-1", "Größe"),
     ("UNOD:3", "iso8859-2", "Łódź"), ("UNOE:3", "iso8859-5", "Рыба"), ("UNOF:3", "iso8859-7", "Αθήνα"), ("UNOG:3", "iso8859-3", "Ĝis"),
     ("UNOH:3", "iso8859-4", "Ķēniņš"), ("UNOI:3", "iso8859-6", "مكتب"), ("UNOJ:3", "iso8859-8", "שולחן"), ("UNOK:3", "iso8859-9", "Ağaç"),
     ("UNOL:3", "iso8859-15", "5 €"), ("UNOM:3", "iso8859-13", "Ūdens"), ("UNON:3", "iso8859-16", "Masă ș"),
     ("UNOW:4", "utf-8", "日本"), ("UNOX:3", "iso2022_jp_2", "日本 é"), ("UNOY:4", "utf-8", "日本"),
     ("UNOA:2", "utf-8", "Größe"), ("UNOE:3", "utf-8", "Рыба"), ("UNOX:3", "utf-8", "日本"), ("UNOX:3", "latin-1", "Größe"),
     ("IATB:1", "cp1252", "Größe")],
)  # fmt: skip
def test_text_is_read_by_its_character_set_and_as_utf_8_where_it_is(
    syntax: str, encoding: str, text: str
) -> None:
    data = interchange(message(ORDER.replace("DESK", text)), syntax=syntax).encode(encoding)
    assert ["IMD", "F", "", f":::{text}"] in segments(data)


def test_a_segment_knows_its_byte_and_line() -> None:
    data = GOOD.replace(b"'", b"'\r\n")
    for text, offset, line in items(data)[1:]:
        assert data[offset : offset + 3].decode() == text[0]
        assert line == data.count(b"\n", 0, offset) + 1


def test_a_segment_without_end_is_refused_and_not_kept() -> None:
    reader = Reader()
    list(reader.feed(b"UNB+UNOC:3+A+B+1:2+3'FTX+"))
    found = [item for _ in range(40) for item in reader.feed(b"A" * 50_000)]
    (stray,) = found
    assert isinstance(stray, Stray)
    assert stray.error.code == "segment_too_long"
    assert MAX_SEGMENT < 40 * 50_000
    assert list(reader.feed(b"A")) == []


def test_memory_stays_flat_over_a_long_stream() -> None:
    reader = Reader()
    longest = 0
    for at in range(0, 200 * len(GOOD), 10_000):
        chunk = (GOOD * 12)[at % len(GOOD) :][:10_000]
        for item in reader.feed(chunk):
            if isinstance(item, Batch):
                longest = max(longest, sum(map(len, item.segments)))
    assert 0 < longest < 10_000


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"hello", "interchange_missing"),
        (b"UNB", "interchange_missing"),
        (b"UNX+1'", "interchange_missing"),
        (b"UNA::.? 'UNB:1'", "delimiter_ambiguous"),
        (b"UNAA+.? 'UNBA1'", "unb_unreadable"),
        (b"UNA:+.? 'UNB*UNOA*1'", "unb_unreadable"),
        (b"UNB+UNOA:1+A+B", "unb_unreadable"),
    ],
)
def test_what_is_no_interchange_is_refused_with_its_place(data: bytes, code: str) -> None:
    assert items(b"\n" + data)[-1] == (code, 1, 2)
