"""The shop's payloads and signatures."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from sandbox.shopify import ShopLine, ShopOrder, order_payload, signing
from sandbox.world import World


@pytest.fixture
def world(new_world: Callable[[], World]) -> World:
    return new_world()


def _order(**more: object) -> ShopOrder:
    lines = [{"sku": "1896-S", "quantity": 2, "price": "1000.80"}]
    return ShopOrder.model_validate({"lines": lines, **more})


def test_a_payload_adds_up_and_keeps_money_as_text(world: World) -> None:
    payload = order_payload(_order(shipping_price="15.00", po_number="PO-1"), 1001, world)
    assert payload["name"] == "#1001"
    assert payload["po_number"] == "PO-1"
    assert payload["subtotal_price"] == "2001.60"
    assert payload["total_price"] == "2016.60"
    assert payload["total_price_set"]["shop_money"] == {"amount": "2016.60", "currency_code": "USD"}
    assert payload["line_items"][0]["price"] == "1000.80"
    assert payload["company"] is None


def test_a_business_buyer_has_a_company(world: World) -> None:
    payload = order_payload(_order(company="Acme Distributors"), 1001, world)
    assert set(payload["company"]) == {"id", "location_id"}
    assert payload["shipping_address"]["company"] == "Acme Distributors"


def test_any_property_can_be_replaced(world: World) -> None:
    assert order_payload(_order(overrides={"line_items": []}), 1, world)["line_items"] == []


def test_the_signature_is_that_of_the_raw_body() -> None:
    header = "X-Shopify-Hmac-Sha256"
    good = signing("secret")["good"](b"body")[header]
    expected = hmac.new(b"secret", b"body", hashlib.sha256).digest()
    assert base64.b64decode(good) == expected
    assert signing("secret")["bad"](b"body")[header] != good
    assert signing("secret")["missing"](b"body") == {}
    assert not signing("secret")["non_ascii"](b"body")[header].isascii()


def test_an_order_without_sense_is_refused() -> None:
    with pytest.raises(ValidationError):
        ShopLine(sku="a", quantity=0, price="1")
    with pytest.raises(ValidationError):
        _order(colour="red")


def test_the_payload_has_what_a_recorded_order_has(world: World, samples: Path) -> None:
    recorded = json.loads((samples / "api" / "shopify" / "gs_order.json").read_text())["order"]
    built = order_payload(_order(), 1001, world)
    used = {"id", "name", "email", "created_at", "currency", "line_items", "shipping_lines",
            "shipping_address", "billing_address", "customer", "total_price", "subtotal_price",
            "financial_status", "note_attributes", "tax_lines", "order_number", "test"}  # fmt: skip
    assert used <= recorded.keys() & built.keys()
    missing = recorded["line_items"][0].keys() - built["line_items"][0].keys()
    assert missing <= {"pre_tax_price"}
    assert recorded["shipping_lines"][0].keys() <= built["shipping_lines"][0].keys()
