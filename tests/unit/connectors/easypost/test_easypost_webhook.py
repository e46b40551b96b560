"""EasyPost's calls: the signature, the normalised secret, and the event's id."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest
from pydantic import ValidationError

from canonical.errors import Rejected
from connectors.base import Verified, WebhookCall
from connectors.easypost.config import EasyPostConfig
from connectors.easypost.webhook import EasyPostWebhook
from tests.support.connector_samples import RECEIVED_AT

AS_TYPED = (
    "our-s\u00e9cret-at-\ufb01rst"  # NFC "\u00e9" and the ligature "fi": both change under NFKD
)
AS_SIGNED = "our-se\u0301cret-at-first"
EVENT_ID = "evt_6f1c0d2e4b7a4f0c9d3e5a1b2c3d4e5f"


def _webhook(*secrets: str) -> EasyPostWebhook:
    return EasyPostWebhook(EasyPostConfig.model_validate({"webhook_secrets": secrets}))


def _call(body: bytes, key: str = AS_SIGNED) -> WebhookCall:
    digest = hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
    headers = {"x-hmac-signature": b"hmac-sha256-hex=" + digest.encode()}
    return WebhookCall(headers, body, RECEIVED_AT)


def _event(**changed: object) -> bytes:
    return json.dumps({"id": EVENT_ID, "description": "tracker.updated", **changed}).encode()


@pytest.mark.parametrize("secret", [AS_TYPED, AS_SIGNED])
def test_the_secret_is_normalised_before_it_signs(secret: str) -> None:
    verified = _webhook("another-current-one", secret).verify(_call(_event()))
    assert verified == Verified(EVENT_ID, "tracker.updated")


def test_the_secret_as_typed_signs_nothing() -> None:
    with pytest.raises(Rejected, match="signature_invalid at x-hmac-signature"):
        _webhook(AS_TYPED).verify(_call(_event(), AS_TYPED))


def test_hex_is_read_in_either_case() -> None:
    call = _call(_event())
    upper = {"x-hmac-signature": call.headers["x-hmac-signature"].upper()}
    verified = _webhook(AS_TYPED).verify(WebhookCall(upper, call.body, RECEIVED_AT))
    assert verified.delivery_id == EVENT_ID


def test_hex_without_its_prefix_is_no_signature() -> None:
    call = _call(_event())
    bare = {"x-hmac-signature": call.headers["x-hmac-signature"].partition(b"=")[2]}
    with pytest.raises(Rejected, match="signature_invalid"):
        _webhook(AS_TYPED).verify(WebhookCall(bare, call.body, RECEIVED_AT))


@pytest.mark.parametrize(
    "body",
    [
        b"not JSON",
        b"[]",
        _event(id=None),
        _event(id=7),
        _event(id="evt_1/../x"),
        _event(id="evt_" + "0" * 65),
    ],
)
def test_without_a_usable_event_id_the_body_is_the_identity(body: bytes) -> None:
    verified = _webhook(AS_TYPED).verify(_call(body))
    assert verified.delivery_id == hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize(
    ("description", "flow"),
    [
        ("tracker.updated", "tracker.updated"),
        ("tracker.created", "tracker.updated"),
        ("batch.updated", "batch.updated"),
        ("Dana Reyes", ""),
        ("a." * 50, ""),
        (None, ""),
        (["tracker.updated"], ""),
    ],
)
def test_the_flow_is_the_kind_of_event(description: object, flow: str) -> None:
    assert _webhook(AS_TYPED).verify(_call(_event(description=description))).flow == flow


@pytest.mark.parametrize("secrets", [[], ["too short"], [""], [AS_TYPED] * 5])
def test_too_few_too_many_and_weak_secrets_are_refused(secrets: list[str]) -> None:
    with pytest.raises(ValidationError) as refused:
        EasyPostConfig.model_validate({"webhook_secrets": secrets})
    assert "too short" not in str(refused.value).replace("too_short", "")
