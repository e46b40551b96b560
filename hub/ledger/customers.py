"""Whose order it is that a shipment, an invoice or an answer is for."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.ext.asyncio import AsyncConnection

# Each value is looked up by itself (`hub/ledger/plans.py`).
_CUSTOMERS = """
SELECT w.reference, min(d.partner) AS partner
FROM unnest($1::text[]) AS w(reference) CROSS JOIN LATERAL (
    SELECT * FROM document WHERE document.reference = w.reference OFFSET 0) AS d
WHERE d.entity = 'order' AND d.version IS NOT NULL
GROUP BY w.reference
HAVING count(DISTINCT d.business_key) = 1 AND count(DISTINCT d.partner) = 1
"""


async def customers(connection: AsyncConnection, references: Iterable[str]) -> dict[str, str]:
    """Return the partner who sent the order of each reference of ours.

    Left out: what no order in force has, and what two have (a reference is 50 bits of a hash): then
    nobody may be told of it.
    """
    wanted = sorted(set(references))
    if not wanted:
        return {}
    result = await connection.exec_driver_sql(_CUSTOMERS, (wanted,))
    return {row.reference: row.partner for row in result}
