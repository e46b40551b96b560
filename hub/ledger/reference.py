"""Reference snapshots: customers, items and stock as their system last said."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from canonical.inventory import InventoryPosition, stock_number
from canonical.item import Item
from canonical.party import Customer
from hub.ledger import bulk
from hub.ledger.reference_view import Needed, ReferenceView
from hub.ledger.tables import reference

Key = tuple[str, str, str]
"""(connection, entity, number)."""


Snapshot = Customer | Item | InventoryPosition
_MODELS: dict[str, type[Snapshot]] = {
    "customer": Customer,
    "item": Item,
    "inventory": InventoryPosition,
}

_NEWS = timedelta(minutes=1)
_FIRST_POLL = timedelta(minutes=10)
"""So long after the first page has come, a first poll has ended."""
EMPTY = ReferenceView()
"""No reference data at all."""


async def stamps(connection: AsyncConnection, keys: Iterable[Key]) -> dict[Key, tuple[int, str]]:
    """Return (sequence, content id) of each snapshot in force."""
    wanted = sorted(set(keys))
    if not wanted:
        return {}
    result = await connection.exec_driver_sql(
        _lookup("r.sequence, r.content_id"), tuple(map(list, zip(*wanted, strict=True)))
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


async def view(
    connection: AsyncConnection, source: str, needed: Needed, known: Known | None = None
) -> ReferenceView:
    """Read what the control points of a batch will ask for.

    Args:
        connection: to the ledger.
        source: the connection whose reference data counts.
        needed: which numbers.
        known: what was read before, and is only read again once it says something else.
    """
    known = known or Known()
    wanted = [(source, "customer", number) for number in needed.customers]
    for number in needed.items:
        wanted += [(source, "item", number), (source, "inventory", stock_number(number))]
    found, missing = dict[Key, Snapshot](), list[Key]()
    stamped = await stamps(connection, wanted)
    for key, (_, content_id) in stamped.items():
        snapshot = known.find(key, content_id)
        if snapshot is None:
            missing.append(key)
        else:
            found[key] = snapshot
    if missing:
        read = await _read(connection, missing)
        known.keep(read)
        found |= {key: snapshot for key, (_, snapshot) in read.items()}
    absent = {key[1] for key in wanted if key not in stamped}
    return _view(found, await unread(connection, source, absent))


class Known:
    """Snapshots that were read before; where there are too many, the oldest are forgotten.

    Reading one costs 25 us, and a batch of 200 orders may name two thousand items.
    """

    def __init__(self, most: int = 50_000) -> None:
        self._most = most
        self._snapshots: dict[Key, tuple[str, Snapshot]] = {}

    def find(self, key: Key, content_id: str) -> Snapshot | None:
        """Return a snapshot if it is known to say just this."""
        kept = self._snapshots.get(key)
        return kept[1] if kept is not None and kept[0] == content_id else None

    def keep(self, read: Mapping[Key, tuple[str, Snapshot]]) -> None:
        """Remember what was read: key -> (content id, snapshot)."""
        for key in read:
            self._snapshots.pop(key, None)
        self._snapshots |= read
        for key in list(self._snapshots)[: -self._most]:
            del self._snapshots[key]


async def _read(
    connection: AsyncConnection, keys: Sequence[Key]
) -> dict[Key, tuple[str, Snapshot]]:
    result = await connection.exec_driver_sql(
        _lookup("r.content_id, r.canonical"), tuple(map(list, zip(*keys, strict=True)))
    )
    return {
        (row.connection, row.entity, row.number): (
            row.content_id,
            _MODELS[row.entity].model_validate_json(orjson.dumps(row.canonical)),
        )
        for row in result
    }


async def unread(
    connection: AsyncConnection, source: str, entities: Collection[str]
) -> frozenset[str]:
    """Return those entities of which nothing was ever stored."""
    if not entities:
        return frozenset()
    statement = (
        "SELECT w.entity FROM unnest($2::text[]) AS w(entity) LEFT JOIN LATERAL "
        "(SELECT true AS known FROM reference WHERE reference.connection = $1 "
        "AND reference.entity = w.entity LIMIT 1) AS r ON true WHERE r.known IS NULL"
    )
    result = await connection.exec_driver_sql(statement, (source, sorted(entities)))
    return frozenset(result.scalars())


async def arriving(connection: AsyncConnection, source: str, now: datetime) -> bool:
    """Whether a first poll may still be under way: of some entity there is news, and nothing old."""
    statement = (
        "SELECT EXISTS (SELECT FROM unnest($2::text[]) AS w(entity) WHERE EXISTS ("
        "SELECT FROM reference WHERE reference.connection = $1 AND reference.entity = w.entity "
        "AND seen_at > $3) AND NOT EXISTS ("
        "SELECT FROM reference WHERE reference.connection = $1 AND reference.entity = w.entity "
        "AND seen_at <= $4))"
    )
    given = (source, sorted(_MODELS), now - _NEWS, now - _FIRST_POLL)
    return bool((await connection.exec_driver_sql(statement, given)).scalar())


def _lookup(columns: str) -> str:
    """Return the statement that looks each key up by itself (`hub/ledger/plans.py`)."""
    return (
        f"SELECT w.connection, w.entity, w.number, {columns} "  # noqa: S608  # our own names only
        "FROM unnest($1::text[], $2::text[], $3::text[]) AS w(connection, entity, number) "
        "CROSS JOIN LATERAL (SELECT * FROM reference WHERE reference.connection = w.connection "
        "AND reference.entity = w.entity AND reference.number = w.number OFFSET 0) AS r"
    )


def _view(found: Mapping[Key, Snapshot], unread: frozenset[str]) -> ReferenceView:
    customers: dict[str, Customer] = {}
    items: dict[str, Item] = {}
    stock: dict[str, InventoryPosition] = {}
    for (_, _, number), snapshot in found.items():
        match snapshot:
            case Customer():
                customers[number] = snapshot
            case Item():
                items[number] = snapshot
            case InventoryPosition():
                stock[snapshot.number] = snapshot
    return ReferenceView(customers, items, stock, unread)
