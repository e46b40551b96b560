"""JSON as the emulated systems write it: decimals are numbers, and exact."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

Row = dict[str, Any]
"""One record of an emulated system, or one JSON object; decimals are `Decimal` or `int`."""


def number(value: Decimal) -> int | float:
    """Turn a decimal into the JSON number that reads back as the same decimal.

    A double keeps 15 significant digits; a decimal that it would bend is refused, not rounded.

    Raises:
        ValueError: the decimal needs more digits than a JSON number can carry safely.

    """
    if value == value.to_integral_value() and abs(value) < Decimal(2) ** 53:
        return int(value)
    as_double = float(value)
    if Decimal(repr(as_double)) != value:
        raise ValueError("expected a decimal of at most 15 significant digits")
    return as_double


def _plain(value: object) -> int | float:
    if isinstance(value, Decimal):
        return number(value)
    raise TypeError(f"expected JSON data, got {type(value).__name__}")


def dumps(value: object) -> bytes:
    """Write compact UTF-8 JSON; decimals become exact JSON numbers."""
    text = json.dumps(value, default=_plain, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "surrogatepass")


def loads(text: bytes | str) -> Any:
    """Read JSON; numbers with a point become `Decimal`, never a float.

    Raises:
        ValueError: it is not JSON, or it holds NaN or an infinity.

    """
    return json.loads(text, parse_float=Decimal, parse_constant=_refuse)


def _refuse(_word: str) -> None:
    raise ValueError("expected a number, not NaN or an infinity (RFC 8259, section 6)")
