"""Segments come out the same however the stream is cut, and each knows where it stands."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.x12.engine.batch import Batch
from connectors.x12.engine.delimiters import Header
from connectors.x12.engine.reader import CHUNK, MAX_SEGMENT, Stray, chunks_of, read
from tests.support.x12_text import as_bytes, isa, orders

SAMPLES = sorted((Path(__file__).parents[4] / "connectors/x12/samples").glob("*/*.edi"))
BINARY = (
    isa() + "~GS*PI~ST*275*0001~BIN*11*a~b*c\nIEA*~~EFI*1~BDS*ASC*3*~~~~SE*1~IEA*1*000000905~"
).encode()


def flat(chunks: Iterable[bytes]) -> list[Any]:
    """Everything that is read, without the borders between batches."""
    found: list[Any] = []
    for item in read(chunks):
        if isinstance(item, Header):
            found.append((item.segment, item.delimiters, item.offset))
        elif isinstance(item, Batch):
            found += [(segment, item.offset(at)) for at, segment in enumerate(item.segments)]
        else:
            found.append((item.error.code, item.offset))
    return found


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def segments(data: bytes) -> list[list[str]]:
    return [s for item in read((data,)) if isinstance(item, Batch) for s in item.segments]


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_every_chunk_size_from_1_to_300_reads_the_same(path: Path) -> None:
    data = path.read_bytes()
    whole = flat((data,))
    assert [size for size in range(1, 301) if flat(cut(data, size)) != whole] == []


def test_binary_data_read_the_same_for_every_chunk_size() -> None:
    whole = flat((BINARY,))
    assert [size for size in range(1, 301) if flat(cut(BINARY, size)) != whole] == []


def test_a_file_wrapped_at_80_columns_reads_the_same_for_every_chunk_size() -> None:
    plain = as_bytes(orders(), "~")
    wrapped = b"\r\n".join(cut(plain, 80))
    assert [s for s, _ in flat((wrapped,))[1:]] == [s for s, _ in flat((plain,))[1:]]
    whole = flat((wrapped,))
    assert [size for size in range(1, 301) if flat(cut(wrapped, size)) != whole] == []


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_split_of_any_of_these_files_reads_the_same(data: st.DataObject) -> None:
    body = data.draw(st.sampled_from([path.read_bytes() for path in SAMPLES] + [BINARY]))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(body)), max_size=40)))
    pieces = [body[a:b] for a, b in pairwise([0, *cuts, len(body)])]
    assert flat(pieces) == flat((body,))


@settings(max_examples=150, deadline=None)
@given(noise=st.binary(max_size=60), at=st.integers(0, 500), cuts=st.sets(st.integers(0, 600)))
def test_damage_reads_the_same_for_any_split_and_never_raises(
    noise: bytes, at: int, cuts: set[int]
) -> None:
    good = as_bytes(orders())
    body = good[:at] + noise + good[at + len(noise) :]
    borders = [0, *sorted(cut for cut in cuts if cut < len(body)), len(body)]
    pieces = [body[a:b] for a, b in pairwise(borders)]
    assert flat(pieces) == flat((body,))


def test_what_is_in_memory_is_read_in_bounded_chunks() -> None:
    data = as_bytes(orders()) * 200
    assert max(map(len, chunks_of(data))) == CHUNK
    assert flat(chunks_of(data)) == flat((data,))


@pytest.mark.parametrize(
    "terminator", ["~", "~\n", "~\r\n", "~ \n", "\n", "\r\n", "\r", "\x15", "\u2026"]
)
def test_line_ends_after_terminators_are_no_data(terminator: str) -> None:
    expected = [segment.split("*") for segment in orders()[1:]]
    assert segments(as_bytes(orders(), terminator)) == expected


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b"\r\n\r\n", b"\xef\xbb\xbf \n"])
@pytest.mark.parametrize("after", [b"", b"\n\n", b"\x1a", b"\x00" * 20])
def test_byte_order_marks_blanks_and_end_of_file_marks_are_no_data(
    before: bytes, after: bytes
) -> None:
    data = before + as_bytes(orders()) + after
    assert not [item for item in read((data,)) if isinstance(item, Stray)]
    assert len(segments(data)) == len(orders()) - 1


def test_indented_segments_are_read_and_placed_at_their_tags() -> None:
    data = as_bytes(["  " * (at % 4) + segment for at, segment in enumerate(orders()) if segment])
    for segment, offset in flat((data,))[1:]:
        assert data[offset:].startswith(segment[0].encode() + b"*")


def test_offsets_are_bytes_also_after_text_outside_ascii() -> None:
    data = as_bytes([segment.replace("ATHENS", "ÅTHÉNS …") for segment in orders()])
    for segment, offset in flat((data,))[1:]:
        assert data[offset:].startswith(segment[0].encode() + b"*")


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("MÜNCHEN".encode(), "MÜNCHEN"),
        ("MÜNCHEN".encode("latin-1"), "MÜNCHEN"),
        (b"BOB\x92S", "BOB\u2019S"),
        (b"\x81", "\x81"),
    ],
)
def test_text_is_utf8_else_windows_1252_else_latin_1(raw: bytes, text: str) -> None:
    data = as_bytes(orders()).replace(b"ATHENS DESK", raw)
    assert ["PID", "F", "", "", "", text] in segments(data)


def test_blanks_before_the_line_breaks_that_end_segments_are_no_data() -> None:
    data = as_bytes(orders(), " \r\n")
    assert segments(data[:-3]) == segments(data) == segments(as_bytes(orders()))
    whole = flat((data,))
    assert [size for size in range(1, 301) if flat(cut(data, size)) != whole] == []


def test_the_last_terminator_may_be_missing() -> None:
    assert segments(as_bytes(orders())[:-2]) == segments(as_bytes(orders()))


def test_binary_segments_are_as_long_as_they_say_whatever_they_hold() -> None:
    found = segments(BINARY)
    assert found[2] == ["BIN", "11", "a~b*c\nIEA*~"]
    assert found[4] == ["BDS", "ASC", "3", "~~~"]
    assert found[-1] == ["IEA", "1", "000000905"]


@pytest.mark.parametrize("length", ["", "x", "-3", "99999", "2", "٣"])
def test_a_binary_segment_with_a_wrong_length_ends_at_the_next_terminator(length: str) -> None:
    data = (isa() + f"~ST*275*0001~BIN*{length}*abc~SE*3*0001~IEA*1*000000905~").encode()
    assert segments(data)[1] == ["BIN", length, "abc"]


def test_delimiters_may_change_between_interchanges() -> None:
    other = [segment.replace("*", "|").replace(">", ":") for segment in orders()]
    data = as_bytes(orders()) + as_bytes(other, "!") + as_bytes(orders(), "\n")
    assert segments(data) == segments(as_bytes(orders())) * 3


def test_an_interchange_without_iea_ends_where_the_next_isa_begins() -> None:
    first = as_bytes(orders()[:-1])
    items = list(read((first + as_bytes(orders()),)))
    assert [item.offset for item in items if isinstance(item, Header)] == [0, len(first)]
    assert segments(first + as_bytes(orders())) == segments(first) + segments(as_bytes(orders()))


def test_the_letters_iea_or_isa_inside_of_data_end_nothing() -> None:
    data = as_bytes(
        [
            s.replace("ATHENS DESK", "MARIEA") + ""
            for s in orders("BEG*00*SA*ISA**20261120\nREF*IEA*ISA\nMSG*XIEA*YISA\nPO1*1*IEA*ISA")
        ]
    )
    assert ["MSG", "XIEA", "YISA"] in segments(data)
    assert len(segments(data)) == len(orders("A\nB\nC\nD")) - 1


@pytest.mark.parametrize("data", [b"GS*PO~ST*850~", b"<?xml?>", b"\xff\xfeI\x00S\x00A\x00", b"IS"])
def test_what_does_not_begin_with_an_isa_is_refused(data: bytes) -> None:
    assert flat((data,)) == [("interchange_missing", 0)]


def test_data_after_an_interchange_are_refused_where_they_begin() -> None:
    data = as_bytes(orders())
    assert flat((data + b"Best regards,\nJo",))[-1] == ("interchange_missing", len(data))


def test_a_stream_of_blanks_is_not_kept() -> None:
    """Twenty megabytes of line ends: copying all that came before each chunk would not end."""
    blanks = b"\r\n" * 10_000_000
    assert [item[0] for item in flat(chunks_of(blanks + b"ISX"))] == ["interchange_missing"]


def test_nothing_is_read_of_an_empty_stream() -> None:
    assert flat(()) == flat((b"",)) == flat((b" \r\n",)) == []


def test_a_segment_that_never_ends_is_given_up() -> None:
    head = (isa() + "~").encode()
    found = flat((head, b"A" * (MAX_SEGMENT // 2), b"B" * MAX_SEGMENT, b"C" * MAX_SEGMENT, b"~"))
    assert found[1:] == [("segment_too_long", len(head))]
