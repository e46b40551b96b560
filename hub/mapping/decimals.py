"""Exact decimal arithmetic on text: what mappings use instead of JSONata's binary floats.

Every function takes decimal text (or a whole number that the mapping wrote itself) and gives plain
decimal text: no exponent, no plus sign, no leading zeros, the scale kept ("10.50" stays "10.50").
A float is refused: 10.10 has no exact binary form, so by the time a float arrives the value is
already lost. An absent operand gives an absent result, as everywhere in JSONata.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Context, Decimal, Inexact, InvalidOperation

from hub.mapping.refused import Refused

_TEXT = re.compile(r"[+-]?(?:[0-9]{1,32}(?:\.[0-9]{0,16})?|\.[0-9]{1,16})", re.ASCII)
"""X12 type R (5010 appendix B.1.1.3.1.2) writes ".5", "5." and "007"; no exponent, ASCII only."""
_PLAIN = re.compile(r"(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,9})?", re.ASCII)
_IMPLIED = re.compile(r"[+-]?[0-9]{1,32}", re.ASCII)
_MOST_DIGITS = 120
_EXACT = Context(prec=_MOST_DIGITS, traps=[Inexact, InvalidOperation])
_ROUNDED = Context(prec=_MOST_DIGITS, rounding=ROUND_HALF_UP, traps=[InvalidOperation])
_LARGEST_INTEGER = 2**53
_MOST_DECIMALS = 9
_MOST_TEXT = 64


def plain(value: Decimal) -> str:
    """Plain decimal text; a negative zero loses its sign."""
    return format(value if value else value.copy_abs(), "f")


def read(value: object) -> Decimal:
    """Read one operand.

    Raises:
        Refused: ``mapping_not_decimal`` for a float, a boolean or text that is no plain decimal.

    """
    if isinstance(value, str) and len(value) <= _MOST_TEXT and _TEXT.fullmatch(value):
        return Decimal(value)
    if type(value) is int and abs(value) <= _LARGEST_INTEGER:
        return Decimal(value)
    expected = "expected decimal text"
    if isinstance(value, float):
        expected = "expected decimal text, got a binary float"
    raise Refused("mapping_not_decimal", expected, value=value)


def read_scale(value: object) -> int:
    """Read how many decimals are asked for: 0 to 9."""
    if type(value) is int and 0 <= value <= _MOST_DECIMALS:
        return value
    raise Refused("mapping_failed", "expected a scale of 0 to 9 as a whole number", value=value)


def dec(value: object) -> str | None:
    """``$dec(text)``: check one decimal and write it plainly."""
    if isinstance(value, str) and _PLAIN.fullmatch(value):  # nearly always
        return value
    return None if value is None else plain(read(value))


def add(left: object, right: object) -> str | None:
    """``$dec_add(a, b)``."""
    if left is None or right is None:
        return None
    return _bounded(_EXACT.add(read(left), read(right)))


def sub(left: object, right: object) -> str | None:
    """``$dec_sub(a, b)``."""
    if left is None or right is None:
        return None
    return _bounded(_EXACT.subtract(read(left), read(right)))


def mul(left: object, right: object) -> str | None:
    """``$dec_mul(a, b)``: exact, the scales add up; round money with ``$dec_round``."""
    if left is None or right is None:
        return None
    return _bounded(_EXACT.multiply(read(left), read(right)))


def div(left: object, right: object, scale: object) -> str | None:
    """``$dec_div(a, b, scale)``: rounded half up (away from zero), as commercial documents do."""
    digits = read_scale(scale)
    if left is None or right is None:
        return None
    divisor = read(right)
    if not divisor:
        raise Refused("mapping_failed", "division by zero", value=right)
    return _rounded(_ROUNDED.divide(read(left), divisor), digits)


def total(values: object) -> str | None:
    """``$dec_sum(array)``: "0" for an empty array; one value alone counts as an array of one."""
    if values is None:
        return None
    result = Decimal(0)
    for value in values if isinstance(values, list) else [values]:
        result = _EXACT.add(result, read(value))
    return _bounded(result)


def rounded(value: object, scale: object) -> str | None:
    """``$dec_round(a, scale)``: half up (away from zero)."""
    digits = read_scale(scale)
    return None if value is None else _rounded(read(value), digits)


def compare(left: object, right: object) -> int | None:
    """``$dec_cmp(a, b)``: -1, 0 or 1, by value: "5" and "5.00" are equal."""
    if left is None or right is None:
        return None
    return int(read(left).compare(read(right)))


def implied(value: object, decimals: object) -> str | None:
    """``$dec_implied(text, decimals)``: X12 type N, whose point is not written: "1050", 2 -> "10.50"."""
    digits = read_scale(decimals)
    if value is None:
        return None
    text = str(value) if type(value) is int else value
    if not isinstance(text, str) or not _IMPLIED.fullmatch(text):
        expected = "expected digits without a decimal point"
        raise Refused("mapping_not_decimal", expected, value=value)
    return plain(Decimal(text).scaleb(-digits, _EXACT))


def _rounded(value: Decimal, digits: int) -> str:
    return _bounded(value.quantize(Decimal(1).scaleb(-digits), context=_ROUNDED))


def _bounded(value: Decimal) -> str:
    text = plain(value)
    if len(text) > _MOST_TEXT:
        raise Refused("mapping_not_decimal", "a result of more than 64 characters")
    return text
