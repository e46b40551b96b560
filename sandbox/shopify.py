"""A Shopify store: realistic ``orders/create`` webhooks, signed, with its own order numbers.

Source: Shopify's webhook documentation: `X-Shopify-Hmac-Sha256` is the base64 HMAC-SHA256 of the
raw body; `X-Shopify-Webhook-Id` is the delivery and stays on a retry.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from sandbox.journal import Entry
from sandbox.json_text import Row, dumps
from sandbox.webhook import Deliveries, Delivery, Sender, Sign, Signature
from sandbox.world import World

SHOP_DOMAIN = "contoso-direct.myshopify.com"
API_VERSION = "2026-01"
FIRST_NUMBER = 1001
SHOP_ZONE = timezone(timedelta(hours=-5))
"""Shops write times in their own zone."""


class ShopLine(BaseModel):
    """One line of a shop order."""

    model_config = ConfigDict(extra="forbid")

    sku: str
    quantity: int = Field(ge=1)
    price: str
    """Unit price as the shop writes it, such as ``"54.90"``."""
    title: str = ""


class ShopOrder(BaseModel):
    """A compact description, from which the whole payload is built."""

    model_config = ConfigDict(extra="forbid")

    lines: list[ShopLine]
    connection: str = "shop"
    topic: str = "orders/create"
    name: str | None = None
    """Such as ``#1001``; by default the next one."""
    po_number: str | None = None
    email: str = "buyer@example.com"
    company: str | None = None
    first_name: str = "Ada"
    last_name: str = "Miller"
    address1: str = "12 Harbor Street"
    city: str = "Portland"
    province_code: str = "OR"
    zip: str = "97201"
    country_code: str = "US"
    currency: str = "USD"
    shipping_title: str = "Standard"
    shipping_code: str = "STANDARD"
    shipping_price: str = "0.00"
    note: str | None = None
    tags: str = ""
    overrides: dict[str, Any] = Field(default_factory=dict)
    """Top-level properties that replace the built ones."""
    signature: Signature = "good"
    wait: bool = False
    """Answer only when the hub has acknowledged it, or it was given up."""


def signing(secret: str) -> dict[Signature, Sign]:
    """How this shop signs, well and badly."""
    header = "X-Shopify-Hmac-Sha256"

    def signed(key: str, body: bytes) -> bytes:
        return base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest())

    return {
        "good": lambda body: {header: signed(secret, body)},
        "bad": lambda body: {header: signed(secret + "x", body)},
        "missing": lambda _body: {},
        "non_ascii": lambda _body: {header: "señal".encode("latin-1")},
    }


class Shop:
    """The store's state: how many orders it has taken, and its deliveries."""

    system = "shopify"

    def __init__(self) -> None:
        self.deliveries = Deliveries(self.system, "webhook")
        self.orders = 0

    def apply(self, entry: Entry) -> None:
        """Take an entry."""
        self.orders += "order_name" in entry
        self.deliveries.apply(entry)


class ShopFront:
    """Takes orders and tells the hub."""

    def __init__(self, shop: Shop, world: World, sender: Sender) -> None:
        self._shop = shop
        self._world = world
        self._sender = sender

    def order(self, order: ShopOrder) -> tuple[Delivery, asyncio.Task[None]]:
        """Take an order and queue its webhook."""
        number = FIRST_NUMBER + self._shop.orders
        payload = order_payload(order, number, self._world)
        at = self._world.clock().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Shopify-Captain-Hook",
            "X-Shopify-Topic": order.topic,
            "X-Shopify-Shop-Domain": SHOP_DOMAIN,
            "X-Shopify-API-Version": API_VERSION,
            "X-Shopify-Webhook-Id": self._world.new_id(),
            "X-Shopify-Event-Id": self._world.new_id(),
            "X-Shopify-Triggered-At": at,
        }
        delivery = Delivery(
            id=headers["X-Shopify-Webhook-Id"],
            connection=order.connection,
            reference=order.po_number or payload["name"],
            body=dumps(payload).decode(),
            headers=headers,
            signature=order.signature,
            once=order.signature != "good",
        )
        return delivery, self._sender.queue(delivery, order_name=payload["name"])

    def redeliver(self, webhook_id: str, signature: Signature) -> asyncio.Task[None]:
        """Send an earlier delivery again: the same id, the same bytes.

        Raises:
            KeyError: there is no such delivery.

        """
        earlier = self._shop.deliveries.known[webhook_id]
        again = replace(earlier, signature=signature, once=signature != "good")
        return self._sender.queue(again, redelivery=True)


