"""Business keys: locking them for a verdict, and what is known of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from canonical.verdict import Known

_GUARD = 0x63726F73
"""The space of advisory locks that guards share among themselves."""
_BUCKETS = 1024
"""A power of two; PostgreSQL's lock table holds some 6,400 by default."""

# Each value is looked up by itself (`hub/ledger/plans.py`): left to itself PostgreSQL would rather
# read every order of the window, and more of them from day to day.
_HEADS = """
SELECT h.business_key, h.version, h.sequence, h.content_id, h.document_id
FROM unnest($1::text[]) AS w(business_key) CROSS JOIN LATERAL (
    SELECT * FROM key_head WHERE key_head.business_key = w.business_key FOR UPDATE) AS h
"""
_CONTENTS = """
SELECT d.business_key, d.content_id, d.version IS NOT NULL AND d.state = 'held' AS held
FROM unnest($1::text[]) AS w(business_key) CROSS JOIN LATERAL (
    SELECT * FROM document WHERE document.business_key = w.business_key OFFSET 0) AS d
WHERE d.direction = 'in' AND d.verdict <> 'duplicate' AND d.state <> 'rejected'
"""
_FALL_BACK = """
UPDATE key_head SET version = coalesce(v.version, 0), sequence = coalesce(v.newest, 0),
    content_id = coalesce(v.content_id, ''), document_id = coalesce(v.id, ''), updated_at = $2
FROM (SELECT $1::text AS key) AS k LEFT JOIN LATERAL (
    SELECT id, version, content_id, max(sequence) OVER () AS newest FROM document
    WHERE business_key = k.key AND version IS NOT NULL ORDER BY version DESC LIMIT 1) AS v ON true
WHERE business_key = k.key
RETURNING key_head.version, key_head.sequence, key_head.content_id, key_head.document_id
"""
_PURCHASES = """
SELECT d.content_id, NULL AS po_key, d.business_key, d.partner, d.connection, d.created_at
FROM unnest($1::text[]) AS w(content_id) CROSS JOIN LATERAL (
    SELECT * FROM document WHERE document.content_id = w.content_id OFFSET 0) AS d
WHERE d.entity = 'order' AND d.version IS NOT NULL AND d.created_at >= $3
UNION ALL
SELECT NULL, d.po_key, d.business_key, d.partner, d.connection, d.created_at
FROM unnest($2::text[]) AS w(po_key) CROSS JOIN LATERAL (
    SELECT * FROM document WHERE document.po_key = w.po_key OFFSET 0) AS d
WHERE d.entity = 'order' AND d.version IS NOT NULL AND d.created_at >= $3
"""


@dataclass(slots=True)
class KeyState:
    """What is known of one business key, kept up to date while a batch is decided."""

    version: int = 0
    sequence: int = 0
    content_id: str = ""
    document_id: str = ""
    contents: set[str] = field(default_factory=set)
    held: bool = False
    """A version of the key is held: what changes it has to wait behind it."""

    def known(self) -> Known | None:
        """Return the history to judge by; None where nothing of the key was ever seen."""
        if self.version == 0 and not self.contents:
            return None
        return Known(self.sequence, self.content_id, frozenset(self.contents))


class Purchase(NamedTuple):
    """A known purchase that a new order may be the twin of."""

    business_key: str
    partner: str
    connection: str
    at: datetime


async def guard(connection: AsyncConnection, names: Iterable[str]) -> None:
    """Serialise with every other transaction that guards one of the same names.

    Twins have different business keys, so locking those is not enough: two replicas would each
    accept one of them. Names share a fixed number of locks: one of each would fill PostgreSQL's
    lock table (`max_locks_per_transaction`) with one large batch, at every try. The price: two
    large batches decide one after the other; reading them still overlaps.
    """
    await connection.exec_driver_sql(
        "SELECT pg_advisory_xact_lock($2::int, bucket) FROM (SELECT DISTINCT "
        "hashtext(name) & $3::int AS bucket FROM unnest($1::text[]) AS t(name) ORDER BY 1) AS sorted",
        (list(names), _GUARD, _BUCKETS - 1),
    )


