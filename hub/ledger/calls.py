"""Beginning calls and recording that they succeeded: many deliveries in the caller's transaction.

What goes well is the hot path, and one statement does it for all. Failures are settled one by one
(`settlements`). The same rules hold for each delivery as if it came alone: whoever comes back with
a token that is no longer the row's changes nothing (fencing).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.ledger import settlements
from hub.ledger.delivery_rows import Answered, Calling, Claim

_FENCE = "d.claim_token = c.token"
"""`d` the row, `c` what somebody brings who says that it is his."""

_BEGIN = f"""
WITH begun AS (
    UPDATE delivery AS d
    SET state = 'in_doubt', attempts = c.n, claimed_until = c.until, sent_sha256 = c.sha256,
        archive = c.archive
    FROM unnest($1::text[], $2::text[], $3::integer[], $4::timestamptz[], $5::timestamptz[],
                $6::text[], $7::text[]) AS c(id, token, n, started_at, until, sha256, archive)
    WHERE d.id = c.id AND {_FENCE}
    RETURNING c.id, c.token, c.n, c.started_at
), tried AS (
    INSERT INTO attempt (delivery_id, n, started_at, outcome)
    SELECT id, n, started_at, 'in_doubt' FROM begun
    ON CONFLICT DO NOTHING
)
SELECT id, token FROM begun
"""  # noqa: S608  # nothing but our own words

_LOCK = "SELECT id FROM document WHERE id = ANY($1::text[]) ORDER BY id FOR NO KEY UPDATE"

# What waited is woken as `settlements` does it: the condition is loose and the new value exact.
_ANSWERED = f"""
WITH settled AS (
    UPDATE delivery AS d
    SET state = 'delivered', attempts = c.n, external_id = c.external_id, facts = c.facts::jsonb,
        claim_token = NULL, claimed_until = NULL, next_at = NULL, settled_at = c.ended_at,
        code = NULL, place = NULL, detail = NULL
    FROM unnest($1::text[], $2::text[], $3::integer[], $4::text[], $5::timestamptz[],
                $6::timestamptz[], $7::text[], $8::text[])
        AS c(id, token, n, outcome, started_at, ended_at, external_id, facts)
    WHERE d.id = c.id AND {_FENCE}
    RETURNING d.id, c.token, c.n, c.outcome, c.started_at, c.ended_at,
        d.business_key, d.reference, d.target, d.document_id
), tried AS (
    INSERT INTO attempt (delivery_id, n, outcome, started_at, ended_at)
    SELECT id, n, outcome, started_at, ended_at FROM settled
    ON CONFLICT (delivery_id, n) DO UPDATE
    SET outcome = excluded.outcome, ended_at = excluded.ended_at,
        code = NULL, place = NULL, detail = NULL, said = NULL
), woken AS (
    UPDATE delivery AS w
    SET next_at = CASE WHEN w.code IN ('waiting_behind', 'waiting_for_target')
        THEN s.ended_at ELSE w.next_at END
    FROM settled AS s
    WHERE w.state = 'pending' AND (
        (w.business_key = s.business_key AND w.target = s.target AND w.id <> s.id)
        OR (w.reference = s.reference AND w.target = s.target AND w.id <> s.id)
        OR (w.document_id = s.document_id AND w.after_target = s.target)
    )
    RETURNING w.target
)
SELECT id, token, NULL AS target FROM settled
UNION ALL SELECT NULL, NULL, target FROM woken
"""  # noqa: S608  # nothing but our own words

# A document is delivered where nothing is left to be done for it, and nothing was given up.
_DOCUMENTS = """
UPDATE document AS o SET state = 'delivered', settled_at = c.ended_at
FROM unnest($1::text[], $2::timestamptz[]) AS c(id, ended_at)
WHERE o.id = c.id AND NOT EXISTS (
    SELECT FROM delivery AS d
    WHERE d.document_id = o.id AND d.state <> 'delivered' AND NOT (
        d.state IN ('dead', 'cancelled') AND EXISTS (
            SELECT FROM delivery AS e
            WHERE e.document_id = d.document_id AND e.target = d.target AND e.action = d.action
                AND e.state = 'delivered'
        )
    )
)
"""

_OF_A_CALL = attrgetter("n", "started_at", "until", "sha256", "archive")


async def begin(conn: AsyncConnection, calls: Sequence[Calling]) -> list[bool]:
    """Say, before the calls, that their outcomes are in doubt; False where it is ours no more."""
    if not calls:
        return []
    columns = _columns((_mark(one.claim) + _OF_A_CALL(one.call)) for one in calls)
    found = await conn.exec_driver_sql(_BEGIN, columns)
    begun = {(row.id, row.token) for row in found}
    return [_mark(one.claim) in begun for one in calls]


async def answered(
    conn: AsyncConnection, answers: Sequence[Answered]
) -> list[frozenset[str] | None]:
    """Record that targets have it; wake what waited for that; settle documents if all is done.

    The documents are locked first: two targets that settle at once see one another, and nobody
    waits for us who holds what we wait for.

    Returns:
        For each the targets at which something was woken by any of them; None: refused, the
        claim is no longer ours.
    """
    if not answers:
        return []
    documents = sorted({one.claim.delivery.document_id for one in answers})
    await conn.exec_driver_sql(_LOCK, (documents,))
    found = (await conn.exec_driver_sql(_ANSWERED, _columns(map(_answer, answers)))).all()
    marks = {(row.id, row.token) for row in found if row.id is not None}
    woken = frozenset(row.target for row in found if row.target is not None)
    settled = [one for one in answers if _mark(one.claim) in marks]
    for one in settled:
        await settlements.close_replayed(conn, one.claim.delivery, one.ending.ended_at)
    if settled:
        ends = {one.claim.delivery.document_id: one.ending.ended_at for one in settled}
        await conn.exec_driver_sql(_DOCUMENTS, (list(ends), list(ends.values())))
    return [woken if _mark(one.claim) in marks else None for one in answers]


def _mark(claim: Claim) -> tuple[str, str]:
    return claim.delivery.id, claim.token


def _answer(one: Answered) -> tuple[Any, ...]:
    end, settled = one.ending, one.settled
    facts = orjson.dumps(dict(settled.facts)).decode()
    times = (end.n, end.outcome, end.started_at, end.ended_at)
    return (*_mark(one.claim), *times, settled.external_id, facts)


def _columns(rows: Iterable[tuple[Any, ...]]) -> tuple[list[Any], ...]:
    """Turn rows into one array a column, as unnest takes them."""
    return tuple(list(column) for column in zip(*rows, strict=True))
