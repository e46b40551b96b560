"""What the ledger knows, as the values that reconciliation jobs work on.

PostgreSQL adds up what was shipped and billed and names the orders where more was shipped; only
those are read. Which of them is a finding is for the job's pure function to say.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.ledger.arrays import among
from hub.ledger.tables import delivery, document
from hub.reconcile.ship_not_invoiced import UNKNOWN_ORDER, Invoiced, Ordered, Shipped

_ITEM = """coalesce(nullif(line -> 'item' ->> 'seller_sku', ''),
    nullif(line -> 'item' ->> 'buyer_sku', ''), nullif(line -> 'item' ->> 'gtin', ''))"""

# OFFSET 0 lets no condition into the inner queries: what is looked at grows with the window and with
# what is open, never with the ledger.
UNDERBILLED = f"""
WITH candidate AS (
    SELECT DISTINCT s.reference
    FROM (SELECT DISTINCT document_id FROM delivery WHERE action = 'post_shipment'
        AND state = 'delivered' AND settled_at >= $1 AND settled_at <= $2) AS d
    CROSS JOIN LATERAL (
        SELECT reference FROM document WHERE id = d.document_id AND entity = 'shipment'
        OFFSET 0) AS s
    UNION
    SELECT o.reference FROM finding AS f
    CROSS JOIN LATERAL (
        SELECT reference FROM document WHERE business_key = f.subject AND entity = 'order'
        OFFSET 0) AS o
    WHERE f.job = $3 AND f.state <> 'closed'
    UNION
    SELECT substr(subject, length('{UNKNOWN_ORDER}') + 1) FROM finding
    WHERE job = $3 AND state <> 'closed' AND starts_with(subject, '{UNKNOWN_ORDER}')
), shipped AS (
    SELECT reference, {_ITEM} AS item, sum((line -> 'shipped' ->> 'value')::numeric) AS quantity
    FROM candidate CROSS JOIN LATERAL (
        SELECT canonical FROM document WHERE document.reference = candidate.reference
        AND entity = 'shipment' AND EXISTS (
            SELECT FROM delivery WHERE document_id = document.id AND action = 'post_shipment'
            AND state = 'delivered' AND settled_at <= $2)
        OFFSET 0) AS s
    CROSS JOIN LATERAL jsonb_array_elements(s.canonical -> 'lines') AS line GROUP BY 1, 2
), billed AS (
    SELECT reference, {_ITEM} AS item, sum((line -> 'quantity' ->> 'value')::numeric) AS quantity
    FROM candidate CROSS JOIN LATERAL (
        SELECT DISTINCT ON (business_key) canonical FROM document
        WHERE document.reference = candidate.reference
        AND entity = 'invoice' AND version IS NOT NULL
        ORDER BY business_key, version DESC) AS i
    CROSS JOIN LATERAL jsonb_array_elements(i.canonical -> 'lines') AS line GROUP BY 1, 2
)
SELECT DISTINCT reference FROM shipped LEFT JOIN billed USING (reference, item)
WHERE item IS NOT NULL AND shipped.quantity > coalesce(billed.quantity, 0) ORDER BY reference
"""  # noqa: S608  # our own words only


async def underbilled(
    connection: AsyncConnection, job: str, since: datetime, until: datetime
) -> list[str]:
    """Return the references whose acknowledged shipments are not covered by invoices.

    Args:
        connection: to the ledger.
        job: whose open findings are looked at too, however old they are.
        since: orders of which a shipment was acknowledged from then on.
        until: shipments that were acknowledged later do not count yet.
    """
    result = await connection.exec_driver_sql(UNDERBILLED, (since, until, job))
    return list(result.scalars())


async def shipped(connection: AsyncConnection, references: Sequence[str]) -> list[Shipped]:
    """Return the shipments for these references whose posting the ERP acknowledged."""
    posted = (
        sa.select(
            document.c.id,
            document.c.reference,
            document.c.canonical,
            sa.func.min(delivery.c.settled_at).label("settled_at"),
        )
        .join(delivery, delivery.c.document_id == document.c.id)
        .where(
            among(document.c.reference, references),
            document.c.entity == "shipment",
            delivery.c.action == "post_shipment",
            delivery.c.state == "delivered",
        )
        .group_by(document.c.id)
    )
    return [
        Shipped(
            row["id"],
            row["reference"],
            row["settled_at"],
            _quantities(row["canonical"]["lines"], "shipped"),
        )
        for row in (await connection.execute(posted)).mappings()
    ]


async def invoiced(connection: AsyncConnection, references: Sequence[str]) -> list[Invoiced]:
    """Return the newest version of each invoice that bills one of these references."""
    newest = (
        sa.select(document.c.reference, document.c.canonical)
        .ext(distinct_on(document.c.business_key))
        .where(
            document.c.entity == "invoice",
            among(document.c.reference, references),
            document.c.version.is_not(None),
        )
        .order_by(document.c.business_key, document.c.version.desc())
    )
    return [
        Invoiced(row["reference"], _quantities(row["canonical"].get("lines", ()), "quantity"))
        for row in (await connection.execute(newest)).mappings()
    ]


async def ordered(connection: AsyncConnection, references: Sequence[str]) -> dict[str, Ordered]:
    """Return the order behind each reference."""
    orders = sa.select(
        document.c.reference, document.c.business_key, document.c.currency, document.c.canonical
    ).where(
        document.c.entity == "order",
        among(document.c.reference, references),
        document.c.version.is_not(None),
    )
    return {
        row["reference"]: Ordered(
            row["business_key"], row["currency"], _prices(row["canonical"]["lines"])
        )
        for row in (await connection.execute(orders)).mappings()
    }


def _item(line: Mapping[str, Any]) -> str:
    codes = line["item"]
    return str(codes.get("seller_sku") or codes.get("buyer_sku") or codes.get("gtin") or "")


def _quantities(lines: Iterable[Mapping[str, Any]], name: str) -> dict[str, Decimal]:
    total: defaultdict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        total[_item(line)] += Decimal(line[name]["value"])
    return {item: quantity for item, quantity in total.items() if item}


def _prices(lines: Iterable[Mapping[str, Any]]) -> dict[str, Decimal]:
    return {
        _item(line): Decimal(line["unit_price"]["amount"])
        / Decimal(line["unit_price"].get("per", "1"))
        for line in lines
        if line.get("unit_price")
    }