async def lock(
    connection: AsyncConnection, keys: Iterable[str], now: datetime
) -> dict[str, KeyState]:
    """Lock the keys until the transaction ends and return what is known of each.

    Keys are taken in sorted order by an INSERT that never fails: two writers with overlapping
    keys wait for one another and cannot deadlock (measured: unsorted rows did, 14 times in 30).
    """
    ordered = sorted(set(keys))
    heads: dict[str, KeyState] = {}
    while ordered:
        heads |= await _locked(connection, ordered, now)
        # Pruning may delete a row that was there while we waited for its lock.
        ordered = [key for key in ordered if key not in heads]
    await _add_contents(connection, heads)
    return heads


async def _locked(
    connection: AsyncConnection, ordered: Sequence[str], now: datetime
) -> dict[str, KeyState]:
    await connection.exec_driver_sql(
        "INSERT INTO key_head (business_key, version, sequence, content_id, document_id, updated_at)"
        " SELECT k, 0, 0, '', '', $2 FROM unnest($1::text[]) AS t(k) ON CONFLICT DO NOTHING",
        (list(ordered), now),
    )
    return {
        row.business_key: KeyState(row.version, row.sequence, row.content_id, row.document_id)
        for row in await connection.exec_driver_sql(_HEADS, (list(ordered),))
    }


async def _add_contents(connection: AsyncConnection, heads: dict[str, KeyState]) -> None:
    if not heads:
        return
    result = await connection.exec_driver_sql(_CONTENTS, (list(heads),))
    for row in result:
        heads[row.business_key].contents.add(row.content_id)
        heads[row.business_key].held |= row.held


async def save(connection: AsyncConnection, heads: Mapping[str, KeyState], now: datetime) -> None:
    """Store the version in force of each key; the caller holds their locks."""
    changed = {key: head for key, head in heads.items() if head.version}
    if changed:
        await connection.exec_driver_sql(
            # The rows are there; a conflict finds each by its key, which an UPDATE ... FROM may not.
            "INSERT INTO key_head "
            "(business_key, version, sequence, content_id, document_id, updated_at) "
            "SELECT w.*, $6 FROM unnest($1::text[], $2::int[], $3::bigint[], $4::text[], $5::text[]) "
            "AS w ON CONFLICT (business_key) DO UPDATE SET version = excluded.version, "
            "sequence = excluded.sequence, content_id = excluded.content_id, "
            "document_id = excluded.document_id, updated_at = excluded.updated_at",
            (
                list(changed),
                [head.version for head in changed.values()],
                [head.sequence for head in changed.values()],
                [head.content_id for head in changed.values()],
                [head.document_id for head in changed.values()],
                now,
            ),
        )


async def purchases(
    connection: AsyncConnection, contents: Iterable[str], po_keys: Iterable[str], since: datetime
) -> tuple[dict[str, list[Purchase]], dict[str, list[Purchase]]]:
    """Return the orders in force since a moment that share a content id or a purchase.

    Returns:
        Two maps: by content id, by po_key.
    """
    by_content: dict[str, list[Purchase]] = {}
    by_purchase: dict[str, list[Purchase]] = {}
    result = await connection.exec_driver_sql(
        _PURCHASES, (sorted(set(contents)), sorted(set(po_keys)), since)
    )
    for row in result:
        purchase = Purchase(row.business_key, row.partner, row.connection, row.created_at)
        if row.content_id is not None:
            by_content.setdefault(row.content_id, []).append(purchase)
        else:
            by_purchase.setdefault(row.po_key, []).append(purchase)
    return by_content, by_purchase


async def fall_back(connection: AsyncConnection, key: str, now: datetime) -> KeyState:
    """Put the newest version that is left in force, as another was refused; none: the key is free.

    The caller holds the key's lock and has taken the version of the refused one.
    """
    rows = await connection.exec_driver_sql(_FALL_BACK, (key, now))
    (row,) = rows
    return KeyState(row.version, row.sequence, row.content_id, row.document_id)
