"""Healing what policy allows: post an invoice again, send a document again. Each at most three times.

What is driven again is a delivery like any other: asked first where the target can be asked, so that
a redrive never makes two. Nothing is closed by it: the finding closes when the other side is seen to
have it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.ledger import audit, bulk, findings, resend
from hub.ledger.tables import delivery, document
from hub.reconcile import acknowledgement_overdue, ship_not_invoiced
from hub.reconcile.discrepancy import Discrepancy
from hub.release.routing import Routed, pending
from hub.settings.model import Site

_MOST = 3
_INVOICE = "invoice_shipment"
_AT_REST = ("delivered", "dead", "cancelled")


class Healer:
    """Drives again what one run found."""

    def __init__(self, ledger: AsyncConnection, site: Site, now: datetime, actor: str) -> None:
        self._ledger = ledger
        self._site = site
        self._now = now
        self._actor = actor

    async def heal(self, job: str, found: Discrepancy, row: sa.Row[Any]) -> bool:
        """Drive a finding's remedy, unless it is under way; return whether something was owed."""
        remedy = _REMEDIES.get(job)
        if remedy is None or found.heal is None or row.state == "accepted":
            return False
        owed, busy = await remedy(self, found.heal, row.redrives + 1)
        if busy:
            return False
        if row.redrives >= _MOST or not owed:
            await findings.give_back(self._ledger, row.id)
            return False
        await bulk.insert(self._ledger, delivery, owed, conflict="ON CONFLICT DO NOTHING")
        await findings.mark_healing(self._ledger, row.id)
        after = {"deliveries": len(owed)}
        entry = audit.Entry(self._actor, "finding.redrive", row.id, found.cause, None, after)
        await audit.append(self._ledger, entry, self._now)
        return True

    async def invoice(self, document_id: str, number: int) -> tuple[list[dict[str, Any]], bool]:
        """Owe the invoice of a shipment at every target that posted the shipment."""
        rows = await self._deliveries(document_id)
        busy = any(row["action"] == _INVOICE and row["state"] not in _AT_REST for row in rows)
        posted = [r for r in rows if r["action"] == "post_shipment" and r["state"] == "delivered"]
        routed = await self._routed(document_id)
        owed = [
            pending(routed, (row["target"], _INVOICE, row["flow"]), self._now, f"redrive-{number}")
            for row in posted
        ]
        return owed, busy

    async def resend(self, delivery_id: str, number: int) -> tuple[list[dict[str, Any]], bool]:
        """Owe the same document to the same receiver again, where the site allows its flow."""
        result = await self._ledger.execute(sa.select(delivery).where(delivery.c.id == delivery_id))
        first = result.mappings().one()
        if first["flow"] not in self._site.reconcile.resend_flows:
            return [], False
        target = (first["target"], first["action"], first["flow"])
        same = [
            row
            for row in await self._deliveries(first["document_id"])
            if (row["target"], row["action"], row["flow"]) == target
        ]
        busy = any(row["state"] not in _AT_REST for row in same)
        routed = await self._routed(first["document_id"])
        row = pending(routed, target, self._now, resend.occasion(number)) | resend.kept_of(first)
        # The same reference: to the receiver it is the same document, with the same numbers.
        return [row | {"reference": first["reference"], "version": first["version"]}], busy

    async def _deliveries(self, document_id: str) -> Sequence[sa.RowMapping]:
        asked = sa.select(delivery).where(delivery.c.document_id == document_id)
        return (await self._ledger.execute(asked)).mappings().all()

    async def _routed(self, document_id: str) -> Routed:
        asked = sa.select(document).where(document.c.id == document_id)
        row = (await self._ledger.execute(asked)).mappings().one()
        return Routed(
            document_id=document_id,
            entity=row["entity"],
            connection=row["connection"],
            partner=row["partner"],
            business_key=row["business_key"],
            version=row["version"] or 1,
            reference=row["reference"] or "",
            trace_id=row["trace_id"],
        )


_Remedy = Callable[[Healer, str, int], Awaitable[tuple[list[dict[str, Any]], bool]]]
_REMEDIES: Mapping[str, _Remedy] = MappingProxyType(
    {
        ship_not_invoiced.NAME: Healer.invoice,
        acknowledgement_overdue.NAME: Healer.resend,
    }
)
