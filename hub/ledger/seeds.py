"""What a key names: the documents that a thread starts from.

Each condition is a query of its own that one index answers: an OR over columns and tables would
read every document of the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.ledger.arrays import among
from hub.ledger.tables import delivery, document

_MOST = 2000

# Constants, as in the indexes: a parameter would not tell PostgreSQL that a partial index fits.
_OF_SHIPMENT = sa.literal_column("entity = 'shipment'", sa.Boolean())
_PACKAGES: sa.ColumnElement[JSONB] = sa.literal_column("(canonical -> 'packages')", JSONB())
_TRACKING: sa.ColumnElement[JSONB] = sa.literal_column("(canonical -> 'tracking_numbers')", JSONB())
_OF_REMITTANCE = sa.literal_column("entity = 'remittance'", sa.Boolean())
_ITEMS: sa.ColumnElement[JSONB] = sa.literal_column("(canonical -> 'items')", JSONB())
_NUMBER_AT_TARGET = sa.literal_column("(facts ->> 'number')", sa.Text())


async def named_by(connection: AsyncConnection, key: str) -> Sequence[sa.RowMapping]:
    """Return documents that a number, id, SSCC or tracking number names."""
    plain = await documents_by(
        connection,
        document.c.number == key,
        document.c.reference == key,
        document.c.id == key,
        more=(
            sa.select(delivery.c.document_id).where(delivery.c.external_id == key),
            sa.select(delivery.c.document_id).where(among(_NUMBER_AT_TARGET, [key])),
        ),
    )
    if plain and not any(row["entity"] == "tracking" for row in plain):
        return plain
    packed = await documents_by(
        connection, _packed({"sscc": key}), _packed({"tracking_number": key}), _tracked(key)
    )
    return [*plain, *packed]


async def tracked_by(connection: AsyncConnection, numbers: Iterable[str]) -> set[str]:
    """Return the order references of the shipments that carry these tracking numbers."""
    found: set[str] = set()
    for number in numbers:
        rows = await documents_by(
            connection, _packed({"tracking_number": number}), _tracked(number)
        )
        found |= {row["reference"] for row in rows if row["reference"]}
    return found


def paid_by(invoice: str) -> sa.ColumnElement[bool]:
    """Of remittances: that they say that they pay this invoice."""
    return sa.and_(_OF_REMITTANCE, _ITEMS.contains(sa.cast([{"number": invoice}], JSONB)))


async def documents_by(
    connection: AsyncConnection,
    *conditions: sa.ColumnElement[bool],
    more: Sequence[sa.Select[tuple[str]]] = (),
) -> Sequence[sa.RowMapping]:
    """Return documents that fulfil one of the conditions, the oldest first, 2,000 at most.

    Args:
        connection: to the ledger.
        conditions: on documents.
        more: queries for ids of documents.
    """
    parts = [sa.select(document.c.id).where(condition) for condition in conditions]
    ids = sa.union(*(part.limit(_MOST) for part in (*parts, *more))).limit(_MOST)
    found = list((await connection.execute(ids)).scalars())
    result = await connection.execute(
        sa.select(document).where(among(document.c.id, found)).order_by(document.c.created_at)
    )
    return list(result.mappings())


def _packed(facts: dict[str, str]) -> sa.ColumnElement[bool]:
    return sa.and_(_OF_SHIPMENT, _PACKAGES.contains(sa.cast([facts], JSONB)))


def _tracked(number: str) -> sa.ColumnElement[bool]:
    return sa.and_(_OF_SHIPMENT, _TRACKING.contains(sa.cast([number], JSONB)))
