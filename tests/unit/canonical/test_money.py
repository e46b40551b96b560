"""Money and prices."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from pydantic import ValidationError

from canonical.currency import MINOR_UNITS
from canonical.money import Money, Price, scale_of


def money(amount: str, currency: str) -> Money:
    return Money.model_validate_json(json.dumps({"amount": amount, "currency": currency}))


def price(**parts: str) -> Price:
    return Price.model_validate_json(json.dumps({"currency": "USD"} | parts))


@pytest.mark.parametrize(
    ("amount", "currency"),
    [("10.50", "USD"), ("10.5000", "USD"), ("10", "JPY"), ("10.00", "JPY"), ("1.234", "KWD"),
     ("-0.01", "EUR")],
)  # fmt: skip
def test_an_amount_in_the_minor_unit_is_taken(amount: str, currency: str) -> None:
    assert money(amount, currency).amount == Decimal(amount)


@pytest.mark.parametrize(
    ("amount", "currency"), [("10.505", "USD"), ("10.5", "JPY"), ("1.2345", "KWD")]
)
def test_an_amount_finer_than_the_minor_unit_is_refused_and_not_rounded(
    amount: str, currency: str
) -> None:
    with pytest.raises(ValidationError, match="minor unit"):
        money(amount, currency)


@pytest.mark.parametrize("currency", ["XXX", "XAU", "usd", "US", "USDX", "$", "", "CHE", "DEM"])
def test_a_currency_that_is_not_in_use_is_refused(currency: str) -> None:
    with pytest.raises(ValidationError) as caught:
        money("1", currency)
    (error,) = caught.value.errors(include_input=False)
    assert (error["loc"], error["type"]) == (("currency",), "currency_unknown")


@pytest.mark.parametrize("amount", ["0.000001", "1.123456", "1.1234560", "1.123456000"])
def test_a_price_may_have_six_decimals(amount: str) -> None:
    assert price(amount=amount).amount == Decimal(amount)


@pytest.mark.parametrize("amount", ["0.0000001", "1.1234567", "1.123456001"])
def test_a_price_with_more_than_six_decimals_is_refused(amount: str) -> None:
    with pytest.raises(ValidationError, match="at most 6 decimals") as caught:
        price(amount=amount)
    assert caught.value.errors()[0]["loc"] == ("amount",)


@pytest.mark.parametrize("per", ["0", "-1", "0.000"])
def test_a_base_quantity_is_above_zero(per: str) -> None:
    with pytest.raises(ValidationError, match="above zero"):
        price(amount="1", per=per)


def test_a_price_per_hundred_gives_the_extension_of_the_line() -> None:
    assert price(amount="649.40", per="100").times(Decimal(12)) == Decimal("77.928")


def test_a_price_is_per_one_where_nothing_is_said() -> None:
    assert price(amount="649.40").per == 1


@pytest.mark.parametrize(
    ("amount", "scale"), [("5", 0), ("10.100", 1), ("100", 0), ("0.00", 0), ("1E+2", 0)]
)
def test_only_decimals_that_matter_count(amount: str, scale: int) -> None:
    assert scale_of(Decimal(amount)) == scale


def test_currencies_with_other_than_two_decimals_are_known() -> None:
    assert (MINOR_UNITS["JPY"], MINOR_UNITS["EUR"], MINOR_UNITS["TND"]) == (0, 2, 3)
    assert all(len(code) == 3 and code.isupper() for code in MINOR_UNITS)
