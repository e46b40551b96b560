"""Findings as CSV (RFC 4180) that a spreadsheet opens without running anything in it.

A cell that begins like a formula is written with an apostrophe before it (OWASP, CSV injection):
item numbers and document numbers are written by partners.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

COLUMNS = (
    "id", "job", "state", "subject", "reference", "partner", "owner", "cause", "remedy", "amount",
    "currency", "since", "age_seconds", "opened_at", "last_seen_at", "closed_at", "redrives",
    "details", "about",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def as_csv(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return findings as CSV with a header; lines end in CRLF."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in COLUMNS])
    return text.getvalue()


def _cell(value: object) -> str:
    """Return a value as text; numbers of ours stay numbers, whatever their sign."""
    if isinstance(value, Decimal | int | float):
        return format(value, "f") if isinstance(value, Decimal) else str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return neutral("; ".join(f"{name}: {each}" for name, each in value.items()))
    return neutral("" if value is None else str(value))


def neutral(text: str) -> str:
    """Return the text so that no spreadsheet takes it for a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text
