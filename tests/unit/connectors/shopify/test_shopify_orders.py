"""Orders from the body to the canonical Order: our own samples, and payloads that were published."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest

from canonical.errors import Rejected
from canonical.order import Order
from connectors.base import Json, Receipt, Refusal
from connectors.shopify.codec import ShopifyCodec
from connectors.shopify.config import ShopifyConfig
from hub.mapping.files import mapping_files, shipped_mappings
from hub.mapping.library import Library
from hub.mapping.validation import validate
from tests.support.connector_samples import RECEIVED_AT, ROOT

CODEC = ShopifyCodec(
    ShopifyConfig.model_validate(
        {"shop_domain": "contoso.myshopify.com", "webhook_secrets": ["a-secret-of-16-chars"]}
    )
)
BINDINGS: Json = {
    "partner": {"name": "Webshop", "currency": "USD"},
    "connection": {"accounts": {"dana.reyes@acme-dental.example": "C10010"}},
}


@pytest.fixture(scope="module")
def library() -> Library:
    return Library(mapping_files(shipped_mappings(), {"shopify"}))


def _order(library: Library, body: bytes) -> Order:
    receipt = Receipt("r", "shop", "d", RECEIVED_AT, body, "orders/create")
    (document,) = CODEC.decode(receipt).documents
    if isinstance(document, Refusal):
        raise document.error
    (mapping,) = library.inbound("shopify", document.flow)
    bindings = {**BINDINGS, "control": dict(document.control)}
    order = validate(mapping.entity, orjson.dumps(mapping.mapping.apply(document.body, bindings)))
    assert isinstance(order, Order)
    return order


def _extended(order: Order) -> Decimal:
    return sum(
        (line.unit_price.times(line.quantity.value) for line in order.lines if line.unit_price),
        Decimal(0),
    )


def test_our_sample_becomes_an_order_whose_lines_add_up_to_its_total(library: Library) -> None:
    order = _order(
        library,
        (ROOT / "connectors/shopify/samples/orders_create/business_order.json").read_bytes(),
    )
    assert (order.po_number, order.buyer_po_number) == ("#1001", "PO-77812")
    assert (order.buyer.id, order.buyer.customer_number) == ("6940139491234", "C10010")
    assert [line.item.seller_sku for line in order.lines] == ["1896-S", "1928-S", "1900-S"]
    assert order.total is not None
    assert _extended(order) == order.total.amount == Decimal("3388.40")


def test_the_smallest_sample_leaves_out_what_nobody_said(library: Library) -> None:
    order = _order(
        library,
        (ROOT / "connectors/shopify/samples/orders_create/smallest_order.json").read_bytes(),
    )
    assert (order.total, order.ship_to, order.ship_method) == (None, None, None)
    assert order.lines[0].quantity.value == 1


def _published(samples: Path) -> dict[str, Any]:
    order: dict[str, Any] = json.loads((samples / "api/shopify/gs_order.json").read_bytes())[
        "order"
    ]
    return order


def test_a_published_order_that_was_cancelled_is_refused(library: Library, samples: Path) -> None:
    with pytest.raises(Rejected, match="order_cancelled at cancelled_at"):
        _order(library, json.dumps(_published(samples)).encode())


def test_a_published_order_becomes_an_order(library: Library, samples: Path) -> None:
    order = _order(library, json.dumps({**_published(samples), "cancelled_at": None}).encode())
    assert order.po_number == "#9999"
    assert order.ordered_on.isoformat() == "2016-05-17"
    assert order.ship_method == "Generic Shipping"
    assert order.extensions["test"] == "true"
    # The only discount is the legacy total_discount of the second line, which takes all of it.
    assert order.total is not None
    assert _extended(order) == order.total.amount == 0
    assert order.ship_to is not None
    assert order.ship_to.address is not None
    assert (order.ship_to.address.region, order.ship_to.address.country) == ("KY", "US")


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("gs_orderlineitems_properties_invalid1", {"property.name": "2"}),
        ("gs_orderlineitems_properties_ommited", {}),
    ],
)
def test_published_properties_in_odd_forms_are_kept_or_left(
    library: Library, samples: Path, name: str, kept: dict[str, str]
) -> None:
    odd = json.loads((samples / f"api/shopify/{name}.json").read_bytes())
    order = {**_published(samples), "cancelled_at": None}
    line = {key: value for key, value in order["line_items"][0].items() if key != "properties"}
    mapped = _order(library, json.dumps({**order, "line_items": [{**line, **odd}]}).encode())
    assert mapped.lines[0].extensions == kept


def test_published_properties_that_are_cut_off_are_refused(library: Library, samples: Path) -> None:
    cut = (samples / "api/shopify/gs_orderlineitems_properties_invalid0.json").read_bytes()
    with pytest.raises(Rejected, match="json_syntax at byte"):
        _order(library, b'{"line_items": [' + cut + b"]}")


def test_published_refunds_stock_and_customers_are_not_taken_for_orders(
    library: Library, samples: Path
) -> None:
    for path in sorted((samples / "api/shopify").glob("*.json")):
        if "order" in path.name:
            continue
        with pytest.raises(Rejected):
            _order(library, path.read_bytes())
