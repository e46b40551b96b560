"""What partners said that fits nothing we sent: nobody else would ever see it.

An answer that is matched stands on the board of what we sent (`hub.ledger.sent`). One that is not
may be a partner's mistake, or ours: a control number that somebody set back, an answer by a
connection with other ids, a document that went out some other way.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

NOTHING_NAMED = "nothing_named"
"""It names neither a control number nor a document, or not in a way that could be one."""
NUMBER_UNKNOWN = "number_unknown"
"""Nothing went out under the number that it names, between these two and for this use."""
DOCUMENT_UNKNOWN = "document_unknown"
"""Nothing that went to this partner has the document's number that it names."""
DOCUMENT_AMBIGUOUS = "document_ambiguous"
"""Several documents have it."""
OTHER_DOCUMENT = "other_document"
"""What went out under the number is another kind of document than it is about, or another one."""
WHY = (NOTHING_NAMED, NUMBER_UNKNOWN, DOCUMENT_UNKNOWN, DOCUMENT_AMBIGUOUS, OTHER_DOCUMENT)
"""All words for why an answer is matched with nothing."""

UNCLEAR = "unclear"
"""The state of an answer that names nothing: what it says is said of nobody knows what."""

RECENT_HOURS = 24
"""How long one counts in the metric, by the ledger's clock: it is not mended, only asked about."""

_FOUND = """
SELECT c.id, c.at, c.connection, o.partner, c.flow, c.state, c.number, c.named, c.unmatched AS why,
    c.reasons, c.document_id AS document, o.place_in_receipt AS place
FROM confirmation AS c JOIN document AS o ON o.id = c.document_id
WHERE c.delivery_id IS NULL AND c.at >= $1 AND ($2::text IS NULL OR c.connection = $2)
ORDER BY c.at, c.id
"""
_COUNT = """
SELECT connection, count(*) AS n FROM confirmation
WHERE delivery_id IS NULL AND at >= now() - make_interval(hours => $1) GROUP BY connection
"""


class Unmatched(NamedTuple):
    """One answer of a partner that fits nothing."""

    id: str
    at: datetime
    connection: str
    """By which it came."""
    partner: str
    flow: str
    """``997``, ``TA1``, ``CONTRL`` ..."""
    state: str
    """What it says of what it is about."""
    number: int
    """The control number that it names; 0: none."""
    named: str
    """The document's own number that it names, or ""."""
    why: str
    """One of `WHY`."""
    reasons: tuple[Mapping[str, str], ...]
    document: str
    """The ledger's id of the answer itself; its thread has the bytes that it came in."""
    place: str
    """Where it stands in them."""


async def unmatched(
    ledger: AsyncConnection, since: datetime, connection: str | None = None
) -> list[Unmatched]:
    """Return all that came since a moment, oldest first; of one connection where it is given."""
    rows = await ledger.exec_driver_sql(_FOUND, (since, connection))
    return [Unmatched(**{**row, "reasons": tuple(row["reasons"] or ())}) for row in rows.mappings()]


async def count(ledger: AsyncConnection) -> dict[str, int]:
    """Return connection -> how many came of late."""
    rows = await ledger.exec_driver_sql(_COUNT, (RECENT_HOURS,))
    return {row.connection: row.n for row in rows}
