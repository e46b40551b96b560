"""Dates out of the pictures that systems write them in; a date that is none is refused, not dropped."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

from hub.mapping.refused import Refused

_FIRST_YEAR, _LAST_YEAR = 1900, 2199
"""Outside of these a date is a typing error (year 0001 is what many systems write for "none")."""

_PICTURES: dict[str, re.Pattern[str]] = {
    "CCYYMMDD": re.compile(r"(?P<y>[0-9]{4})(?P<m>[0-9]{2})(?P<d>[0-9]{2})", re.ASCII),
    "YYMMDD": re.compile(r"(?P<y>[0-9]{2})(?P<m>[0-9]{2})(?P<d>[0-9]{2})", re.ASCII),
    "YYYY-MM-DD": re.compile(r"(?P<y>[0-9]{4})-(?P<m>[0-9]{2})-(?P<d>[0-9]{2})", re.ASCII),
    "MM/DD/YYYY": re.compile(r"(?P<m>[0-9]{2})/(?P<d>[0-9]{2})/(?P<y>[0-9]{4})", re.ASCII),
    "RFC3339": re.compile(
        r"(?P<y>[0-9]{4})-(?P<m>[0-9]{2})-(?P<d>[0-9]{2})"
        r"[Tt ](?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]{1,12})?"
        r"(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])",
        re.ASCII,
    ),
}
PICTURES = frozenset(_PICTURES)
"""The pictures that ``$parse_date`` knows."""

_PIVOT = 50
_YEAR: dict[str, Callable[[int], int]] = {
    # Two digits mean a year of 1950 to 2049, stated rather than guessed by a library.
    "YYMMDD": lambda year: year + (1900 if year >= _PIVOT else 2000),
}


def parse_date(value: object, picture: object) -> str | None:
    """``$parse_date(text, picture)`` -> "YYYY-MM-DD".

    RFC3339 gives the calendar date as written, in the stamp's own offset.

    Raises:
        Refused: ``date_invalid`` for text that does not fit or is no day of the calendar;
            ``mapping_failed`` for a picture that does not exist.

    """
    pattern = _PICTURES.get(picture) if isinstance(picture, str) else None
    if pattern is None:
        expected = f"expected one of the pictures {', '.join(_PICTURES)}"
        raise Refused("mapping_failed", expected)
    if value is None:
        return None
    found = pattern.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise Refused("date_invalid", f"expected a date as {picture}", value=value)
    year, month, day = map(int, found.group("y", "m", "d"))
    year = _YEAR.get(str(picture), int)(year)
    try:
        parsed = date(year, month, day)
    except ValueError:
        raise Refused("date_invalid", "expected a day of the calendar", value=value) from None
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        raise Refused(
            "date_invalid", f"expected a year of {_FIRST_YEAR} to {_LAST_YEAR}", value=value
        )
    return parsed.isoformat()