def order_payload(order: ShopOrder, number: int, world: World) -> Row:
    """Build the body of an order webhook."""
    now = world.clock()
    goods = sum((Decimal(line.price) * line.quantity for line in order.lines), Decimal(0))
    total = goods + Decimal(order.shipping_price)
    order_id = world.new_number()
    row: Row = {
        "id": order_id,
        "admin_graphql_api_id": f"gid://shopify/Order/{order_id}",
        "name": order.name or f"#{number}",
        "number": number - FIRST_NUMBER + 1,
        "order_number": number,
        "confirmation_number": f"{world.random.getrandbits(36):09X}",
        "po_number": order.po_number,
        "company": _company(order, world),
        "email": order.email,
        "contact_email": order.email,
        "phone": None,
        "currency": order.currency,
        "presentment_currency": order.currency,
        "customer": _customer(order, world, now),
        "billing_address": _address(order),
        "shipping_address": _address(order),
        "line_items": [_line(line, order.currency, world) for line in order.lines],
        "shipping_lines": [_shipping(order, world)],
        "note": order.note,
        "note_attributes": [],
        "tags": order.tags,
        "discount_codes": [],
        "discount_applications": [],
        "tax_lines": [],
        "fulfillments": [],
        "refunds": [],
    }
    row |= _states(order, now)
    row |= _amounts(order.currency, goods, total, Decimal(order.shipping_price))
    return row | order.overrides


def _states(order: ShopOrder, now: datetime) -> Row:
    at = now.astimezone(SHOP_ZONE).isoformat(timespec="seconds")
    return {
        "created_at": at, "updated_at": at, "processed_at": at, "closed_at": None,
        "cancelled_at": None, "cancel_reason": None, "confirmed": True, "test": False,
        "financial_status": "paid", "fulfillment_status": None, "taxes_included": False,
        "source_name": "web", "buyer_accepts_marketing": False, "total_weight": 0,
        "payment_gateway_names": ["manual"] if order.company else ["shopify_payments"],
    }  # fmt: skip


def _money(amount: Decimal, currency: str) -> Row:
    money = {"amount": f"{amount:.2f}", "currency_code": currency}
    return {"shop_money": money, "presentment_money": dict(money)}


def _amounts(currency: str, goods: Decimal, total: Decimal, shipping: Decimal) -> Row:
    amounts = {
        "subtotal_price": goods, "total_line_items_price": goods, "total_price": total,
        "total_tax": Decimal(0), "total_discounts": Decimal(0), "total_shipping_price": shipping,
        "current_subtotal_price": goods, "current_total_price": total,
        "current_total_tax": Decimal(0), "current_total_discounts": Decimal(0),
        "total_outstanding": Decimal(0),
    }  # fmt: skip
    row: Row = {name: f"{amount:.2f}" for name, amount in amounts.items() if "shipping" not in name}
    return row | {f"{name}_set": _money(amount, currency) for name, amount in amounts.items()}


def _line(line: ShopLine, currency: str, world: World) -> Row:
    price, line_id = Decimal(line.price), world.new_number()
    title = line.title or line.sku
    return {
        "id": line_id,
        "admin_graphql_api_id": f"gid://shopify/LineItem/{line_id}",
        "sku": line.sku, "title": title, "name": title, "variant_title": None,
        "quantity": line.quantity, "current_quantity": line.quantity,
        "fulfillable_quantity": line.quantity, "fulfillment_status": None,
        "price": line.price, "price_set": _money(price, currency),
        "total_discount": "0.00", "total_discount_set": _money(Decimal(0), currency),
        "discount_allocations": [], "tax_lines": [], "duties": [], "properties": [],
        "grams": 0, "gift_card": False, "taxable": True, "requires_shipping": True,
        "fulfillment_service": "manual", "product_exists": True, "vendor": "Contoso",
        "product_id": world.new_number(), "variant_id": world.new_number(),
        "variant_inventory_management": "shopify",
    }  # fmt: skip


def _shipping(order: ShopOrder, world: World) -> Row:
    price = Decimal(order.shipping_price)
    return {
        "id": world.new_number(), "title": order.shipping_title, "code": order.shipping_code,
        "source": "shopify", "price": order.shipping_price,
        "price_set": _money(price, order.currency), "discounted_price": order.shipping_price,
        "discounted_price_set": _money(price, order.currency), "carrier_identifier": None,
        "requested_fulfillment_service_id": None, "phone": None,
        "discount_allocations": [], "tax_lines": [],
    }  # fmt: skip


def _address(order: ShopOrder) -> Row:
    return {
        "first_name": order.first_name, "last_name": order.last_name,
        "name": f"{order.first_name} {order.last_name}", "company": order.company,
        "address1": order.address1, "address2": None, "city": order.city, "zip": order.zip,
        "province_code": order.province_code, "province": order.province_code,
        "country_code": order.country_code, "country": order.country_code, "phone": None,
    }  # fmt: skip


def _company(order: ShopOrder, world: World) -> Row | None:
    if order.company is None:
        return None
    return {"id": world.new_number(), "location_id": world.new_number()}


def _customer(order: ShopOrder, world: World, now: datetime) -> Row:
    at = now.isoformat(timespec="seconds")
    return {
        "id": world.new_number(), "email": order.email, "first_name": order.first_name,
        "last_name": order.last_name, "state": "enabled", "verified_email": True, "note": None,
        "tags": "", "tax_exempt": False, "currency": order.currency, "phone": None,
        "created_at": at, "updated_at": at, "default_address": _address(order) | {"default": True},
    }  # fmt: skip
