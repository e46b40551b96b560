"""Delimiters come from the ISA, whatever it looks like."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canonical.errors import Rejected
from connectors.x12.engine.delimiters import Delimiters, Header, read_header
from tests.support.x12_text import isa


def header(text: str) -> Header:
    found = read_header(text, 0, final=True)
    assert found is not None
    return found


def test_an_isa_of_106_characters_gives_its_delimiters_and_elements() -> None:
    found = header(isa() + "~GS*PO")
    assert found.delimiters == Delimiters("*", ">", "~", None)
    assert found.segment[6] == "ACMEDIST       "
    assert (found.size, found.segment[16], found.faults()) == (106, ">", [])


@pytest.mark.parametrize("element", ["*", "|", "~", "^", "\x1d", "\t", ","])
@pytest.mark.parametrize("segment", ["?", "\n", "\r", "\x15", "$", "\\", "}", "!", "'", ".", " "])
def test_any_two_separators_are_found(element: str, segment: str) -> None:
    found = header(isa().replace("*", element) + segment + "GS")
    assert found.delimiters == Delimiters(element, ">", segment, None)


@pytest.mark.parametrize("mark", ["\u2026", "\u00a6", "\u20ac"])
def test_a_separator_may_be_several_utf8_bytes(mark: str) -> None:
    wire = (isa() + mark + "GS").encode().decode("latin-1")
    found = header(wire)
    assert found.delimiters.segment == mark
    assert found.size == 105 + len(mark.encode())


def test_a_single_byte_outside_ascii_is_a_separator_too() -> None:
    assert header(isa() + "\xa6GS").delimiters.segment == "\u00a6"


@pytest.mark.parametrize(
    ("eleventh", "version", "repetition"),
    [
        ("^", "00402", "^"), ("^", "00501", "^"), ("U", "00402", None), ("U", "00501", None),
        ("^", "00401", None), (" ", "00501", None), ("9", "00501", None), (">", "00501", None),
    ],
)  # fmt: skip
def test_elements_repeat_from_00402_on_unless_isa11_is_alphanumeric(
    eleventh: str, version: str, repetition: str | None
) -> None:
    found = header(isa(release=(eleventh, version)) + "~")
    assert found.delimiters.repetition == repetition


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (isa().replace("ACMEDIST       ", "ACMEDIST"), "ISA06"),
        (isa().replace("*00*          *00*          *", "*00**00**", 1), "ISA02"),
        (isa().replace("000000905", "905"), "ISA13"),
        (isa().replace("*0830*", "*08300*"), "ISA10"),
    ],
)
def test_an_isa_that_is_not_padded_is_read_and_its_wrong_element_named(
    text: str, place: str
) -> None:
    found = header(text + "~GS")
    assert found.delimiters == Delimiters("*", ">", "~", None)
    assert [(fault.code, fault.where) for fault in found.faults()] == [("isa_length", place)]


VALUE = st.text("0123456789AZ *~>^U\u00e9", max_size=9)


@settings(max_examples=300, deadline=None)
@given(number=st.integers(1, 16), value=VALUE, element=st.sampled_from("*|^0A "), tail=VALUE)
def test_an_isa_is_read_the_same_at_once_and_with_a_look_at_every_element(
    number: int, value: str, element: str, tail: str
) -> None:
    """A line break in it makes the difference; what it holds is the same."""
    fields = isa().split("*")
    fields[number] = value.ljust(len(fields[number]))[: len(fields[number])]
    text = element.join(fields)
    at_once, closely = (
        said(text + "~" + tail),
        said(text[:3] + text[3:4] + "\n" + text[4:] + "~" + tail),
    )
    assert at_once == closely


def said(text: str) -> tuple[list[str], Delimiters] | str:
    try:
        found = read_header(text, 0, final=True)
    except Rejected as error:
        return error.code
    assert found is not None
    return found.segment, found.delimiters


def test_the_isas_of_a_partner_share_nothing_that_one_of_them_may_change() -> None:
    first = header(isa("000000001") + "~")
    first.segment[6] = "CHANGED"
    second = header(isa("000000002") + "~")
    assert (second.segment[6].strip(), second.segment[13]) == ("ACMEDIST", "000000002")


def test_line_breaks_inside_the_isa_are_no_part_of_its_elements() -> None:
    text = isa()
    found = header(text[:80] + "\r\n" + text[80:] + "~")
    assert found.wrapped
    assert found.segment == header(text + "~").segment


@pytest.mark.parametrize("cut", [4, 20, 60, 104, 105])
def test_more_text_is_awaited_until_the_terminator(cut: int) -> None:
    assert read_header(isa()[:cut], 0, final=False) is None
    with pytest.raises(Rejected, match="isa_unreadable"):
        read_header(isa()[:cut], 0, final=True)


def test_an_isa_without_separators_is_given_up_after_512_characters() -> None:
    with pytest.raises(Rejected, match="isa_unreadable"):
        read_header("ISA*" + "0" * 600, 0, final=False)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (isa() + ">GS", "delimiter_ambiguous"),
        (isa() + "*GS", "delimiter_ambiguous"),
        (isa().replace(">", "\n") + "GS", "isa_unreadable"),
        (isa().replace("*0*P*", "*P*") + "~\nGS*PO*A", "isa_unreadable"),
        ("ISAX" + isa()[4:] + "~", "isa_unreadable"),
    ],
)
def test_delimiters_that_cannot_be_told_apart_are_refused(text: str, code: str) -> None:
    with pytest.raises(Rejected) as refused:
        read_header(text.ljust(600), 0, final=True)
    assert refused.value.code == code
