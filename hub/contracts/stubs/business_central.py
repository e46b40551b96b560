"""Business Central's API for tests: sign-in, customers and items in pages, sales orders by reference.

As far as a client of ours needs it to be there; the sandbox has the whole of it, over real HTTP.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import httpx
import respx

from hub.contracts.stubs.vendor import Json, VendorStub

COMPANY_ID = "11111111-2222-3333-4444-555555555555"
BASE = "https://bc.example/api/v2.0"
TOKEN_URL = "https://login.example/tenant/oauth2/v2.0/token"  # noqa: S105  # an address
_SECRET = "of-nobody"  # noqa: S105
_BY_REFERENCE = re.compile(r"externalDocumentNumber eq '([^']*)'")


class BusinessCentralStub(VendorStub):
    """One company; its orders are those that were posted to it."""

    def __init__(self, router: respx.MockRouter) -> None:
        super().__init__(router, f"{BASE}/companies({COMPANY_ID})")
        credentials = {"client_id": "crossdock", "client_secret": _SECRET}
        self.sign_in(TOKEN_URL, credentials)
        self.orders: list[Json] = []
        self.on("POST", "/salesOrders", self._create)
        self.on("GET", "/salesOrders", self._found)
        for posted in ("/salesShipments", "/salesInvoices"):
            self.on("GET", posted, lambda _request: httpx.Response(200, json={"value": []}))

    @property
    def options(self) -> dict[str, Any]:
        """The options of a connection to it."""
        return {
            "base_url": BASE,
            "company_id": COMPANY_ID,
            "token_url": TOKEN_URL,
            "client_id": "crossdock",
            "client_secret": _SECRET,
            "operation_limit_seconds": 0,
        }

    def collection(self, name: str, rows: Iterable[Json], size: int = 2) -> None:
        """Give a collection (``customers``, ``items`` ...) in pages, as OData does."""

        def link(body: Json, url: str) -> None:
            body["@odata.nextLink"] = url

        self.pages(f"/{name}", list(rows), size, link)

    @staticmethod
    def error(code: str, message: str) -> Json:
        """An error as Business Central writes it."""
        return {"error": {"code": code, "message": message}}

    def _create(self, request: httpx.Request) -> httpx.Response:
        body = self.effect(request)
        number = len(self.orders) + 1
        made = body | {"id": f"order-{number}", "number": f"SO-{number:04}", "@odata.etag": "W/1"}
        self.orders.append(made)
        return httpx.Response(201, json=made)

    def _found(self, request: httpx.Request) -> httpx.Response:
        asked = _BY_REFERENCE.search(request.url.params.get("$filter", ""))
        found = [
            order | {"salesOrderLines": []}
            for order in self.orders
            if asked is None or order.get("externalDocumentNumber") == asked[1]
        ]
        return httpx.Response(200, json={"value": found})
