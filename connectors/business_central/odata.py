"""OData as Business Central writes it: exact JSON numbers, filters, links, rows."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from canonical.errors import Rejected, Retryable
from connectors.base import Json

DECIMALS = frozenset(
    {"quantity", "unitPrice", "unit_price", "shipQuantity", "invoiceQuantity", "discountAmount"}
)
"""Keys whose text is written as a JSON number."""

UNPOSTED = ("Draft", "In Review", "In_x0020_Review")
"""Statuses of what is in ``salesInvoices`` and is no invoice yet."""

_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,9})?", re.ASCII)
_JSON_NUMBER = re.compile(r"-?[0-9]{1,28}(\.[0-9]{1,28})?([eE][+-]?[0-9]{1,2})?", re.ASCII)


def dumps(body: Mapping[str, Any], *, sort: bool = True) -> bytes:
    """Write a body as UTF-8 JSON; decimal text becomes a JSON number digit for digit.

    Args:
        body: plain JSON, decimals as text.
        sort: False keeps the order of keys, which a PATCH needs (fields are validated in order).

    Raises:
        Rejected: ``quantity_invalid`` for a decimal that is none, ``body_invalid`` for a float
            or for text that is no Unicode.

    """
    try:
        return _text(body, "", sort=sort).encode()
    except UnicodeEncodeError:
        raise Rejected("body_invalid", "", "expected text without lone surrogates") from None


def _text(value: Any, place: str, *, sort: bool) -> str:
    if isinstance(value, Mapping):
        keys = sorted(value) if sort else list(value)
        pairs = (
            f"{json.dumps(key, ensure_ascii=False)}:{_member(key, value[key], place, sort=sort)}"
            for key in keys
        )
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list):
        items = (_text(item, f"{place}[{n}]", sort=sort) for n, item in enumerate(value))
        return "[" + ",".join(items) + "]"
    if isinstance(value, float):
        raise Rejected("body_invalid", place, "expected decimal text, not a binary float")
    return json.dumps(value, ensure_ascii=False)


def _member(key: str, value: Any, place: str, *, sort: bool) -> str:
    place = f"{place}.{key}" if place else key
    if key in DECIMALS and isinstance(value, str):
        if not _NUMBER.fullmatch(value):
            raise Rejected("quantity_invalid", place, "expected a plain decimal as text")
        return value
    return _text(value, place, sort=sort)


def decimal(value: object) -> Decimal:
    """A decimal as the strict JSON reader gives it: text or an int; an absent one is 0.

    Raises:
        Retryable: ``not_the_api`` for anything else.

    """
    if value is None:
        return Decimal(0)
    text = str(value)
    if isinstance(value, bool) or not _JSON_NUMBER.fullmatch(text):
        raise Retryable("not_the_api", "", "expected a number where the API has one")
    return Decimal(text)


def plain(value: Decimal) -> str:
    """Decimal text without exponent and trailing zeros: 5.00 is "5"."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def quoted(text: str) -> str:
    """A string literal of an OData filter (OData 4.01 URL conventions 5.1.1.6.1)."""
    return "'" + text.replace("'", "''") + "'"


def rows(page: Json) -> list[Json] | None:
    """The rows of a collection; None where the body is not one."""
    value = page.get("value")
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        return None
    return value


def has_same_origin(link: str, base: str) -> bool:
    """Whether a link that the server gave leads to the same scheme, host and port.

    A link to anywhere else would send our token there (SSRF). The path may differ: the product
    writes the tenant into its links even where the base address leaves it out.
    """
    try:
        there, here = urlsplit(link), urlsplit(base)
        same = (there.scheme, there.hostname, there.port) == (here.scheme, here.hostname, here.port)
    except ValueError:
        return False
    return same and there.username is None
