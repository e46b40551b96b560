"""Questions to Business Central: what it has under our reference, open and posted."""

from __future__ import annotations

from canonical.errors import Rejected, Retryable
from connectors.base import Json
from connectors.business_central.api import Api, Collection
from connectors.business_central.odata import UNPOSTED, quoted, rows
from connectors.business_central.order import Order, read_order

_MOST_PAGES = 100
"""Of what stands under one of our references: far more than one order can come to."""


class Books:
    """Reads by external document number; raises `Retryable` where the API cannot be asked."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def orders(self, reference: str) -> list[Order]:
        """Open orders with our reference; more than one is somebody's mistake."""
        found = await self._find("salesOrders", reference, "salesOrderLines")
        return [read_order(row) for row in found]

    async def rows(self, reference: str) -> list[Json]:
        """Open orders with our reference as the API tells them, with their lines in sequence."""
        found = await self._find("salesOrders", reference, "salesOrderLines")
        for row in found:
            row["salesOrderLines"] = sorted(lines_of(row, "salesOrderLines"), key=_sequence)
        return found

    async def order(self, reference: str) -> Order | None:
        """The open order with our reference, or None.

        Raises:
            Rejected: ``reference_ambiguous``: there are several, and nobody knows which is ours.

        """
        found = await self.orders(reference)
        if len(found) > 1:
            raise Rejected("reference_ambiguous", "externalDocumentNumber", "expected one order")
        return found[0] if found else None

    async def shipments(self, reference: str) -> list[Json]:
        """Posted shipments of our order, with their lines."""
        return await self._find("salesShipments", reference, "salesShipmentLines")

    async def invoices(self, reference: str) -> list[Json]:
        """Posted invoices of our order, with their lines."""
        found = await self._find("salesInvoices", reference, "salesInvoiceLines")
        return [row for row in found if row.get("status") not in UNPOSTED]

    async def _find(self, collection: str, reference: str, lines: str) -> list[Json]:
        if not reference:
            # Every order without an external number would match.
            raise Rejected("reference_missing", "reference", "expected our reference")
        params = {"$filter": f"externalDocumentNumber eq {quoted(reference)}", "$expand": lines}
        asked = Collection(f"{self._api.base}/{collection}", params)
        found: list[Json] = []
        async for page, _ in self._api.pages(asked, _MOST_PAGES):
            more = rows(page)
            if more is None:
                raise Retryable("not_the_api", "value", "expected the rows of a collection")
            found += more
        return found


def _sequence(line: Json) -> int:
    found = line.get("sequence")
    return found if isinstance(found, int) else 0


def lines_of(row: Json, key: str) -> list[Json]:
    """The expanded lines of a posted document.

    Raises:
        Retryable: ``not_the_api``: they are not there.

    """
    found = rows({"value": row.get(key)})
    if found is None:
        raise Retryable("not_the_api", key, "expected the document's lines")
    return found
