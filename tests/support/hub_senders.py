"""What senders send to a hub, right or wrong: signed shop calls, and interchanges of acme's."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from sandbox.purchase_order import PurchaseLine, PurchaseOrder
from sandbox.shopify import SHOP_DOMAIN
from sandbox.x12 import Envelope, write
from tests.support.hub_world import SHOP_SECRET

SIGNATURE = "x-shopify-hmac-sha256"
_PORTLAND = {
    "name": "Ada Miller",
    "address1": "12 Harbor Street",
    "city": "Portland",
    "province_code": "OR",
    "zip": "97201",
    "country_code": "US",
}
_AT = datetime(2026, 11, 20, 9, tzinfo=UTC)


def signed(body: bytes) -> str:
    """The shop's signature of a body (base64 of HMAC-SHA256)."""
    return base64.b64encode(hmac.digest(SHOP_SECRET.encode(), body, hashlib.sha256)).decode()


@dataclass
class Shop:
    """A store that signs its calls, and changes them as a test wants."""

    url: str
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=15))
    answers: list[httpx.Response] = field(default_factory=list)
    """Everything that it was answered."""
    _counter: Iterator[int] = field(default_factory=lambda: itertools.count(7_000_001))

    def order(self, name: str, **changes: Any) -> bytes:
        """The body of an order webhook; no two are for the same quantity."""
        number = next(self._counter)
        line = {"id": 1, "sku": "1928-S", "name": "Lamp", "quantity": number % 1000}
        row = {
            "id": number,
            "name": name,
            "created_at": "2026-11-20T11:00:00-08:00",
            "currency": "USD",
            "line_items": [line | {"price": "54.90"}],
            "shipping_address": _PORTLAND,
        }
        return json.dumps(row | changes).encode()

    def headers(self, body: bytes) -> dict[str, Any]:
        """The headers of a genuine call; the delivery is new."""
        return {
            "content-type": "application/json",
            "x-shopify-topic": "orders/create",
            "x-shopify-shop-domain": SHOP_DOMAIN,
            "x-shopify-webhook-id": f"webhook-{next(self._counter)}",
            SIGNATURE: signed(body),
        }

    def call(
        self, body: bytes, *, to: str = "shop", without: str = "", **headers: Any
    ) -> httpx.Response:
        """Call the hub; `headers` replace those of a genuine call, ``_`` standing for ``-``."""
        given = self.headers(body) | {k.replace("_", "-"): v for k, v in headers.items()}
        given.pop(without, None)
        answer = self.http.post(f"{self.url}/in/{to}", content=body, headers=given)
        self.answers.append(answer)
        return answer

    def close(self) -> None:
        """Close the connections."""
        self.http.close()


@dataclass
class Acme:
    """An EDI customer that writes interchanges for a test to damage."""

    _control: Iterator[int] = field(default_factory=lambda: itertools.count(9001))
    _quantity: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def interchange(self, *orders: PurchaseOrder, sender: str = "ACMEDIST") -> str:
        """One interchange of 850s."""
        envelope = Envelope(sender, "CROSSDOCK", next(self._control), _AT, "PO")
        return write(envelope, [("850", order.segments()) for order in orders])

    def order(self, number: str, **changes: Any) -> PurchaseOrder:
        """One order of a single line; no two are for the same quantity."""
        line = {"sku": "1896-S", "quantity": str(next(self._quantity)), "price": "1000.80"}
        line |= {name: changes.pop(name) for name in tuple(changes) if name in line}
        return PurchaseOrder(
            number=number, lines=(PurchaseLine(**line),), ordered_on=_AT.date(), **changes
        )
