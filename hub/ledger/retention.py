"""What of the ledger and of the archive may go because it is old and at rest; a few statements.

At rest is a document that is delivered, a duplicate, rejected or superseded, with no open hold,
dead letter, delivery, event or finding, in an order of which all the rest is at rest and old, too.
Bytes stay as long as a dead letter that is not replayed may ask for them, archived ones included.
A business key of which no document is left is forgotten: its number may be used again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

_AT_REST = "('delivered', 'duplicate', 'rejected', 'superseded')"
_MOVING = "('pending', 'in_flight', 'in_doubt')"
_OPEN = "('open', 'replaying')"

_OLD = f"""
CREATE TEMPORARY TABLE going ON COMMIT DROP AS
SELECT d.id, d.business_key FROM document AS d
WHERE d.created_at < $1 AND d.state IN {_AT_REST} AND coalesce(d.settled_at, d.created_at) < $1
    AND NOT EXISTS (SELECT 1 FROM hold WHERE document_id = d.id AND state = 'open')
    AND NOT EXISTS (SELECT 1 FROM dead_letter WHERE document_id = d.id AND state IN {_OPEN})
    AND NOT EXISTS (SELECT 1 FROM delivery WHERE document_id = d.id
        AND (state IN {_MOVING} OR settled_at >= $1))
    AND NOT EXISTS (SELECT 1 FROM outbox WHERE document_id = d.id)
    AND NOT EXISTS (SELECT 1 FROM finding WHERE reference = d.reference AND state <> 'closed')
    AND NOT EXISTS (SELECT 1 FROM document AS o WHERE o.reference = d.reference
        AND (o.created_at >= $1 OR o.state NOT IN {_AT_REST}))
    AND NOT EXISTS (SELECT 1 FROM document AS o WHERE o.business_key = d.business_key
        AND (o.created_at >= $1 OR o.state NOT IN {_AT_REST}))
"""  # noqa: S608  # our own words
_THEIRS = (
    "DELETE FROM attempt USING delivery AS v, going WHERE v.id = attempt.delivery_id"
    " AND v.document_id = going.id",
    "DELETE FROM confirmation USING delivery AS v, going WHERE v.id = confirmation.delivery_id"
    " AND v.document_id = going.id",
    "DELETE FROM confirmation USING going WHERE confirmation.document_id = going.id",
    "DELETE FROM delivery USING going WHERE delivery.document_id = going.id",
    "DELETE FROM hold USING going WHERE hold.document_id = going.id",
    "DELETE FROM letter_edit USING dead_letter AS l, going WHERE l.id = letter_edit.letter_id"
    " AND l.document_id = going.id",
    "DELETE FROM dead_letter USING going WHERE dead_letter.document_id = going.id",
)
# A verdict that is under way holds the lock of its key: what it adds must not lose its history.
_KEYS = """
SELECT count(*) FROM (SELECT 1 FROM key_head AS h
    WHERE h.business_key IN (SELECT business_key FROM going)
    ORDER BY h.business_key FOR UPDATE) AS locked
"""
_YOUNG_AGAIN = f"""
DELETE FROM going USING document AS o WHERE o.business_key = going.business_key
    AND (o.created_at >= $1 OR o.state NOT IN {_AT_REST})
"""  # noqa: S608
_HEADS = """
DELETE FROM key_head AS h USING going WHERE h.business_key = going.business_key
    AND NOT EXISTS (SELECT 1 FROM document AS o WHERE o.business_key = h.business_key)
"""
_DOCUMENTS = "DELETE FROM document USING going WHERE document.id = going.id"
_RECEIPTS = """
DELETE FROM receipt AS r WHERE r.received_at < $1
    AND NOT EXISTS (SELECT 1 FROM document WHERE receipt_id = r.id)
    AND NOT EXISTS (SELECT 1 FROM dead_letter WHERE receipt_id = r.id)
"""
_NUMBERS = """
DELETE FROM control_number AS c WHERE c.at < $1 AND NOT EXISTS (
    SELECT 1 FROM delivery AS v WHERE v.reference = split_part(c.key, '/', 1))
"""
_EXCHANGES = f"""
DELETE FROM exchange AS e WHERE e.created_at < $1 AND e.next_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.id = e.subject AND state IN {_MOVING})
"""  # noqa: S608
_INTERCHANGES = "DELETE FROM interchange WHERE received_at < $1"
_NEEDED = f"""
SELECT DISTINCT split_part(place, ':', 1) AS pack FROM (
    SELECT r.archive AS place FROM document AS d JOIN receipt AS r ON r.id = d.receipt_id
        WHERE d.state NOT IN {_AT_REST} AND d.state <> 'dead'
    UNION ALL SELECT r.archive FROM dead_letter AS l JOIN receipt AS r ON r.id = l.receipt_id
        WHERE l.state <> 'replayed'
    UNION ALL SELECT v.archive FROM dead_letter AS l JOIN delivery AS v ON v.id = l.delivery_id
        WHERE l.state <> 'replayed'
    UNION ALL SELECT v.archive FROM delivery AS v WHERE v.state IN {_MOVING}
    UNION ALL SELECT unnest(ARRAY[e.original_archive, e.edited_archive]) FROM letter_edit AS e
        JOIN dead_letter AS l ON l.id = e.letter_id WHERE l.state <> 'replayed'
) AS kept WHERE place IS NOT NULL
"""  # noqa: S608
_FORGET_PLACES = (
    "UPDATE receipt SET archive = $2 WHERE split_part(archive, ':', 1) = ANY($1::text[])",
    "UPDATE delivery SET archive = $2 WHERE split_part(archive, ':', 1) = ANY($1::text[])",
)


async def documents(ledger: AsyncConnection, before: datetime) -> dict[str, int]:
    """Delete documents at rest from before a moment, with all that is theirs; how many went."""
    await ledger.exec_driver_sql(_OLD, (before,))
    await ledger.exec_driver_sql(_KEYS)
    await ledger.exec_driver_sql(_YOUNG_AGAIN, (before,))
    for statement in _THEIRS:
        await ledger.exec_driver_sql(statement)
    found = {"documents": (await ledger.exec_driver_sql(_DOCUMENTS)).rowcount}
    await ledger.exec_driver_sql(_HEADS)
    found["receipts"] = (await ledger.exec_driver_sql(_RECEIPTS, (before,))).rowcount
    found["control_numbers"] = (await ledger.exec_driver_sql(_NUMBERS, (before,))).rowcount
    return found


async def exchanges(ledger: AsyncConnection, before: datetime) -> int:
    """Forget Message-IDs and file names of which nothing is owed or awaited; how many."""
    return (await ledger.exec_driver_sql(_EXCHANGES, (before,))).rowcount


async def interchanges(ledger: AsyncConnection, before: datetime) -> int:
    """Forget senders' interchange numbers from before a moment; how many."""
    return (await ledger.exec_driver_sql(_INTERCHANGES, (before,))).rowcount


async def needed_packs(ledger: AsyncConnection) -> set[str]:
    """Return the packs of the archive that hold bytes of something that is not at rest."""
    return {row.pack for row in await ledger.exec_driver_sql(_NEEDED)}


async def forget_places(ledger: AsyncConnection, packs: Sequence[str], instead: str) -> None:
    """Say of all bytes that lie in some packs that they are gone."""
    for statement in _FORGET_PLACES:
        await ledger.exec_driver_sql(statement, (list(packs), instead))
