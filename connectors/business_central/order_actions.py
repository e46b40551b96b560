"""`create_order` and `change_order`: what is done, and how its effect is recognised later."""

from __future__ import annotations

from canonical.errors import Rejected, Retryable
from connectors.base import Json, Outbound, Settled
from connectors.business_central.api import Api, Write, written
from connectors.business_central.books import Books
from connectors.business_central.changes import Step, plan_change, read_change
from connectors.business_central.faults import Stale
from connectors.business_central.odata import dumps
from connectors.business_central.order import Order


class OrderActions:
    """Writes sales orders."""

    def __init__(self, api: Api, books: Books) -> None:
        self._api = api
        self._books = books

    async def create(self, outbound: Outbound) -> Settled:
        """One POST with header and lines; the encoded bytes go out as they were archived."""
        if not outbound.reference:
            raise Rejected("reference_missing", "reference", "expected our reference")
        if outbound.body.get("externalDocumentNumber") != outbound.reference:
            place = "externalDocumentNumber"
            raise Rejected("reference_missing", place, "expected our reference on the order")
        made = await self._api.write(
            Write("POST", f"{self._api.base}/salesOrders", outbound.encoded)
        )
        return Settled(written(made, "id"), {"number": written(made, "number")})

    async def find_created(self, outbound: Outbound) -> Settled | None:
        """By our reference: an open order, or what posting has left of it."""
        reference = outbound.reference
        orders = await self._books.orders(reference)
        if orders:
            return Settled(orders[0].id, {"number": orders[0].number})
        for row in await self._books.invoices(reference):
            return Settled(_posted_id(row, "orderId"), _posted_facts(row))
        for row in await self._books.shipments(reference):
            return Settled(_posted_id(row, "id"), _posted_facts(row))
        return None

    async def change(self, outbound: Outbound) -> Settled:
        """Write what is left to do; after a stale ETag read again, once and while that helps."""
        change = read_change(outbound.body)
        fewest = None
        while True:
            order = await self._books.order(outbound.reference)
            if order is None:
                return await self._without_order(outbound)
            steps = plan_change(order, change)
            if not steps:
                return Settled(order.id, {"number": order.number})
            try:
                for step in steps:
                    await self._take(order, step)
            except Stale:
                if fewest is not None and len(steps) >= fewest:
                    raise
                fewest = len(steps)
                continue
            return Settled(order.id, {"number": order.number})

    async def find_changed(self, outbound: Outbound) -> Settled | None:
        """Found when nothing is left to do; a cancelled order is gone, and nothing was posted."""
        change = read_change(outbound.body)
        order = await self._books.order(outbound.reference)
        if order is None:
            gone = change.kind == "cancel" and not await self._posted(outbound.reference)
            return Settled(facts={"state": "deleted"}) if gone else None
        try:
            left = plan_change(order, change)
        except Rejected:
            return None  # `change` will refuse it in the same words
        return None if left else Settled(order.id, {"number": order.number})

    async def _without_order(self, outbound: Outbound) -> Settled:
        if await self._posted(outbound.reference):
            raise Rejected("order_closed_at_target", "", "expected an order that is open")
        raise Retryable("order_not_at_target", "", "expected the order to be there first")

    async def _posted(self, reference: str) -> bool:
        if await self._books.invoices(reference):
            return True
        return bool(await self._books.shipments(reference))

    async def _take(self, order: Order, step: Step) -> None:
        url = f"{self._api.base}/salesOrders({order.id})"
        content = dumps(step.body, sort=False) if step.body else b""
        if step.action == "add":
            write = Write("POST", f"{url}/salesOrderLines", content)
        elif step.line is None:
            method = "DELETE" if step.action == "delete_order" else "PATCH"
            write = Write(method, url, content, order.etag)
        else:
            line_url = f"{self._api.base}/salesOrderLines({step.line.id})"
            write = Write(step.action.upper(), line_url, content, step.line.etag)
        made = await self._api.write(write)
        if write.method != "DELETE":
            written(made, "id")


def _posted_id(row: Json, key: str) -> str:
    return str(row.get(key) or row.get("id") or "")


def _posted_facts(row: Json) -> dict[str, str]:
    return {"number": str(row.get("orderNumber", "")), "state": "posted"}
