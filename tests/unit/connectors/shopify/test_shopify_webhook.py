"""Calls of a store: the signature, whose store it is, and what the call is called."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from pydantic import ValidationError

from canonical.errors import Rejected
from connectors.base import Verified, WebhookCall
from connectors.shopify.config import ShopifyConfig
from connectors.shopify.webhook import ShopifyWebhook
from tests.support.connector_samples import RECEIVED_AT

SECRET, OLD_SECRET = "the-current-secret", "the-secret-before"
OPTIONS = {"shop_domain": "contoso.myshopify.com", "webhook_secrets": [SECRET, OLD_SECRET]}
WEBHOOK = ShopifyWebhook(ShopifyConfig.model_validate(OPTIONS))
BODY = b'{"id": 1, "total_price": "10.10"}'
ID = b"b54557e4-bdd9-4b37-8a5f-bf7d70bcd043"


def _call(secret: str = SECRET, body: bytes = BODY, **changed: bytes | None) -> WebhookCall:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    headers: dict[str, bytes | None] = {
        "hmac_sha256": base64.b64encode(digest),
        "topic": b"orders/create",
        "shop_domain": b"contoso.myshopify.com",
        "webhook_id": ID,
        **changed,
    }
    given = {
        "x-shopify-" + name.replace("_", "-"): value
        for name, value in headers.items()
        if value is not None
    }
    return WebhookCall(given, body, RECEIVED_AT)


@pytest.mark.parametrize("secret", [SECRET, OLD_SECRET])
def test_every_current_secret_is_believed(secret: str) -> None:
    assert WEBHOOK.verify(_call(secret)) == Verified(ID.decode(), "orders/create")


def test_a_secret_that_was_replaced_is_not_believed_any_more() -> None:
    only = ShopifyWebhook(ShopifyConfig.model_validate({**OPTIONS, "webhook_secrets": [SECRET]}))
    with pytest.raises(Rejected, match="signature_invalid at x-shopify-hmac-sha256"):
        only.verify(_call(OLD_SECRET))


def test_a_body_that_a_proxy_wrote_anew_is_not_believed() -> None:
    call = _call()
    changed = WebhookCall(call.headers, BODY.replace(b" ", b""), RECEIVED_AT)
    with pytest.raises(Rejected, match="signature_invalid"):
        WEBHOOK.verify(changed)


@pytest.mark.parametrize("domain", [b"other.myshopify.com", b"", None, "caf\u00e9".encode()])
def test_a_call_of_another_store_is_not_believed(domain: bytes | None) -> None:
    with pytest.raises(Rejected, match="signature_invalid at x-shopify-shop-domain"):
        WEBHOOK.verify(_call(shop_domain=domain))


def test_the_stores_name_is_compared_without_regard_to_case() -> None:
    verified = WEBHOOK.verify(_call(shop_domain=b"Contoso.MyShopify.com"))
    assert verified.flow == "orders/create"


@pytest.mark.parametrize(
    "given", [None, b"", b"short", b"x" * 81, "\u00e9".encode() * 8, b"a b c d e f"]
)
def test_without_a_usable_id_the_body_is_the_identity(given: bytes | None) -> None:
    verified = WEBHOOK.verify(_call(webhook_id=given))
    assert verified.delivery_id == hashlib.sha256(BODY).hexdigest()


@pytest.mark.parametrize("topic", [None, b"", b"orders", b"../../x", b"Orders/Create", b"a/" * 99])
def test_a_topic_that_is_none_is_no_flow(topic: bytes | None) -> None:
    assert WEBHOOK.verify(_call(topic=topic)).flow == ""


@pytest.mark.parametrize(
    "wrong",
    [
        {"webhook_secrets": []},
        {"webhook_secrets": [""]},
        {"webhook_secrets": ["fifteen letters"]},
        {"webhook_secrets": [SECRET] * 5},
        {"shop_domain": "contoso.example.com"},
        {"shop_domain": "https://contoso.myshopify.com"},
        {"api_version": "latest"},
    ],
)
def test_options_that_would_weaken_or_break_it_are_refused_without_the_secret(
    wrong: dict[str, object],
) -> None:
    with pytest.raises(ValidationError) as refused:
        ShopifyConfig.model_validate({**OPTIONS, **wrong})
    assert SECRET not in str(refused.value)
    assert "fifteen" not in str(refused.value)
