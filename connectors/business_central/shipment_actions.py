"""`post_shipment` and `invoice_shipment`: set the lines, post once, recognise it by our note."""

from __future__ import annotations

from collections.abc import Callable

from canonical.errors import InDoubt, Rejected, Retryable
from connectors.base import Json, Outbound, Settled
from connectors.business_central.api import Api, Write, written
from connectors.business_central.books import Books, lines_of
from connectors.business_central.config import BusinessCentralConfig
from connectors.business_central.faults import Stale
from connectors.business_central.odata import decimal, dumps
from connectors.business_central.order import Order, text
from connectors.business_central.posting import (
    Setting,
    Shipment,
    has_posted,
    plan_invoicing,
    plan_posting,
    read_shipment,
)

Plan = Callable[[Order], tuple[Setting, ...]]


class ShipmentActions:
    """Posts shipments and what is left to invoice of them."""

    def __init__(self, api: Api, books: Books, config: BusinessCentralConfig) -> None:
        self._api = api
        self._books = books
        self._dates = config.posting_date == "shipped_on"

    async def post(self, outbound: Outbound) -> Settled:
        """Ship and invoice this shipment's quantities."""
        shipment = read_shipment(outbound.body)
        order = await self._books.order(shipment.order_reference)
        if order is None:
            return await self._without_order(shipment)
        # Our note on a line means that an earlier attempt came at least this far.
        if any(line.note.shipment == shipment.key for line in order.lines):
            found = await self._posted(shipment)
            if found is not None:
                return found
        return await self._post(order, shipment, lambda now: plan_posting(now.lines, shipment))

    async def find_posted(self, outbound: Outbound) -> Settled | None:
        """A posted shipment with our note."""
        return await self._posted(read_shipment(outbound.body))

    async def invoice(self, outbound: Outbound) -> Settled:
        """Post what of this shipment is not posted yet."""
        shipment = read_shipment(outbound.body)
        found = await self._posted(shipment)
        if found is None:
            return await self.post(outbound)
        if await self.find_invoiced(outbound) is not None:
            return found
        order = await self._books.order(shipment.order_reference)
        if order is None:
            return found
        return await self._post(order, shipment, lambda now: plan_invoicing(now.lines, shipment))

    async def find_invoiced(self, outbound: Outbound) -> Settled | None:
        """A posted invoice with our note, or a posted shipment of which nothing is left."""
        shipment = read_shipment(outbound.body)
        for row in await self._books.invoices(shipment.order_reference):
            if has_posted(lines_of(row, "salesInvoiceLines"), shipment.key):
                return Settled(text(row, "number"), {"invoice": text(row, "number")})
        found = await self._posted(shipment)
        if found is None:
            return None
        order = await self._books.order(shipment.order_reference)
        if order is None or not plan_invoicing(order.lines, shipment):
            return found
        return None

    async def _posted(self, shipment: Shipment) -> Settled | None:
        for row in await self._books.shipments(shipment.order_reference):
            if has_posted(lines_of(row, "salesShipmentLines"), shipment.key):
                number = text(row, "number")
                return Settled(
                    number, {"shipment": number, "order": str(row.get("orderNumber", ""))}
                )
        return None

    async def _without_order(self, shipment: Shipment) -> Settled:
        found = await self._posted(shipment)
        if found is not None:
            return found
        if await self._books.shipments(shipment.order_reference) or await self._books.invoices(
            shipment.order_reference
        ):
            raise Rejected("order_closed_at_target", "order_reference", "expected an open order")
        raise Retryable("order_not_at_target", "order_reference", "expected the order first")

    async def _post(self, order: Order, shipment: Shipment, plan: Plan) -> Settled:
        plan(order)  # a body that does not fit is refused before anything is written
        try:
            order = await self._prepared(order, shipment, plan)
        except InDoubt as error:
            # Only lines were set; nothing is posted, and setting them again is harmless.
            raise Retryable(error.code, "salesOrderLines", error.detail) from error
        url = f"{self._api.base}/salesOrders({order.id})/Microsoft.NAV.shipAndInvoice"
        await self._api.write(Write("POST", url))
        return await self._confirmed(order, shipment)

    async def _confirmed(self, order: Order, shipment: Shipment) -> Settled:
        """Learn the posted shipment's number; if that fails, the posting stands all the same."""
        try:
            found = await self._posted(shipment)
        except Retryable:
            return Settled(order.number, {"order": order.number})
        if found is None:
            # Somebody else's quantities stood on the lines when the posting ran.
            raise InDoubt("posting_unconfirmed", "", "expected a posted shipment with our note")
        return found

    async def _prepared(self, order: Order, shipment: Shipment, plan: Plan) -> Order:
        """Set the date, then the lines; after a stale ETag read again, once and while that helps."""
        order = await self._dated(order, shipment)
        fewest = None
        while settings := [setting for setting in plan(order) if not setting.stands]:
            try:
                for setting in settings:
                    await self._set(setting)
            except Stale:
                if fewest is not None and len(settings) >= fewest:
                    raise
                fewest = len(settings)
                order = await self._again(shipment)
            else:
                return order
        return order

    async def _dated(self, order: Order, shipment: Shipment) -> Order:
        """Business Central posts on the order's posting date, else the day the order was made.

        Setting it changes the lines' ETags: so it goes first, and the order is read again.
        """
        for is_last in (False, True):
            if not self._needs_date(order, shipment):
                return order
            try:
                await self._set_date(order, shipment)
            except Stale:
                if is_last:
                    raise
            order = await self._again(shipment)
        return order

    async def _again(self, shipment: Shipment) -> Order:
        order = await self._books.order(shipment.order_reference)
        if order is None:
            raise Retryable("order_not_at_target", "order_reference", "the order has just gone")
        return order

    def _needs_date(self, order: Order, shipment: Shipment) -> bool:
        wanted = shipment.posting_date
        return self._dates and bool(wanted) and wanted != order.posting_date

    async def _set_date(self, order: Order, shipment: Shipment) -> None:
        url = f"{self._api.base}/salesOrders({order.id})"
        body = dumps({"postingDate": shipment.posting_date})
        made = await self._api.write(Write("PATCH", url, body, order.etag))
        written(made, "id")
        if made.get("postingDate") != shipment.posting_date:
            raise Rejected("setting_not_kept", "postingDate", "expected the date as we set it")

    async def _set(self, setting: Setting) -> None:
        url = f"{self._api.base}/salesOrderLines({setting.line.id})"
        body = dumps(setting.body, sort=False)
        made = await self._api.write(Write("PATCH", url, body, setting.line.etag))
        written(made, "id")
        _check_kept(setting, made)


def _check_kept(setting: Setting, made: Json) -> None:
    """Post only what the line really says: a value that was changed or dropped stops it here."""
    kept = (decimal(made.get("shipQuantity")), decimal(made.get("invoiceQuantity")))
    if kept != (setting.ship, setting.invoice):
        raise Rejected("setting_not_kept", "shipQuantity", "expected the quantities as we set them")
    if setting.note is not None and made.get("description2") != setting.note.written():
        raise Rejected("setting_not_kept", "description2", "expected our note on the line")
