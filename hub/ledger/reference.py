"""Reference snapshots: customers, items and stock as their system last said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from canonical.inventory import InventoryPosition, stock_number
from canonical.item import Item
from canonical.party import Customer
from hub.ledger import bulk
from hub.ledger.arrays import among
from hub.ledger.reference_view import Needed, ReferenceView
from hub.ledger.tables import reference

Key = tuple[str, str, str]
"""(connection, entity, number)."""


EMPTY = ReferenceView()
"""No reference data at all."""


async def stamps(connection: AsyncConnection, keys: Iterable[Key]) -> dict[Key, tuple[int, str]]:
    """Return (sequence, content id) of each snapshot in force."""
    wanted = sorted(set(keys))
    if not wanted:
        return {}
    result = await connection.exec_driver_sql(
        "SELECT r.connection, r.entity, r.number, r.sequence, r.content_id FROM reference r "
        "JOIN unnest($1::text[], $2::text[], $3::text[]) AS w(connection, entity, number) "
        "USING (connection, entity, number)",
        tuple(list(column) for column in zip(*wanted, strict=True)),
    )
    return {
        (row.connection, row.entity, row.number): (row.sequence, row.content_id) for row in result
    }


async def save(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store snapshots; an older one never replaces a newer one."""
    ordered = sorted(rows, key=lambda row: (row["connection"], row["entity"], row["number"]))
    await bulk.insert(
        connection,
        reference,
        ordered,
        conflict=(
            "ON CONFLICT (connection, entity, number) DO UPDATE SET sequence = excluded.sequence, "
            "content_id = excluded.content_id, canonical = excluded.canonical, "
            "seen_at = excluded.seen_at WHERE reference.sequence <= excluded.sequence"
        ),
    )


async def view(connection: AsyncConnection, source: str, needed: Needed) -> ReferenceView:
    """Read what the control points of a batch will ask for.

    Args:
        connection: to the ledger.
        source: the connection whose reference data counts.
        needed: which numbers.
    """
    if not needed.customers and not needed.items:
        return EMPTY
    result = await connection.execute(
        sa.select(reference.c.entity, reference.c.number, reference.c.canonical).where(
            reference.c.connection == source,
            sa.or_(
                sa.and_(
                    reference.c.entity == "customer", among(reference.c.number, needed.customers)
                ),
                sa.and_(reference.c.entity == "item", among(reference.c.number, needed.items)),
                sa.and_(
                    reference.c.entity == "inventory",
                    among(reference.c.number, map(stock_number, needed.items)),
                ),
            ),
        )
    )
    return _view(list(result.mappings()))


def _view(rows: Sequence[sa.RowMapping]) -> ReferenceView:
    customers: dict[str, Customer] = {}
    items: dict[str, Item] = {}
    stock: dict[str, InventoryPosition] = {}
    for row in rows:
        text = orjson.dumps(row["canonical"])
        if row["entity"] == "customer":
            customers[row["number"]] = Customer.model_validate_json(text)
        elif row["entity"] == "item":
            items[row["number"]] = Item.model_validate_json(text)
        else:
            position = InventoryPosition.model_validate_json(text)
            stock[position.number] = position
    return ReferenceView(customers, items, stock)
