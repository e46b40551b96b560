"""Dates and times by their format code (data element 2379): do they exist?"""

from __future__ import annotations

import re
from datetime import date

_DAY = r"(?P<y>[0-9]{4})(?P<m>[0-9]{2})(?P<d>[0-9]{2})"
_SHORT = r"(?P<s>[0-9]{2})(?P<m>[0-9]{2})(?P<d>[0-9]{2})"
_MINUTE = r"(?:[01][0-9]|2[0-3])[0-5][0-9]"
_SECOND = _MINUTE + r"[0-5][0-9]"
_MIDNIGHT = rf"(?:{_MINUTE}|2400)"
_WEEK = r"(?:0[1-9]|[1-4][0-9]|5[0-3])"
_MONTH = r"(?:0[1-9]|1[0-2])"
_PERIOD = r"(?P<y>[0-9]{4})(?P<m>[0-9]{2})(?P<d>[0-9]{2})"
_ENDING = r"(?P<y2>[0-9]{4})(?P<m2>[0-9]{2})(?P<d2>[0-9]{2})"

_FORMATS = {
    "2": r"(?P<d>[0-9]{2})(?P<m>[0-9]{2})(?P<s>[0-9]{2})",
    "3": r"(?P<m>[0-9]{2})(?P<d>[0-9]{2})(?P<s>[0-9]{2})",
    "4": r"(?P<d>[0-9]{2})(?P<m>[0-9]{2})(?P<y>[0-9]{4})",
    "101": _SHORT,
    "102": _DAY,
    "103": rf"[0-9]{{2}}{_WEEK}[1-7]",
    "105": r"[0-9]{2}[0-3][0-9]{2}",
    "106": r"(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])",
    "108": _WEEK,
    "109": _MONTH,
    "110": r"(?:0[1-9]|[12][0-9]|3[01])",
    "201": _SHORT + _MIDNIGHT,
    "202": _SHORT + _SECOND,
    "203": _DAY + _MIDNIGHT,
    "204": _DAY + _SECOND,
    "205": _DAY + _MINUTE + r"[+-]" + _MINUTE,
    "303": _DAY + _MINUTE + r"[A-Z0-9+-]{1,5}",
    "304": _DAY + _SECOND + r"[A-Z0-9+-]{1,5}",
    "401": _MIDNIGHT,
    "402": _SECOND,
    "601": r"[0-9]{2}",
    "602": r"[0-9]{4}",
    "609": r"[0-9]{2}" + _MONTH,
    "610": r"[0-9]{4}" + _MONTH,
    "615": r"[0-9]{2}" + _WEEK,
    "616": r"[0-9]{4}" + _WEEK,
    "713": _SHORT + _MINUTE + r"[0-9]{6}" + _MINUTE,
    "716": rf"[0-9]{{4}}{_WEEK}[0-9]{{4}}{_WEEK}",
    "718": rf"{_PERIOD}-?{_ENDING}",
    "719": rf"{_PERIOD}{_MINUTE}-?{_ENDING}{_MINUTE}",
    **{str(code): r"[0-9]{1,9}" for code in range(801, 811)},
}
_KNOWN = {code: re.compile(text, re.ASCII) for code, text in _FORMATS.items()}


def exists(text: str, code: str) -> bool:
    """Whether `text` is a date, time or period of format `code`.

    Formats that are not known here, and none at all, are taken for right: what they would have to
    be is between the partners.
    """
    known = _KNOWN.get(code)
    if known is None:
        return True
    found = known.fullmatch(text)
    if found is None:
        return False
    parts = found.groupdict()
    if "d" not in parts:
        return True
    year = int(parts["y"]) if "y" in parts else 2000 + int(parts["s"])
    first = _is_day(year, parts["m"], parts["d"])
    return first and ("d2" not in parts or _is_day(int(parts["y2"]), parts["m2"], parts["d2"]))


def _is_day(year: int, month: str, day: str) -> bool:
    try:
        date(year, int(month), int(day))
    except ValueError:
        return False
    return True
