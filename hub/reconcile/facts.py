"""What the ledger knows of orders, as the values that the jobs work on.

Which orders are looked at: those of which something came or was acknowledged since the last run, or
came so long ago that a clock of the policy ran out since; those whose day to ship has come since; and
those with an open finding, however old. So what is read grows with the news and with what is open, never with
the ledger. A sweep takes the whole window instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.ledger.plans import by_index
from hub.ledger.slices import DELIVERED, DOCUMENTS, FEW, slices, upto
from hub.reconcile.line_ledger import ItemFacts
from hub.reconcile.orders import OrderThread, Sent, read
from hub.settings.model import Site

ENTITIES = (
    "order", "order_change", "order_response", "shipment", "receiving_advice", "invoice",
)  # fmt: skip

# Each is answered by one index (`hub/ledger/plans.py`), and over a slice of time or a day.
CAME = """
SELECT DISTINCT reference FROM document
WHERE created_at >= $1 AND created_at < $2 AND direction = 'in'
    AND version IS NOT NULL AND reference IS NOT NULL
    AND entity IN ('order', 'order_change', 'order_response', 'shipment', 'receiving_advice',
        'invoice')
"""
POSTED = """
SELECT DISTINCT d.reference FROM (
    SELECT document_id FROM delivery WHERE action = 'post_shipment' AND state = 'delivered'
        AND settled_at >= $1 AND settled_at < $2 OFFSET 0) AS s
CROSS JOIN LATERAL (SELECT reference FROM document WHERE id = s.document_id OFFSET 0) AS d
WHERE d.reference IS NOT NULL
"""
TO_LEAVE = """
SELECT DISTINCT reference FROM document
WHERE coalesce(canonical ->> 'requested_ship_on', canonical ->> 'requested_delivery_on') = $1
    AND entity = 'order' AND version IS NOT NULL AND reference IS NOT NULL
"""
_FOUND = """
SELECT DISTINCT reference FROM finding WHERE state <> 'closed' AND job = ANY($1::text[])
    AND reference IS NOT NULL
"""

_PAPERS = """
SELECT w.reference, d.id, d.entity, d.number, d.business_key, d.version, d.state, d.partner,
    d.connection, d.created_at, d.currency, d.canonical -> 'lines' AS lines,
    d.canonical ->> 'kind' AS kind, d.canonical ->> 'status' AS answer,
    d.canonical #>> '{extensions,status}' AS status,
    coalesce(d.canonical ->> 'requested_ship_on', d.canonical ->> 'requested_delivery_on') AS ship_by,
    coalesce(d.canonical ->> 'requested_delivery_on', d.canonical ->> 'deliver_on') AS deliver_on,
    coalesce(d.canonical ->> 'requested_ship_on', d.canonical ->> 'ship_on') AS leave_on
FROM unnest($1::text[]) AS w(reference) CROSS JOIN LATERAL (
    SELECT * FROM document WHERE document.reference = w.reference OFFSET 0) AS d
WHERE d.direction = 'in' AND d.version IS NOT NULL AND d.state NOT IN ('rejected', 'superseded')
    AND d.entity IN ('order', 'order_change', 'order_response', 'shipment', 'receiving_advice',
        'invoice')
"""
_SENT = """
SELECT w.id AS document_id, d.id, d.target, d.action, d.flow, d.state, d.created_at, d.settled_at,
    d.code, d.next_at
FROM unnest($1::text[]) AS w(id) CROSS JOIN LATERAL (
    SELECT * FROM delivery WHERE delivery.document_id = w.id OFFSET 0) AS d
"""
_ITEMS = """
SELECT w.number, r.base_unit, r.stocked, r.price, r.currency
FROM unnest($2::text[]) AS w(number) CROSS JOIN LATERAL (
    SELECT canonical ->> 'base_unit' AS base_unit, canonical ->> 'stocked' AS stocked,
        canonical #>> '{list_price,amount}' AS price,
        canonical #>> '{list_price,currency}' AS currency
    FROM reference WHERE connection = $1 AND entity = 'item' AND reference.number = w.number
    OFFSET 0) AS r
"""


@dataclass(frozen=True, slots=True)
class Span:
    """What a run looks at."""

    news: Sequence[tuple[datetime, datetime]]
    """From when until when documents came, or were acknowledged."""
    ship_by_since: date
    ship_by_until: date

    @property
    def ship_by_days(self) -> list[date]:
        """The days on which what was to leave is looked at."""
        first = self.ship_by_since
        return [first + timedelta(days=n) for n in range((self.ship_by_until - first).days + 1)]


async def candidates(connection: AsyncConnection, span: Span, jobs: Sequence[str]) -> list[str]:
    """Return the references of the orders to look at, sorted; in one transaction.

    Args:
        connection: to the ledger.
        span: what came, was acknowledged or was to leave in it.
        jobs: whose open findings are looked at too.
    """
    await by_index(connection)
    found = set((await connection.exec_driver_sql(_FOUND, (list(jobs),))).scalars())
    for since, until in span.news:
        news = since, upto(until)
        async for part in slices(connection, DOCUMENTS, news):
            found |= set((await connection.exec_driver_sql(CAME, part)).scalars())
        async for part in slices(connection, DELIVERED, news, "post_shipment", most=FEW):
            found |= set((await connection.exec_driver_sql(POSTED, part)).scalars())
    for day in span.ship_by_days:
        leaving = await connection.exec_driver_sql(TO_LEAVE, (day.isoformat(),))
        found |= set(leaving.scalars())
    return sorted(found)


async def threads(connection: AsyncConnection, references: Sequence[str]) -> list[OrderThread]:
    """Return the threads of these references, in their order; in one transaction."""
    await by_index(connection)
    rows: dict[str, list[sa.RowMapping]] = {reference: [] for reference in references}
    papers = (await connection.exec_driver_sql(_PAPERS, (list(references),))).mappings().all()
    for row in papers:
        rows[row["reference"]].append(row)
    sent: dict[str, list[Sent]] = {}
    ids = [row["id"] for row in papers]
    for row in (await connection.exec_driver_sql(_SENT, (ids,))).mappings():
        values = {name: value for name, value in row.items() if name != "document_id"}
        sent.setdefault(row["document_id"], []).append(Sent(**values))
    return [read(reference, rows[reference], sent) for reference in references]


class ItemBook:
    """What the ERP says of items, read once each for as long as a run takes."""

    def __init__(self, site: Site) -> None:
        self._connection = site.control_points.reference
        self._known: dict[str, ItemFacts | None] = {}

    async def of(
        self, connection: AsyncConnection, threads: Sequence[OrderThread]
    ) -> Mapping[str, ItemFacts]:
        """Return what is known of all items that these threads name."""
        wanted = {
            said.codes["seller_sku"]
            for thread in threads
            for paper in (*thread.versions, *thread.shipments, *thread.invoices)
            for said in paper.lines
            if said.codes.get("seller_sku")
        }
        return await self.named(connection, wanted)

    async def named(self, connection: AsyncConnection, numbers: set[str]) -> dict[str, ItemFacts]:
        """Return what is known of the items of these numbers."""
        new = sorted(numbers - self._known.keys())
        if new:
            self._known |= dict.fromkeys(new)
            result = await connection.exec_driver_sql(_ITEMS, (self._connection, new))
            for row in result:
                price = None if row.price is None else Decimal(row.price)
                self._known[row.number] = ItemFacts(
                    row.base_unit, row.stocked != "false", price, row.currency
                )
        return {number: facts for number in numbers if (facts := self._known.get(number))}
