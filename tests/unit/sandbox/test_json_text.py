"""Decimals stay exact in JSON."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.json_text import dumps, loads, number


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=5))
def test_every_amount_of_the_books_reads_back_as_it_was(amount: Decimal) -> None:
    assert Decimal(loads(dumps({"a": amount}))["a"]) == amount


@pytest.mark.parametrize(
    ("amount", "text"),
    [("12.50", b"12.5"), ("12.00", b"12"), ("0", b"0"), ("-0.1", b"-0.1"), ("1E+3", b"1000")],
)
def test_decimals_are_written_as_plain_json_numbers(amount: str, text: bytes) -> None:
    assert dumps(Decimal(amount)) == text


def test_a_decimal_that_a_double_would_bend_is_refused() -> None:
    with pytest.raises(ValueError, match="15 significant digits"):
        number(Decimal("0.12345678901234567890"))


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", '{"a": -Infinity}'])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="RFC 8259"):
        loads(text)


def test_only_json_data_can_be_written() -> None:
    with pytest.raises(TypeError, match="set"):
        dumps({"a": {1, 2}})
