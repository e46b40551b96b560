"""Numbers made comparable."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from canonical.number import Number, normalise


@pytest.mark.parametrize(
    ("number", "normal"),
    [
        ("po-4711", "PO-4711"),
        ("  4711\t", "4711"),
        ("PO   4711", "PO 4711"),
        ("PO\u00a04711", "PO 4711"),
        ("ＰＯ４７１１", "PO4711"),  # noqa: RUF001  # full width, as East Asian keyboards write it
        ("PO\u200b4711\ufeff", "PO4711"),
        ("straße", "STRASSE"),
        ("0042", "0042"),
        ("42", "42"),
        ("PO/47.11-A", "PO/47.11-A"),
        ("", ""),
    ],
)
def test_the_documented_examples(number: str, normal: str) -> None:
    assert normalise(number) == normal


@given(st.text())
@example("ΐ")  # its upper case is three characters, which compose again
@example("ŉ 1")
def test_normalising_twice_changes_nothing_more(number: str) -> None:
    assert normalise(normalise(number)) == normalise(number)


@given(st.text())
def test_case_and_outer_blanks_do_not_matter(number: str) -> None:
    assert normalise(f"  {number.upper()} ") == normalise(number.upper())


@given(st.text())
def test_how_an_accent_is_encoded_does_not_matter(number: str) -> None:
    assert normalise(unicodedata.normalize("NFD", number)) == normalise(
        unicodedata.normalize("NFC", number)
    )


@given(st.text("0123456789ABCXYZ-/._#", min_size=1, max_size=20))
def test_a_plain_number_is_kept_as_it_is(number: str) -> None:
    assert normalise(number) == number


@pytest.mark.parametrize("blank", ["", " ", "   ", "\u00a0", "\u200b", " \ufeff "])
def test_a_blank_number_is_refused(blank: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter[str](Number).validate_python(blank)


def test_a_number_is_kept_as_written() -> None:
    assert TypeAdapter[str](Number).validate_python(" po 4711") == " po 4711"
