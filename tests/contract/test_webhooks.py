"""The part of the conformance suite for systems that call us: what is believed, and what is not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canonical.errors import Rejected
from connectors.base import Verified, WebhookCall
from tests.support.connector_samples import SUBJECTS, Subject, told

CALLED = [subject for subject in SUBJECTS if subject.has_call]
CANARY = "C4N4RY"

every_called = pytest.mark.parametrize("subject", CALLED, ids=lambda s: s.name)
fuzz = settings(max_examples=40, deadline=None)


def _verify(subject: Subject, call: WebhookCall) -> Verified:
    webhook = subject.connector.webhook(subject.config)
    assert webhook is not None
    return webhook.verify(call)


def _refusal(subject: Subject, call: WebhookCall) -> str:
    """The code of the refusal; no other error may come, and a genuine call is a failure here."""
    with pytest.raises(Rejected) as refused:
        _verify(subject, call)
    assert CANARY not in told(refused.value)
    return refused.value.code


@every_called
def test_a_genuine_call_is_believed(subject: Subject) -> None:
    call, data = subject.call()
    verified = _verify(subject, call)
    assert {"delivery_id": verified.delivery_id, "flow": verified.flow} == data["verified"]
    assert _verify(subject, call) == verified


@every_called
def test_a_call_without_a_signature_is_not_believed(subject: Subject) -> None:
    call, data = subject.call()
    unsigned = {name: value for name, value in call.headers.items() if name != data["signature"]}
    empty = {**unsigned, data["signature"]: b""}
    for headers in ({}, unsigned, empty):
        assert _refusal(subject, replace(call, headers=headers)) == "signature_missing"


@every_called
@pytest.mark.parametrize(
    "forged",
    [
        b"x",
        b"=" * 44,
        CANARY.encode(),
        "hmac-sha256-hex=\u00e9".encode(),
        "v1,\u00e9".encode(),
        b"\xff\x00\xfe",
        b"a" * 100_000,
    ],
)
def test_a_forged_signature_is_refused_and_never_an_error_of_ours(
    subject: Subject, forged: bytes
) -> None:
    call, data = subject.call()
    headers = {**call.headers, data["signature"]: forged}
    assert _refusal(subject, replace(call, headers=headers)) == "signature_invalid"


@every_called
@fuzz
@given(data=st.data())
def test_a_signature_holds_for_one_body_only(subject: Subject, data: st.DataObject) -> None:
    call, _ = subject.call()
    at = data.draw(st.integers(0, len(call.body)))
    other = call.body[:at] + data.draw(st.binary(min_size=1, max_size=3)) + call.body[at:]
    assert _refusal(subject, replace(call, body=other)) == "signature_invalid"


@every_called
def test_a_secret_that_is_not_configured_any_more_signs_nothing(subject: Subject) -> None:
    call, _ = subject.call()
    options = json.loads(json.dumps(subject.options).replace("sample-secret", "another-secret"))
    assert options != subject.options
    webhook = subject.connector.webhook(subject.connector.config.model_validate(options))
    assert webhook is not None
    with pytest.raises(Rejected, match="signature_invalid"):
        webhook.verify(call)


class _Everywhere(Mapping[str, bytes]):
    """The same value in every header, whatever headers a system uses."""

    def __init__(self, value: bytes) -> None:
        self.value = value

    def __getitem__(self, name: str) -> bytes:
        return self.value

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


@every_called
@fuzz
@given(value=st.binary(max_size=100), body=st.binary(max_size=100))
def test_no_headers_make_the_verifier_raise_anything_else(
    subject: Subject, value: bytes, body: bytes
) -> None:
    call = WebhookCall(_Everywhere(value), body, datetime(2026, 3, 5, tzinfo=UTC))
    assert _refusal(subject, call).startswith(("signature_", "timestamp_"))
