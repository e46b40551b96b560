"""Many dead deliveries at once, made in SQL: each order refused by its target, the oldest first."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

_DOCUMENTS = """
INSERT INTO document (id, direction, connection, partner, entity, flow, business_key, content_id,
    version, purpose, verdict, state, number, reference, amount, currency, canonical, created_at)
SELECT 'doc-' || n, 'in', 'acme-edi', 'acme', 'order', '850',
    'order/acme/' || (n - 1) / :versions || '/', 'content-' || n, (n - 1) % :versions + 1,
    'original', 'accept', 'dead', n::text, 'XD' || n, 120, 'USD', '{}',
    now() - make_interval(secs => :count - n)
FROM generate_series(1, :count) AS n
"""
_DELIVERIES = """
INSERT INTO delivery (id, document_id, target, action, flow, business_key, version, state,
    attempts, reference, code, created_at, settled_at)
SELECT id || '>', id, :target, 'create_order', 'order', business_key, version, 'dead', 1,
    reference, 'customer_unknown', created_at, created_at FROM document
"""
_ATTEMPTS = """
INSERT INTO attempt (delivery_id, n, outcome, code, started_at, ended_at)
SELECT id, 1, 'dead', 'customer_unknown', created_at, created_at FROM delivery
"""
_LETTERS = """
INSERT INTO dead_letter (id, stage, connection, partner, entity, flow, target, document_id,
    delivery_id, business_key, code, place, detail, fingerprint, amount, currency, state, opened_at)
SELECT 'letter-' || lpad(of.number, 7, '0'), 'deliver', 'acme-edi', 'acme', 'order', 'order', :target,
    of.id, sent.id, sent.business_key, 'customer_unknown', 'customerNumber', 'x', 'f1', 120, 'USD',
    'open', of.created_at
FROM delivery AS sent JOIN document AS of ON of.id = sent.document_id
"""


async def many_dead(
    engine: AsyncEngine, count: int, *, target: str = "bc", versions: int = 1
) -> None:
    """Fill an empty ledger with dead deliveries.

    Args:
        engine: the ledger.
        count: how many.
        target: of all.
        versions: how many of them share a business key, one after the other.
    """
    given = {"count": count, "target": target, "versions": versions}
    async with engine.begin() as ledger:
        for statement in (_DOCUMENTS, _DELIVERIES, _ATTEMPTS, _LETTERS):
            await ledger.execute(sa.text(statement), given)
    async with engine.connect() as ledger:
        plain = await ledger.execution_options(isolation_level="AUTOCOMMIT")
        await plain.exec_driver_sql("ANALYZE")
