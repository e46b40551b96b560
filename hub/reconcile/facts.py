"""What the ledger knows, as the values that reconciliation jobs work on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.ledger.tables import delivery, document
from hub.reconcile.ship_not_invoiced import Invoiced, Ordered, Shipped


async def shipped(connection: AsyncConnection, since: datetime) -> list[Shipped]:
    """Return shipments whose posting the ERP acknowledged since a moment."""
    posted = (
        sa.select(document.c.id, document.c.reference, document.c.canonical, delivery.c.settled_at)
        .join(delivery, delivery.c.document_id == document.c.id)
        .where(
            document.c.entity == "shipment",
            delivery.c.action == "post_shipment",
            delivery.c.state == "delivered",
            delivery.c.settled_at >= since,
        )
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


async def invoiced(connection: AsyncConnection, references: Iterable[str]) -> list[Invoiced]:
    """Return the newest version of each invoice that bills one of these references."""
    newest = (
        sa.select(document.c.reference, document.c.canonical)
        .ext(distinct_on(document.c.business_key))
        .where(
            document.c.entity == "invoice",
            document.c.reference.in_(list(references)),
            document.c.version.is_not(None),
        )
        .order_by(document.c.business_key, document.c.version.desc())
    )
    return [
        Invoiced(row["reference"], _quantities(row["canonical"].get("lines", ()), "quantity"))
        for row in (await connection.execute(newest)).mappings()
    ]


async def ordered(connection: AsyncConnection, references: Iterable[str]) -> dict[str, Ordered]:
    """Return the order behind each reference."""
    orders = sa.select(
        document.c.reference, document.c.business_key, document.c.currency, document.c.canonical
    ).where(
        document.c.entity == "order",
        document.c.reference.in_(list(references)),
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
