"""Money: an exact amount in an ISO 4217 currency; never a float."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, model_validator

from canonical.base import Canonical, DecimalText
from canonical.currency import MINOR_UNITS

PRICE_SCALE = 6
"""Most decimals of a unit price (UBL cbc:PriceAmount is not bound to the minor unit)."""


def _currency(value: str) -> str:
    if value not in MINOR_UNITS:
        raise ValueError("expected an ISO 4217 currency code of a currency in use")
    return value


Currency = Annotated[str, AfterValidator(_currency)]
"""ISO 4217 alphabetic code of a currency in use; XXX and fund codes are refused."""


def scale_of(amount: Decimal) -> int:
    """Decimals after the point that matter: 10.100 has 1, 5 has 0."""
    exponent = amount.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


class Money(Canonical):
    """An amount in the currency's own precision (UBL cbc:*Amount; X12 element 782).

    More decimals than the minor unit of the currency (ISO 4217) are refused, not rounded.
    """

    amount: DecimalText
    currency: Currency

    @model_validator(mode="after")
    def _fits_the_minor_unit(self) -> Money:
        if scale_of(self.amount) > MINOR_UNITS[self.currency]:
            raise ValueError("expected no more decimals than the minor unit of the currency")
        return self


class Price(Canonical):
    """The price of `per` units (UBL cac:Price; X12 PO104, element 212).

    At most 6 decimals; `per` is UBL cbc:BaseQuantity (1 where the source says nothing).
    """

    amount: DecimalText
    currency: Currency
    per: DecimalText = Decimal(1)

    @model_validator(mode="after")
    def _is_a_price(self) -> Price:
        if scale_of(self.amount) > PRICE_SCALE:
            raise ValueError("expected at most 6 decimals in a unit price")
        if self.per <= 0:
            raise ValueError("expected a base quantity above zero")
        return self

    def times(self, quantity: Decimal) -> Decimal:
        """The line's extension, unrounded."""
        return self.amount * quantity / self.per
