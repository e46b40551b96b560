"""Dead letters as files for other tools: JSON lines or CSV, the oldest first.

Only what is listed here leaves the hub: ids, causes, counts and money, never a document's content.
A cell that a spreadsheet would take for a formula is made text (OWASP: CSV injection).
"""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.dead_letters import letters
from hub.dead_letters.filters import Filters, State

COLUMNS = (
    "id", "state", "opened_at", "closed_at", "stage", "code", "place", "connection", "partner",
    "entity", "flow", "number", "business_key", "reference", "target", "amount", "currency",
    "attempts", "replays", "fingerprint", "mapping_version", "receipt_id", "document_id",
    "delivery_id", "actor", "reason",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class Form(StrEnum):
    """How letters are written."""

    JSONL = "jsonl"
    CSV = "csv"


async def export(connection: AsyncConnection, filters: Filters, form: Form) -> AsyncIterator[str]:
    """Yield the text of the letters that the filters choose, a line or a few at a time.

    Args:
        connection: to the ledger; rows are read as they are written, however many there are.
        filters: which; all states unless they say.
        form: of the text. CSV begins with a line of names.

    Raises:
        Rejected: an id is unknown, ambiguous or too short.
    """
    query = await letters.choice(connection, filters, [each for each in State if each != State.ALL])
    if form is Form.CSV:
        yield _csv(COLUMNS)
    async with connection.stream(query) as found:
        async for row in found.mappings():
            values = [row[name] for name in COLUMNS]
            if form is Form.CSV:
                yield _csv([neutral(_plain(value)) for value in values])
            else:
                yield _line(dict(zip(COLUMNS, values, strict=True)))


def neutral(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _csv(cells: tuple[str, ...] | list[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()


def _line(row: Mapping[str, Any]) -> str:
    return orjson.dumps(row, default=_plain, option=orjson.OPT_UTC_Z).decode() + "\n"


def _plain(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    return letters.plain(value) if isinstance(value, Decimal) else str(value)
