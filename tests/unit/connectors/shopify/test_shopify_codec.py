"""Bodies of a store: one order each, everything else answered or refused."""

from __future__ import annotations

import json

import pytest

from canonical.errors import Rejected
from connectors.base import Numbers, Receipt, Refusal, SourceDocument
from connectors.shopify.codec import ShopifyCodec
from connectors.shopify.config import ShopifyConfig
from tests.support.connector_samples import RECEIVED_AT

CODEC = ShopifyCodec(
    ShopifyConfig.model_validate(
        {
            "shop_domain": "contoso.myshopify.com",
            "webhook_secrets": ["a-secret-of-16-chars"],
            "api_version": "2026-04",
        }
    )
)


def _decode(body: object, flow: str = "orders/create") -> SourceDocument | Refusal:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    receipt = Receipt("r", "shop", "d", RECEIVED_AT, data, flow)
    (document,) = CODEC.decode(receipt).documents
    return document


def test_the_body_is_the_order_and_numbers_keep_their_text() -> None:
    document = _decode(b'{"id": 5940139491234, "total_price": 10.10, "huge": 12345678901234567890}')
    assert document == SourceDocument(
        "orders/create",
        0,
        "order 5940139491234",
        {"id": 5940139491234, "total_price": "10.10", "huge": "12345678901234567890"},
        {"shop_domain": "contoso.myshopify.com", "api_version": "2026-04"},
    )


@pytest.mark.parametrize("identifier", [None, "Dana", "1" * 21, -5, 1.5, {"a": 1}, "\u0661"])
def test_the_place_names_the_order_only_by_digits(identifier: object) -> None:
    assert _decode({"id": identifier}).where == "order"


@pytest.mark.parametrize("flow", ["", "orders/updated", "app/uninstalled", "orders/create/x"])
def test_other_topics_are_answered_and_not_read(flow: str) -> None:
    document = _decode(b"not even JSON", flow)
    assert isinstance(document, Refusal)
    assert (document.error.code, document.answered, document.flow) == (
        "flow_not_handled",
        True,
        flow,
    )


def test_a_body_that_cannot_be_read_is_for_a_person() -> None:
    document = _decode(b'{"name": "#1001", "name": "#1002"}')
    assert isinstance(document, Refusal)
    assert (document.error.code, document.error.where) == ("json_duplicate_key", "byte 18")
    assert not document.answered


def test_nothing_is_written_to_shopify() -> None:
    with pytest.raises(Rejected, match="flow_not_written"):
        CODEC.encode("orders/create", {}, Numbers(1, 1, RECEIVED_AT))
