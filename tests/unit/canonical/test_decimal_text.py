"""Exact decimals: what is read, what is refused, what is written."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from canonical.quantity import Quantity

READ = ["0", "-0", "12", "12.50", "-3.1", "0.000000001", "9" * 18 + "." + "9" * 9]
REFUSED = [
    "", " ", "1 ", " 1", "+1", "1.", ".5", "00", "01", "1,5", "1e3", "1E400", "1e9999999", "NaN",
    "Infinity", "-Infinity", "0x10", "1_000", "\u0661\u0662", "\uff11\uff12", "1" * 19, "0." + "1" * 10, "--1", "1\n",
    "1\u0000", "12abc",
]  # fmt: skip


def quantity(value_json: str) -> Quantity:
    return Quantity.model_validate_json(f'{{"value":{value_json},"unit":"EA"}}')


@pytest.mark.parametrize("text", READ)
def test_plain_decimal_text_is_read_exactly(text: str) -> None:
    read = quantity(json.dumps(text)).value
    assert read.as_tuple() == Decimal(text).as_tuple()


@pytest.mark.parametrize("text", REFUSED)
def test_text_that_is_no_plain_decimal_is_refused_at_its_place(text: str) -> None:
    with pytest.raises(ValidationError) as caught:
        quantity(json.dumps(text))
    (error,) = caught.value.errors(include_input=False, include_url=False)
    assert error["loc"] == ("value",)
    assert error["type"] == "decimal_text"
    assert error["msg"] == 'expected a plain decimal as text, such as "12.50"'


@pytest.mark.parametrize("value", ["12", "12.5", "1e400", "NaN", "true", "null", "[]", "{}"])
def test_a_json_value_that_is_no_text_is_refused(value: str) -> None:
    with pytest.raises(ValidationError):
        quantity(value)


@pytest.mark.parametrize(
    "value",
    [12.5, 12, True, None, b"12", float("nan"), Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"),
     Decimal("1E+18"), Decimal("1E-10")],
)  # fmt: skip
def test_python_values_are_refused_like_their_text(value: object) -> None:
    with pytest.raises(ValidationError):
        Quantity.model_validate({"value": value, "unit": "EA"})


def test_a_decimal_and_its_text_are_taken_in_python() -> None:
    assert Quantity.model_validate({"value": "2.50", "unit": "EA"}) == Quantity(
        value=Decimal("2.5"), unit="EA"
    )


def test_a_decimal_with_an_exponent_is_written_without_it() -> None:
    assert Quantity(value=Decimal("1E+2"), unit="EA").model_dump(mode="json")["value"] == "100"


@given(st.decimals(-(10**17), 10**17, places=9, allow_nan=False, allow_infinity=False))
def test_what_is_written_reads_as_the_same_value(value: Decimal) -> None:
    first = Quantity(value=value, unit="EA")
    again = Quantity.model_validate_json(first.model_dump_json())
    assert again.value.as_tuple() == value.as_tuple()
