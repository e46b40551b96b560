"""What of the ledger and of the archive may go because it is old and at rest; slice by slice.

However much is due, a transaction holds one slice of it, so that none runs into its time limit and
nobody waits long for its locks; who asks (`hub/pruning.py`) ends it each time. What is left, because
somebody stopped it, is found again.

At rest is a document that is delivered, a duplicate, rejected or superseded, with no open hold,
dead letter, delivery, event or finding, in an order of which all the rest is at rest and old, too.
Bytes stay as long as a dead letter that is not replayed may ask for them, archived ones included.
A business key of which no document is left is forgotten: its number may be used again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from hub.ledger.slices import DOCUMENTS, RECEIVED, slices

_AT_REST = "('delivered', 'duplicate', 'rejected', 'superseded')"
_MOVING = "('pending', 'in_flight', 'in_doubt')"
_OPEN = "('open', 'replaying')"

_OLD = f"""
CREATE TEMPORARY TABLE going ON COMMIT DROP AS
SELECT d.id, d.business_key, d.receipt_id FROM document AS d
WHERE d.created_at >= $2 AND d.created_at < $3 AND d.state IN {_AT_REST} AND coalesce(d.settled_at, d.created_at) < $1
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
_THEIR_RECEIPTS = """
DELETE FROM receipt AS r USING (SELECT DISTINCT receipt_id FROM going) AS g
WHERE r.id = g.receipt_id AND r.received_at < $1
    AND NOT EXISTS (SELECT 1 FROM document WHERE receipt_id = r.id)
    AND NOT EXISTS (SELECT 1 FROM dead_letter WHERE receipt_id = r.id)
"""
_RECEIPTS = """
DELETE FROM receipt AS r WHERE r.received_at >= $1 AND r.received_at < $2
    AND NOT EXISTS (SELECT 1 FROM document WHERE receipt_id = r.id)
    AND NOT EXISTS (SELECT 1 FROM dead_letter WHERE receipt_id = r.id)
"""
_LOOSE = {
    "control_numbers": """control_number AS o WHERE o.at < $1 AND NOT EXISTS (
        SELECT 1 FROM delivery AS v WHERE v.reference = split_part(o.key, '/', 1))""",
    "exchanges": f"""exchange AS o WHERE o.created_at < $1 AND o.next_at IS NULL AND NOT EXISTS (
        SELECT 1 FROM delivery WHERE delivery.id = o.subject AND state IN {_MOVING})""",  # noqa: S608
    "interchanges": "interchange AS o WHERE o.received_at < $1",
}
"""What hangs on nothing else; which of it may go."""
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
_FORGET_PLACES = """
UPDATE {table} SET archive = $2 WHERE split_part(archive, ':', 1) = ANY($1::text[])
    AND ctid >= ($3::text)::tid AND ctid < ($4::text)::tid
"""
_PAGES = "SELECT pg_relation_size($1::text::regclass) / current_setting('block_size')::int"
_STATEMENT_TIMEOUT = "SET LOCAL statement_timeout = '30min'"
_TURN = "SELECT pg_advisory_xact_lock(hashtext('crossdock.prune'))"

_MOST = 2_000
"""Documents, or receipts, of a slice."""
_MOST_LOOSE = 20_000
_MOST_PAGES = 2_000
"""Of a table, 16 MB."""

Went = dict[str, int]
"""What, and how much of it."""


async def begin(ledger: AsyncConnection) -> None:
    """Begin a transaction of one slice, once nobody else prunes."""
    await ledger.exec_driver_sql(_STATEMENT_TIMEOUT)
    await ledger.exec_driver_sql(_TURN)


async def documents(ledger: AsyncConnection, before: datetime) -> AsyncIterator[Went]:
    """Delete documents at rest from before a moment with all that is theirs, the oldest first.

    Yields what went in a transaction that is still open: commit it, or roll it back, and go on.
    """
    first = await _first(ledger, "SELECT min(created_at) FROM document", before)
    async for span in slices(ledger, DOCUMENTS, (first, before), most=_MOST):
        await begin(ledger)
        await ledger.exec_driver_sql(_OLD, (before, *span))
        await ledger.exec_driver_sql(_KEYS)
        await ledger.exec_driver_sql(_YOUNG_AGAIN, (before,))
        for statement in _THEIRS:
            await ledger.exec_driver_sql(statement)
        went = (await ledger.exec_driver_sql(_DOCUMENTS)).rowcount
        await ledger.exec_driver_sql(_HEADS)
        receipts = (await ledger.exec_driver_sql(_THEIR_RECEIPTS, (before,))).rowcount
        yield {"documents": went, "receipts": receipts}
    first = await _first(ledger, "SELECT min(received_at) FROM receipt", before)
    async for span in slices(ledger, RECEIVED, (first, before), most=_MOST):
        await begin(ledger)
        yield {"receipts": (await ledger.exec_driver_sql(_RECEIPTS, span)).rowcount}


async def _first(ledger: AsyncConnection, query: str, before: datetime) -> datetime:
    found: datetime | None = (await ledger.exec_driver_sql(query)).scalar()
    return before if found is None else found


async def loose(
    ledger: AsyncConnection, what: str, before: datetime, *, only_count: bool
) -> AsyncIterator[Went]:
    """Forget what hangs on nothing else and is from before a moment; as `documents` does.

    Args:
        ledger: a connection.
        what: ``control_numbers``, ``exchanges`` (Message-IDs and file names of which nothing is owed
            or awaited) or ``interchanges`` (senders' numbers).
        before: that moment.
        only_count: delete nothing.
    """
    which = _LOOSE[what]
    if only_count:
        count = await ledger.exec_driver_sql(f"SELECT count(*) FROM {which}", (before,))  # noqa: S608
        yield {what: int(count.scalar_one())}
        return
    table = which.partition(" ")[0]
    some = f"""DELETE FROM {table} WHERE ctid = ANY(ARRAY(
        SELECT o.ctid FROM {which} LIMIT {_MOST_LOOSE}))"""  # noqa: S608
    went = _MOST_LOOSE
    while went >= _MOST_LOOSE:
        await begin(ledger)
        went = (await ledger.exec_driver_sql(some, (before,))).rowcount
        yield {what: went}


async def needed_packs(ledger: AsyncConnection) -> set[str]:
    """Return the packs of the archive that hold bytes of something that is not at rest."""
    return {row.pack for row in await ledger.exec_driver_sql(_NEEDED)}


async def forget_places(
    ledger: AsyncConnection, packs: Sequence[str], instead: str
) -> AsyncIterator[None]:
    """Say of all bytes that lie in some packs that they are gone; as `documents` does."""
    for table in ("receipt", "delivery"):
        statement = _FORGET_PLACES.format(table=table)
        pages = int((await ledger.exec_driver_sql(_PAGES, (table,))).scalar_one())
        for page in range(0, pages + 1, _MOST_PAGES):
            await begin(ledger)
            span = f"({page},0)", f"({page + _MOST_PAGES},0)"
            await ledger.exec_driver_sql(statement, (list(packs), instead, *span))
            yield
