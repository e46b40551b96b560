"""AS2 messages: what we write we read, and what is wrong with others has its exact word."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from canonical.errors import HubError, Rejected
from connectors.transports.as2 import cms
from connectors.transports.as2.message import (
    Agreement,
    Prepared,
    Received,
    Wrapping,
    cms_entity,
    mic_of,
    read_message,
    sign_entity,
    write_message,
)
from connectors.transports.as2.refusals import disposition_of, undecryptable
from tests.support.as2_keys import NOW, key

US, THEM = key("us"), key("them")
PAYLOAD = b"ISA*00*          ~\nGS*PO~\r\nline\x00\xff" * 20

OUTGOING = Agreement("US", "THEM", (US,), (THEM.certificate,))
INCOMING = Agreement("THEM", "US", (THEM,), (US.certificate,))
OPEN = replace(INCOMING, require_signed=False, require_encrypted=False)


def lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def written(**wrapping: Any) -> Prepared:
    return write_message(PAYLOAD, "order.x12", Wrapping(**wrapping), OUTGOING, NOW)


def read(made: Prepared, agreement: Agreement = INCOMING) -> Received:
    return read_message(lower(made.headers), made.body, agreement, NOW)


def refusal(headers: Mapping[str, str], body: bytes, agreement: Agreement = INCOMING) -> str:
    with pytest.raises(Rejected) as caught:
        read_message(lower(headers), body, agreement, NOW)
    return caught.value.code


def entity_of(made: Prepared) -> bytes:
    head = "".join(f"{name}: {value}\r\n" for name, value in made.headers.items())
    return head.encode() + b"\r\n" + made.body


@pytest.mark.parametrize(
    ("sign", "cipher", "compress"),
    list(product([True, False], ["aes256", "aes128", None], [True, False])),
)
def test_what_is_written_is_read_with_the_same_mic(
    sign: bool,  # noqa: FBT001  # a parameter of the test
    cipher: cms.Cipher | None,
    compress: bool,  # noqa: FBT001
) -> None:
    made = written(sign=sign, cipher=cipher, compress=compress)
    found = read(made, OPEN)
    assert found.payload == PAYLOAD
    assert (found.signed, found.encrypted, found.compressed) == (sign, cipher is not None, compress)
    assert mic_of(found.covered, "sha256") == made.mic
    assert found.file_name == "order.x12"


def test_every_attempt_has_the_same_mic_and_other_bytes() -> None:
    first, second = written(), written()
    assert first.mic == second.mic
    assert first.body != second.body


def test_a_signature_may_be_outside_compression_or_inside_it() -> None:
    signed = written(cipher=None)
    made = parse_of(cms_entity(cms.compress(entity_of(signed)), "compressed-data", "smime.p7z"))
    found = read_message(*made, OPEN, NOW)
    assert (found.payload, found.signed, found.compressed) == (PAYLOAD, True, True)
    assert mic_of(found.covered, "sha256") == signed.mic


def parse_of(entity: bytes) -> tuple[dict[str, str], bytes]:
    head, _, body = entity.partition(b"\r\n\r\n")
    lines = [line.split(": ", 1) for line in head.decode().split("\r\n")]
    return {name.lower(): value for name, value in lines}, body


def test_an_encrypted_body_in_base64_is_read_too() -> None:
    made = written()
    headers = {**lower(made.headers), "content-transfer-encoding": "base64"}
    found = read_message(headers, base64.encodebytes(made.body), INCOMING, NOW)
    assert found.payload == PAYLOAD


def test_a_signed_payload_in_quoted_printable_is_decoded() -> None:
    leaf = (
        b"Content-Type: application/edi-x12\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    )
    headers, body = parse_of(sign_entity(leaf + b"ISA=2A00=\r\nGS", US))
    assert read_message(headers, body, OPEN, NOW).payload == b"ISA*00GS"


def test_lines_signed_with_crlf_and_sent_with_lf_still_verify() -> None:
    leaf = b"Content-Type: text/plain\r\n\r\nISA\r\nGS\r\n"
    headers, body = parse_of(sign_entity(leaf, US))
    found = read_message(headers, body.replace(b"\r\n", b"\n"), OPEN, NOW)
    assert found.covered == leaf


def test_line_ends_of_a_binary_part_are_data() -> None:
    leaf = b"Content-Type: text/plain\r\nContent-Transfer-Encoding: binary\r\n\r\nISA\r\nGS\r\n"
    headers, body = parse_of(sign_entity(leaf, US))
    changed = body.replace(b"ISA\r\n", b"ISA\n")
    assert refusal(headers, changed, OPEN) == "as2_integrity_check_failed"


def test_a_boundary_in_quotes_with_spaces_and_a_preamble_is_found() -> None:
    made = written(cipher=None)
    boundary = made.headers["Content-Type"].split('boundary="')[1].rstrip('"')
    other = made.body.replace(boundary.encode(), b"a b=c+d/e")
    headers = {
        **made.headers,
        "Content-Type": made.headers["Content-Type"].replace(boundary, "a b=c+d/e"),
    }
    body = b"preamble\r\n" + other + b"epilogue\r\n"
    assert read_message(lower(headers), body, OPEN, NOW).payload == PAYLOAD


@pytest.mark.parametrize("size", [0, 1, 5, 40])
def test_a_message_cut_short_is_refused(size: int) -> None:
    for made in (written(), written(cipher=None), written(cipher=None, sign=False, compress=True)):
        code = refusal(made.headers, made.body[:size], OPEN)
        assert code.startswith("as2_"), code


def test_changed_content_fails_the_integrity_check() -> None:
    made = written(cipher=None)
    changed = made.body.replace(b"GS*PO~", b"GS*PX~", 1)
    assert refusal(made.headers, changed, OPEN) == "as2_integrity_check_failed"


def test_a_signature_of_a_stranger_is_not_authentic() -> None:
    stranger = replace(OUTGOING, our_keys=(key("stranger"),))
    made = write_message(PAYLOAD, "a.x12", Wrapping(cipher=None), stranger, NOW)
    assert refusal(made.headers, made.body, OPEN) == "as2_authentication_failed"


def test_a_forged_certificate_of_the_same_name_and_serial_does_not_help() -> None:
    made = written(cipher=None)
    pretended = key("us", NOW - timedelta(days=2))  # the same name, another serial
    agreement = replace(OPEN, certificates=(pretended.certificate,))
    assert refusal(made.headers, made.body, agreement) == "as2_authentication_failed"


def test_an_expired_certificate_authenticates_nobody() -> None:
    made = written(cipher=None)
    with pytest.raises(Rejected) as caught:
        read_message(lower(made.headers), made.body, OPEN, NOW + timedelta(days=20_000))
    assert caught.value.code == "as2_authentication_failed"


def test_a_message_for_another_key_cannot_be_decrypted() -> None:
    agreement = replace(OUTGOING, certificates=(key("stranger").certificate,))
    made = write_message(PAYLOAD, "a.x12", Wrapping(), agreement, NOW)
    assert refusal(made.headers, made.body) == "as2_decryption_failed"


@pytest.mark.parametrize("wrapping", [{"sign": False, "cipher": None}, {"cipher": None}])
def test_less_security_than_agreed_is_refused(wrapping: dict[str, Any]) -> None:
    made = written(**wrapping)
    assert refusal(made.headers, made.body) == "as2_insufficient_security"


def flipped(made: Prepared, at: int) -> Iterator[bytes]:
    """The message with each other value of one byte, counted from its end."""
    for value in range(1, 256):
        body = bytearray(made.body)
        body[-at] ^= value
        yield bytes(body)


@pytest.mark.parametrize("at", [17, 700], ids=["the byte that turns the padding", "one far inside"])
def test_every_variant_of_a_captured_message_is_answered_the_same(at: int) -> None:
    made, answers = written(), set()
    for body in flipped(made, at):
        with pytest.raises(Rejected) as caught:
            read_message(lower(made.headers), body, INCOMING, NOW)
        error = caught.value
        answers.add((str(error), error.where, error.detail, disposition_of(error)))
    assert len(answers) == 1
    assert answers.pop()[-1] == "processed/error: decryption-failed"


@pytest.mark.parametrize("inside", ["unsigned", "of a stranger", "no MIME", "nothing", "expired"])
def test_what_is_wrong_inside_the_encryption_is_told_to_nobody_but_us(inside: str) -> None:
    stranger = replace(OUTGOING, our_keys=(key("stranger"),))
    makers: dict[str, Callable[[], Prepared]] = {
        "unsigned": lambda: written(sign=False),
        "of a stranger": lambda: write_message(PAYLOAD, "a.x12", Wrapping(), stranger, NOW),
        "no MIME": lambda: sealed(b"garbage"),
        "nothing": lambda: sealed(b""),
        "expired": written,
    }
    made = makers[inside]()
    now = NOW + timedelta(days=20_000 if inside == "expired" else 0)
    with pytest.raises(Rejected) as caught:
        read_message(lower(made.headers), made.body, INCOMING, now)
    assert str(caught.value) == str(undecryptable())
    assert isinstance(caught.value.__cause__, Rejected)
    assert caught.value.__cause__.code != "as2_decryption_failed"


def sealed(content: bytes) -> Prepared:
    """A message of which only the outside is right."""
    der = cms.encrypt(content, THEM.certificate, "aes128")
    headers, body = parse_of(cms_entity(der, "enveloped-data", "smime.p7m"))
    return Prepared(headers, body, content, signed=False)


def test_a_decompression_bomb_is_refused() -> None:
    bomb = cms_entity(cms.compress(b"\r\n" + bytes(3_000_000)), "compressed-data", "smime.p7z")
    small = replace(OPEN, max_bytes=1_000_000)
    assert refusal(*parse_of(bomb), small) == "as2_decompression_failed"


def test_endless_layers_are_refused() -> None:
    entity = b"Content-Type: text/plain\r\n\r\nx"
    for _ in range(6):
        entity = cms_entity(cms.compress(entity), "compressed-data", "smime.p7z")
    assert refusal(*parse_of(entity), OPEN) == "as2_unsupported_format"


def test_several_attachments_are_refused() -> None:
    body = b"--x\r\n\r\na\r\n--x\r\n\r\nb\r\n--x--"
    headers = {"content-type": "multipart/related; boundary=x"}
    assert refusal(headers, body, OPEN) == "as2_unsupported_format"


def test_during_a_roll_over_old_and_new_certificates_both_count() -> None:
    ours_new, theirs_new = key("us-new"), key("them-new")
    receiver = replace(
        INCOMING,
        our_keys=(THEM, theirs_new),
        certificates=(US.certificate, ours_new.certificate),
    )
    for sender_key, recipient in product((US, ours_new), (THEM, theirs_new)):
        sender = replace(OUTGOING, our_keys=(sender_key,), certificates=(recipient.certificate,))
        made = write_message(PAYLOAD, "a.x12", Wrapping(), sender, NOW)
        assert read(made, receiver).payload == PAYLOAD


def test_the_next_key_takes_over_when_the_first_runs_out() -> None:
    later = NOW + timedelta(days=20)
    first = key("first", NOW - timedelta(days=9), NOW + timedelta(days=9))
    second = key("second", NOW - timedelta(days=1), NOW + timedelta(days=99))
    sender = replace(OUTGOING, our_keys=(first, second))
    for moment, signer in ((NOW, first), (later, second)):
        made = write_message(PAYLOAD, "a.x12", Wrapping(), sender, moment)
        receiver = replace(INCOMING, certificates=(signer.certificate,))
        assert read_message(lower(made.headers), made.body, receiver, moment).signed


def test_the_mic_is_the_hash_of_the_signed_entity() -> None:
    found = read(written())
    digest = base64.b64encode(hashlib.sha256(found.covered).digest()).decode()
    assert mic_of(found.covered, "sha256").value == digest
    assert found.covered.startswith(b"Content-Type: application/octet-stream\r\n")


@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_damage_gives_anything_but_a_precise_refusal(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(_DAMAGED))
    body = bytearray(kind.body)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body) - 1))
        if data.draw(st.booleans()):
            body[at] = data.draw(st.integers(0, 255))
        else:
            del body[at : at + data.draw(st.integers(1, 30))]
    try:
        found = read_message(lower(kind.headers), bytes(body), OPEN, NOW)
    except HubError as error:
        assert error.code.startswith("as2_")  # noqa: PT017  # either outcome is right
    else:
        assert not found.signed or found.payload == PAYLOAD


_DAMAGED = [
    written(),
    written(cipher=None),
    written(cipher=None, compress=True),
    written(cipher=None, sign=False, compress=True),
]
