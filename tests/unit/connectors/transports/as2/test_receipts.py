"""AS2 receipts: ours say exactly what happened, and the partner's are believed only if genuine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from canonical.errors import Rejected
from connectors.transports.as2.message import Agreement, mic_of
from connectors.transports.as2.names import read_envelope, read_message_id, read_name, write_name
from connectors.transports.as2.receipts import (
    Outcome,
    Receipt,
    Written,
    is_receipt,
    outcome_of,
    read_receipt,
    write_receipt,
)
from connectors.transports.as2.refusals import DISPOSITIONS
from tests.support.as2_keys import NOW, key

US, THEM = key("us"), key("them")
RECEIVER = Agreement("US", "THEM CO", (US,), (THEM.certificate,))
SENDER = Agreement("THEM CO", "US", (THEM,), (US.certificate,))
HEADERS = {
    "as2-from": '"THEM CO"',
    "as2-to": "US",
    "message-id": "<order-1@them.example>",
    "disposition-notification-to": "http://them.example/as2",
    "disposition-notification-options": (
        "signed-receipt-protocol=optional, pkcs7-signature; "
        "signed-receipt-micalg=optional, md5, sha-256, sha1"
    ),
}


def lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


UNSIGNED = {"disposition-notification-options": ""}


def made(outcome: Outcome | None = None, headers: Mapping[str, str] | None = None) -> Written:
    envelope = read_envelope({**HEADERS, **(headers or {})})
    return write_receipt(envelope, outcome or outcome_of(envelope, b"said", "sha1"), RECEIVER, NOW)


def read(found: Written, agreement: Agreement = SENDER, *, must: bool = True) -> Receipt:
    return read_receipt(lower(found.headers), found.body, agreement, (must, NOW))


def code_of(found: Written, **reading: Any) -> str:
    with pytest.raises(Rejected) as caught:
        read(found, **reading)
    return caught.value.code


def test_a_receipt_that_we_write_is_read_as_it_was_meant() -> None:
    receipt = read(made())
    assert receipt.message_id == "order-1@them.example"
    assert receipt.is_positive
    assert receipt.signed
    assert receipt.mic == mic_of(b"said", "sha1")


def test_the_digest_of_the_signature_is_repeated_in_the_senders_spelling() -> None:
    outcome = outcome_of(read_envelope(HEADERS), b"said", "sha256")
    found = made(outcome)
    assert (
        f"Received-Content-MIC: {mic_of(b'said', 'sha256').value}, sha-256".encode() in found.body
    )


def test_without_a_signature_the_digest_is_the_first_wanted_that_we_know() -> None:
    outcome = outcome_of(read_envelope(HEADERS), b"said", None)
    assert read(made(outcome)).mic == mic_of(b"said", "sha256")


def test_without_a_signature_and_a_wish_the_digest_is_sha_256() -> None:
    receipt = read(
        made(outcome_of(read_envelope({**HEADERS, **UNSIGNED}), b"said", None), UNSIGNED),
        must=False,
    )
    assert receipt.mic == mic_of(b"said", "sha256")
    assert not receipt.signed


def test_a_wish_for_digests_that_prove_nothing_is_refused() -> None:
    options = {"disposition-notification-options": "signed-receipt-micalg=required, md5"}
    with pytest.raises(Rejected) as caught:
        outcome_of(read_envelope(HEADERS | options), b"said", "sha1")
    assert DISPOSITIONS[caught.value.code] == "failed/failure: unsupported MIC-algorithms"


@pytest.mark.parametrize("code", sorted(DISPOSITIONS))
def test_a_refusal_says_its_disposition(code: str) -> None:
    receipt = read(made(Outcome(refusal=Rejected(code, "", "why"))))
    assert not receipt.is_positive
    assert DISPOSITIONS[code].lower() == f"{receipt.kind}/{receipt.modifier}: {receipt.reason}"
    assert receipt.mic is None


def test_a_receipt_signed_by_a_stranger_is_not_believed() -> None:
    assert code_of(made(), agreement=replace(SENDER, certificates=(key("x").certificate,))) == (
        "mdn_not_authentic"
    )


def test_a_changed_receipt_is_not_believed() -> None:
    found = made()
    changed = replace(found, body=found.body.replace(b"; processed", b"; Processed"))
    assert code_of(changed) == "mdn_not_authentic"


def test_an_unsigned_receipt_is_refused_where_a_signed_one_was_agreed() -> None:
    assert code_of(made(headers=UNSIGNED)) == "mdn_unsigned"


@pytest.mark.parametrize("body", [b"", b"OK", b"<html>", b"--x--\r\n"])
def test_an_answer_that_is_no_receipt_is_unreadable(body: bytes) -> None:
    assert code_of(Written({"content-type": "multipart/report; boundary=x"}, body)) == (
        "mdn_unreadable"
    )


def test_a_receipt_is_told_from_a_message() -> None:
    found = made()
    assert is_receipt(lower(found.headers), found.body)
    assert not is_receipt({"content-type": "application/pkcs7-mime"}, b"x")


def test_a_stranger_hears_it_unsigned() -> None:
    envelope = read_envelope(HEADERS)
    refusal = Outcome(refusal=Rejected("as2_partner_unknown", "as2-from", "no agreement"))
    found = write_receipt(envelope, refusal, None, NOW)
    assert found.headers["AS2-From"] == "US"
    assert b"unknown-trading-partner" in found.body


def test_the_same_outcome_gives_the_same_receipt() -> None:
    assert made(headers=UNSIGNED) == made(headers=UNSIGNED)


@pytest.mark.parametrize("name", ["US", "THEM CO", 'a"b', "back\\slash", "x" * 128])
def test_names_survive_their_quotes(name: str) -> None:
    assert read_name(write_name(name), "as2-to") == name


@pytest.mark.parametrize("name", ["", '""', "x" * 129, "a\tb", "caf\xe9"])
def test_names_that_are_none_are_refused(name: str) -> None:
    with pytest.raises(Rejected, match="as2_header_invalid"):
        read_name(name, "as2-to")


@pytest.mark.parametrize("text", ["<a@b>", "a@b", " <a@b> "])
def test_a_message_id_is_the_same_with_and_without_brackets(text: str) -> None:
    assert read_message_id(text) == "a@b"


@pytest.mark.parametrize("text", ["", "<>", "x" * 999, "a\nb"])
def test_a_message_id_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Rejected, match="as2_header_invalid"):
        read_message_id(text)
