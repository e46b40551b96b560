"""Money: an exact amount in an ISO 4217 currency; never a float."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, model_validator
from typing_extensions import TypeAliasType  # in typing from Python 3.12; comes with pydantic

from canonical.base import Canonical, DecimalText
from canonical.code_list import OneOf
from canonical.currency import MINOR_UNITS
from canonical.decimal_text import DecimalShape

PRICE_SCALE = 6
"""Most decimals of a unit price (UBL cbc:PriceAmount is not bound to the minor unit)."""

Currency = TypeAliasType(
    "Currency",
    Annotated[
        str,
        OneOf(
            tuple(MINOR_UNITS),
            "currency_unknown",
            "expected an ISO 4217 currency code of a currency in use",
        ),
    ],
)
"""ISO 4217 alphabetic code of a currency in use; XXX and fund codes are refused."""

_PriceAmount = Annotated[
    Decimal,
    DecimalShape(PRICE_SCALE, "expected a plain decimal as text with at most 6 decimals"),
]


def _above_zero(value: Decimal) -> Decimal:
    if value <= 0:
        raise ValueError("expected a base quantity above zero")
    return value


_BaseQuantity = Annotated[DecimalText, AfterValidator(_above_zero)]


def scale_of(amount: Decimal) -> int:
    """Decimals after the point that matter: 10.100 has 1, 5 has 0."""
    exponent = amount.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


class Money(Canonical):
    """An amount in the currency's own precision (UBL cbc:*Amount; X12 element 782).

    More decimals than the minor unit of the currency (ISO 4217) are refused, not rounded.
    """

    amount: DecimalText
    """Negative for a credit."""
    currency: Currency
    """UBL @currencyID; X12 CUR02."""

    @model_validator(mode="after")
    def _fits_the_minor_unit(self) -> Money:
        if scale_of(self.amount) > MINOR_UNITS[self.currency]:
            raise ValueError("expected no more decimals than the minor unit of the currency")
        return self


class Price(Canonical):
    """The price of `per` units (UBL cac:Price; X12 PO104, element 212).

    At most 6 decimals; `per` is UBL cbc:BaseQuantity (1 where the source says nothing).
    """

    amount: _PriceAmount
    """The price of `per` units, at most 6 decimals (X12 PO104; UBL cbc:PriceAmount)."""
    currency: Currency
    """UBL @currencyID; X12 CUR02."""
    per: _BaseQuantity = Decimal(1)
    """For how many units `amount` stands, above zero (UBL cbc:BaseQuantity; X12 PO105, element 639)."""

    def times(self, quantity: Decimal) -> Decimal:
        """The line's extension, not rounded to the currency (28 significant digits)."""
        extension = self.amount * quantity
        return extension if self.per == 1 else extension / self.per
