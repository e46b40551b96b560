"""Control numbers: ISA13 and GS06 of what we send, kept per (sender, receiver, usage).

A document keeps its number and moment over all attempts: a resend is the same interchange, byte for
byte where the mapping is the same. Numbers of a scope rise by one and go from 999999999 back to 1
(X12 I12, element 28: nine digits at most). They are without holes but for one case: a document is
numbered before it is written, and one that cannot be written gives its number back only while that
is the last one. Otherwise the number waits for the document, until that is replayed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.base import Numbers
from hub.ledger.tables import control_number

LAST = 999_999_999

_COUNTERS = "SELECT scope, next FROM control_counter WHERE scope = ANY($1::text[]) ORDER BY scope FOR UPDATE"
_NEW_COUNTERS = (
    "INSERT INTO control_counter (scope, next)"
    " SELECT scope, 1 FROM unnest($1::text[]) AS c(scope) ORDER BY scope ON CONFLICT DO NOTHING"
)
_KNOWN = (
    "SELECT n.scope, n.key, n.number, n.at FROM control_number AS n"
    " JOIN unnest($1::text[], $2::text[]) AS c(scope, key) ON n.scope = c.scope AND n.key = c.key"
)
_TAKE = """
WITH counted AS (
    UPDATE control_counter AS n SET next = c.next
    FROM unnest($1::text[], $2::bigint[]) AS c(scope, next) WHERE n.scope = c.scope
)
INSERT INTO control_number (scope, key, target, number, at)
SELECT scope, key, target, number, at
FROM unnest($3::text[], $4::text[], $5::text[], $6::bigint[], $7::timestamptz[])
    AS c(scope, key, target, number, at)
"""

_GIVE_BACK = """
WITH gone AS (
    DELETE FROM control_number AS n USING control_counter AS c, delivery AS d
    WHERE n.scope = $1 AND n.key = $2 AND c.scope = n.scope
        AND c.next = CASE WHEN n.number >= $5 THEN 1 ELSE n.number + 1 END
        AND d.id = $3 AND d.claim_token = $4
        AND NOT EXISTS (SELECT FROM delivery AS o WHERE o.target = d.target
            AND o.reference = d.reference AND o.action = d.action AND o.version = d.version
            AND o.sent_sha256 IS NOT NULL)
    RETURNING n.scope, n.number
)
UPDATE control_counter AS c SET next = gone.number FROM gone WHERE c.scope = gone.scope
"""

_RETIRED = "#"
"""Stands between a key and the number that it no longer has."""


def key_of(reference: str, action: str, version: int) -> str:
    """Return under what a delivery's numbers are kept.

    Not the delivery's id: a replay, and the answer to a retransmission, is the same document to
    the partner and keeps its numbers.
    """
    return f"{reference}/{action}/{version}"


@dataclass(frozen=True, slots=True)
class Numbering:
    """A document that is to be numbered: in which scope, under which key, for whom, when."""

    scope: str
    key: str
    target: str
    now: datetime


async def allocate(
    conn: AsyncConnection, scope: str, key: str, target: str, now: datetime
) -> Numbers:
    """Return the numbers of `key` in `scope`; see `allocate_all`."""
    return (await allocate_all(conn, [Numbering(scope, key, target, now)]))[0]


async def allocate_all(conn: AsyncConnection, wanted: Sequence[Numbering]) -> list[Numbers]:
    """Return the numbers of each: the same as the first time, or the next ones of its scope.

    In the caller's transaction: rolled back, the numbers are free again. Callers of one scope wait
    for one another from here to their commit; scopes are locked in order, so that two never wait
    for each other.
    """
    if not wanted:
        return []
    following = await _locked(conn, sorted({one.scope for one in wanted}))
    keys = dict.fromkeys((one.scope, one.key) for one in wanted)
    scopes, names = [scope for scope, _ in keys], [key for _, key in keys]
    # After the lock: somebody may have numbered the same key while it was awaited.
    found = await conn.exec_driver_sql(_KNOWN, (scopes, names))
    numbers = {(row.scope, row.key): (row.number, row.at) for row in found}
    new = {}
    for one in wanted:
        mark = (one.scope, one.key)
        if mark not in numbers:
            number = following[one.scope]
            numbers[mark], new[mark] = (number, one.now), one
            following[one.scope] = 1 if number >= LAST else number + 1
    if new:
        rows = [(*mark, one.target, *numbers[mark]) for mark, one in new.items()]
        columns = [list(column) for column in zip(*rows, strict=True)]
        counters = (list(following), list(following.values()))
        await conn.exec_driver_sql(_TAKE, (*counters, *columns))
    told = [numbers[(one.scope, one.key)] for one in wanted]
    return [Numbers(interchange=number, group=number, at=at) for number, at in told]


async def give_back(conn: AsyncConnection, mine: Numbering, delivery_id: str, token: str) -> bool:
    """Free the number of a document that could not be written, if nobody can know it.

    Args:
        conn: in a transaction of its own.
        mine: as it was numbered.
        delivery_id: the delivery in whose hands it is.
        token: of its claim: whoever has lost that, has no say.

    Returns:
        Whether the next document gets the number. It stays where it is not the last one, or where
        something of the document has gone out before.

    """
    await _locked(conn, [mine.scope])
    given = (mine.scope, mine.key, delivery_id, token, LAST)
    return bool((await conn.exec_driver_sql(_GIVE_BACK, given)).rowcount)


async def _locked(conn: AsyncConnection, scopes: list[str]) -> dict[str, int]:
    """Lock the counters of scopes, in order; return the next number of each."""
    found = (await conn.exec_driver_sql(_COUNTERS, (scopes,))).all()
    if len(found) < len(scopes):
        await conn.exec_driver_sql(_NEW_COUNTERS, (scopes,))
        found = (await conn.exec_driver_sql(_COUNTERS, (scopes,))).all()
    return {row.scope: row.next for row in found}


async def retire(conn: AsyncConnection, scope: str, key: str, number: int) -> None:
    """Let the next try of a document have a number of its own: its partner refused this one.

    The row stays, under a key that nothing is allocated for: late answers still find it.
    """
    await conn.execute(
        sa.update(control_number)
        .where(
            control_number.c.scope == scope,
            control_number.c.key == key,
            control_number.c.number == number,
        )
        .values(key=f"{key}{_RETIRED}{number}")
    )
