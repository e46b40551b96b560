"""Decimals in mappings are exact, and what is no decimal is refused."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.mapping import decimals
from hub.mapping.refused import Refused

_DECIMALS = st.decimals(-(10**12), 10**12, places=4)


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("10.50", "10.50"),
        ("+5", "5"),
        (".5", "0.5"),
        ("5.", "5"),
        ("007.50", "7.50"),
        ("-0", "0"),
        ("-0.00", "0.00"),
        ("-.25", "-0.25"),
        (12, "12"),
    ],
)
def test_a_decimal_is_written_plainly(written: object, plain: str) -> None:
    assert decimals.dec(written) == plain


@pytest.mark.parametrize(
    "value",
    [
        *("", " 5", "5 ", "1,5", "1e3", "NaN", "Infinity", "1_000", "١٢", "0x1F", "--5", ".", "+"),
        *("9" * 33, "0." + "1" * 17),
        *(1.5, True, 2**53 + 1, [], {}),
    ],
)
def test_what_is_no_plain_decimal_is_refused(value: object) -> None:
    with pytest.raises(Refused) as refused:
        decimals.dec(value)
    assert refused.value.code == "mapping_not_decimal"
    assert refused.value.value == value


def test_a_float_is_refused_with_its_reason() -> None:
    with pytest.raises(Refused) as refused:
        decimals.mul("10.10", 3.0)
    assert "binary float" in refused.value.detail


def test_products_are_exact_where_floats_are_not() -> None:
    assert decimals.mul("10.10", "3") == "30.30"
    assert decimals.mul("1.15", "100") == "115.00"
    assert decimals.add("0.1", "0.2") == "0.3"
    assert decimals.sub("12345678901234567.89", "0.01") == "12345678901234567.88"


@given(_DECIMALS, _DECIMALS)
def test_arithmetic_is_that_of_fractions(left: Decimal, right: Decimal) -> None:
    texts = (format(left, "f"), format(right, "f"))
    assert Fraction(decimals.add(*texts) or "") == Fraction(left) + Fraction(right)
    assert Fraction(decimals.sub(*texts) or "") == Fraction(left) - Fraction(right)
    assert Fraction(decimals.mul(*texts) or "") == Fraction(left) * Fraction(right)
    assert decimals.compare(*texts) == (left > right) - (left < right)


@pytest.mark.parametrize(
    ("value", "scale", "rounded"),
    [
        ("2.5", 0, "3"),
        ("-2.5", 0, "-3"),
        ("1.005", 2, "1.01"),
        ("1", 2, "1.00"),
        ("0.004", 2, "0.00"),
    ],
)
def test_rounding_is_half_up_away_from_zero(value: str, scale: int, rounded: str) -> None:
    assert decimals.rounded(value, scale) == rounded


def test_a_quotient_has_the_scale_that_was_asked_for() -> None:
    assert decimals.div("10", "3", 4) == "3.3333"
    assert decimals.div("2", "3", 2) == "0.67"


def test_division_by_zero_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        decimals.div("1", "0.00", 2)
    assert refused.value.code == "mapping_failed"


@pytest.mark.parametrize("scale", [-1, 10, "2", 2.0, True, None])
def test_a_scale_is_a_whole_number_up_to_nine(scale: object) -> None:
    with pytest.raises(Refused):
        decimals.rounded("1", scale)


def test_sums_take_arrays_and_single_values() -> None:
    assert decimals.total(["1.10", "2.2", "3"]) == "6.30"
    assert decimals.total([]) == "0"
    assert decimals.total("5.00") == "5.00"
    assert decimals.total(None) is None


def test_a_sum_over_something_absent_inside_is_refused() -> None:
    with pytest.raises(Refused):
        decimals.total(["1", None])


@pytest.mark.parametrize(
    ("digits", "places", "value"),
    [
        ("1050", 2, "10.50"),
        ("5", 2, "0.05"),
        ("-1050", 2, "-10.50"),
        ("1050", 0, "1050"),
        (7, 1, "0.7"),
    ],
)
def test_an_implied_point_is_put_in(digits: object, places: int, value: str) -> None:
    assert decimals.implied(digits, places) == value


def test_an_implied_decimal_with_a_point_is_refused() -> None:
    with pytest.raises(Refused):
        decimals.implied("10.5", 2)


@pytest.mark.parametrize(
    "result",
    [
        decimals.dec(None),
        decimals.add(None, "1"),
        decimals.sub("1", None),
        decimals.mul(None, None),
        decimals.div("1", None, 2),
        decimals.rounded(None, 2),
        decimals.compare("1", None),
        decimals.implied(None, 2),
    ],
)
def test_an_absent_operand_gives_an_absent_result(result: object) -> None:
    assert result is None


def test_comparison_is_by_value() -> None:
    assert decimals.compare("5", "5.00") == 0


def test_a_result_too_long_to_be_money_is_refused() -> None:
    big = "9" * 32
    with pytest.raises(Refused):
        decimals.mul(decimals.mul(big, big), big)
