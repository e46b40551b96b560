"""Stock as the ERP and as the warehouses count it, where they differ at all."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncConnection

from hub.reconcile.inventory_variance import Counted, Position

_NUMBERS = """
    number, seen_at, replace(replace(split_part(number, '@', 1), '%40', '@'), '%25', '%') AS item,
    split_part(number, '@', 2) AS site, (canonical #>> '{on_hand,value}')::numeric AS quantity,
    canonical #>> '{on_hand,unit}' AS unit
"""
# A position's number is <item>@<site> (`canonical.inventory.stock_number`).
DIFFERING = f"""
WITH books AS (
    SELECT {_NUMBERS} FROM reference WHERE connection = $1 AND entity = 'inventory'
), counts AS (
    SELECT {_NUMBERS} FROM reference WHERE connection = $2 AND entity = 'inventory'
)
SELECT coalesce(c.item, b.item) AS item, coalesce(b.site, $3, c.site) AS site,
    b.quantity AS books, b.unit AS books_unit, b.seen_at AS books_at,
    c.quantity AS counted, c.unit AS counted_unit, c.seen_at AS counted_at
FROM (SELECT * FROM books WHERE $3::text IS NULL OR site = $3) AS b
FULL JOIN counts AS c ON c.item = b.item AND coalesce($3, c.site) = b.site
WHERE b.quantity IS DISTINCT FROM c.quantity OR b.unit IS DISTINCT FROM c.unit
ORDER BY 1, 2
"""  # noqa: S608  # our own words only


async def positions(
    connection: AsyncConnection, books: str, warehouses: Mapping[str, str]
) -> list[Position]:
    """Return the positions that are not the same on both sides.

    Args:
        connection: to the ledger.
        books: the connection whose stock is the books.
        warehouses: connection that counts -> the site that it is in the books; ``*``: as it says.
    """
    found = []
    for warehouse, site in sorted(warehouses.items()):
        named = None if site == "*" else site
        result = await connection.exec_driver_sql(DIFFERING, (books, warehouse, named))
        found += [
            Position(
                row.site,
                row.item,
                warehouse,
                _counted(row.books, row.books_unit, row.books_at),
                _counted(row.counted, row.counted_unit, row.counted_at),
            )
            for row in result
        ]
    return found


def _counted(quantity: Decimal | None, unit: str, at: datetime) -> Counted | None:
    return None if quantity is None else Counted(quantity, unit, at)
