"""Webhook signatures: genuine, forged, malformed, rotated, replayed."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from canonical.errors import ConfigError, Rejected
from connectors.base import WebhookCall
from connectors.transports.webhook import (
    hmac_sha256,
    require_match,
    standard_secret,
    verify_standard,
)

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
KEY = bytes(range(32))
OLD_KEY = bytes(range(1, 33))
BODY = b'{"total": "10.10"}'


def _code(given: bytes | None, *expected: bytes) -> str:
    with pytest.raises(Rejected) as refused:
        require_match(given, expected, "x-signature")
    assert refused.value.where == "x-signature"
    return refused.value.code


def test_hmac_sha256_gives_the_known_answer_of_rfc_4231() -> None:
    # RFC 4231 section 4.3, test case 2
    digest = hmac_sha256(b"Jefe", b"what do ya want for nothing?")
    assert digest.hex() == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"


@pytest.mark.parametrize("given", [None, b""])
def test_a_missing_signature_is_its_own_refusal(given: bytes | None) -> None:
    assert _code(given, b"right") == "signature_missing"


@pytest.mark.parametrize(
    "given",
    [b"wrong", b"r", b"right ", b"RIGHT", "ri\u00e9ht".encode(), b"\xff\xfe\x00", b"x" * 100_000],
)
def test_any_other_signature_is_invalid_and_never_an_error_of_ours(given: bytes) -> None:
    assert _code(given, b"right") == "signature_invalid"


def test_without_any_secret_nothing_is_genuine() -> None:
    assert _code(b"right") == "signature_invalid"


@pytest.mark.parametrize("position", [0, 1, 2])
def test_every_current_secret_is_tried_whichever_matches(position: int) -> None:
    tried = []

    def candidates() -> object:
        for index in range(3):
            tried.append(index)
            yield b"right" if index == position else b"other"

    require_match(b"right", candidates(), "x")  # type: ignore[arg-type]
    assert tried == [0, 1, 2]


def test_a_secret_that_is_no_longer_current_is_refused() -> None:
    old = hmac_sha256(OLD_KEY, BODY)
    require_match(old, [hmac_sha256(KEY, BODY), old], "x")
    assert _code(old, hmac_sha256(KEY, BODY)) == "signature_invalid"


def _headers(
    at: datetime = NOW, key: bytes = KEY, message_id: str = "msg_1", body: bytes = BODY
) -> dict[str, bytes]:
    seconds = str(int(at.timestamp()))
    digest = hmac.new(key, f"{message_id}.{seconds}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": message_id.encode(),
        "webhook-timestamp": seconds.encode(),
        "webhook-signature": b"v1," + base64.b64encode(digest),
    }


def _refused(headers: Mapping[str, bytes], *keys: bytes, body: bytes = BODY) -> tuple[str, str]:
    with pytest.raises(Rejected) as refused:
        verify_standard(WebhookCall(headers, body, NOW), keys or (KEY,))
    return refused.value.code, refused.value.where


def test_a_standard_webhook_gives_its_id() -> None:
    assert verify_standard(WebhookCall(_headers(), BODY, NOW), [KEY]) == "msg_1"


def test_the_documented_example_of_standard_webhooks_verifies() -> None:
    # The secret, id, timestamp and payload of the specification's own reference libraries' tests.
    secret = standard_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    headers = {
        "webhook-id": b"msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": b"1614265330",
        "webhook-signature": b"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    call = WebhookCall(headers, body, datetime.fromtimestamp(1614265330, UTC))
    assert verify_standard(call, [secret]) == "msg_p5jXN8AQM9LWM0D4loKWxJek"


@pytest.mark.parametrize("minutes", [-4.9, 4.9])
def test_a_clock_that_is_a_little_off_is_accepted(minutes: float) -> None:
    headers = _headers(NOW + timedelta(minutes=minutes))
    assert verify_standard(WebhookCall(headers, BODY, NOW), [KEY])


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_genuine_call_outside_the_window_is_a_replay(minutes: int) -> None:
    refusal = _refused(_headers(NOW + timedelta(minutes=minutes)))
    assert refusal == ("timestamp_outside_window", "webhook-timestamp")


def test_an_old_forgery_is_a_forgery_not_a_replay() -> None:
    headers = _headers(NOW - timedelta(days=1), key=OLD_KEY)
    assert _refused(headers) == ("signature_invalid", "webhook-signature")


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_every_header_of_a_standard_webhook_is_required(name: str) -> None:
    headers = _headers()
    del headers[name]
    assert _refused(headers) == ("signature_missing", name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("webhook-id", b"msg.1"),
        ("webhook-id", "m\u00e9".encode()),
        ("webhook-id", b"x" * 129),
        ("webhook-timestamp", b"12.5"),
        ("webhook-timestamp", b"-1"),
        ("webhook-timestamp", "\u0661\u0662".encode()),
        ("webhook-timestamp", b"9" * 400),
        ("webhook-signature", "v1,\u00e9".encode()),
        ("webhook-signature", b"v1," + b"=" * 100),
    ],
)
def test_a_malformed_header_is_an_invalid_signature(name: str, value: bytes) -> None:
    assert _refused({**_headers(), name: value}) == ("signature_invalid", name)


def test_one_good_signature_among_several_is_enough() -> None:
    headers = _headers()
    headers["webhook-signature"] = b"v1,bm90IGl0 v2,x " + headers["webhook-signature"]
    assert verify_standard(WebhookCall(headers, BODY, NOW), [OLD_KEY, KEY])


def test_a_body_that_was_written_anew_on_the_way_is_refused() -> None:
    assert _refused(_headers(), body=b'{"total":"10.10"}')[0] == "signature_invalid"


@pytest.mark.parametrize(
    "text", ["", "whsec_", "whsec_c2hvcnQ=", "whsec_\u00e9", "whsec_not base64"]
)
def test_a_secret_that_is_none_is_a_fault_of_the_configuration(text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        standard_secret(text)
    assert refused.value.code == "secret_invalid"
