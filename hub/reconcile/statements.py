"""A target's own list as a file: CSV or JSON Lines, checked line by line.

Columns: ``external_id`` (the target's id or number) and what there is of ``reference`` (ours),
``sha256`` (of what it was sent), ``amount`` and ``currency``. Codes: ``statement_invalid``.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson

from canonical.errors import Rejected

_COLUMNS = ("external_id", "reference", "sha256", "amount", "currency")
_MOST_BYTES = 200_000_000
_MOST_TEXT = 200
_DIGITS = 18
_SHA256 = re.compile(r"[0-9a-f]{64}")


def read_statement(body: bytes) -> list[dict[str, Any]]:
    """Return the entries of a list.

    Raises:
        Rejected: ``statement_invalid``; `where` is the line.
    """
    if len(body) > _MOST_BYTES:
        raise Rejected("statement_invalid", "", f"expected at most {_MOST_BYTES} bytes")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Rejected("statement_invalid", "", "expected UTF-8") from None
    rows = _json_lines(text) if text.lstrip().startswith("{") else _csv(text)
    found: dict[str, dict[str, Any]] = {}
    for line, row in rows:
        entry = _entry(row, line)
        if entry["external_id"] in found:
            raise Rejected("statement_invalid", f"line {line}", "this external_id came before")
        found[entry["external_id"]] = entry
    return list(found.values())


def _csv(text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        if "external_id" not in (reader.fieldnames or ()):
            raise Rejected("statement_invalid", "line 1", f"expected columns {', '.join(_COLUMNS)}")
        for row in reader:
            yield reader.line_num, row
    except csv.Error:
        line = reader.reader.line_num  # the other one still stands at the row before
        raise Rejected("statement_invalid", f"line {line}", "expected CSV") from None


def _json_lines(text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError:
            row = None
        if not isinstance(row, dict):
            raise Rejected("statement_invalid", f"line {number}", "expected a JSON object")
        yield number, row


def _entry(row: Mapping[str, Any], line: int) -> dict[str, Any]:
    where = f"line {line}"
    given = {name: _text(row.get(name), f"{where}, {name}") for name in _COLUMNS}
    if not given["external_id"]:
        raise Rejected("statement_invalid", where, "expected an external_id")
    sha256 = given["sha256"]
    if sha256 is not None and not _SHA256.fullmatch(sha256):
        raise Rejected("statement_invalid", f"{where}, sha256", "expected 64 hexadecimal digits")
    return {**given, "amount": _amount(given["amount"], f"{where}, amount")}


def _text(value: object, where: str) -> str | None:
    if value is None or value == "":
        return None
    text = str(value).strip() if isinstance(value, str | int) else ""
    if not text or len(text) > _MOST_TEXT or not text.isprintable():
        raise Rejected("statement_invalid", where, "expected a short text on one line")
    return text


def _amount(text: str | None, where: str) -> Decimal | None:
    if text is None:
        return None
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or abs(amount.adjusted()) > _DIGITS:
        raise Rejected("statement_invalid", where, "expected a plain decimal")
    return amount
