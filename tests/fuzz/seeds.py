"""First inputs that are no files of ours: AS2 messages and receipts as they come over the wire."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.transports.as2 import cms
from connectors.transports.as2.message import Agreement, Wrapping, mic_of, write_message
from connectors.transports.as2.names import read_envelope
from connectors.transports.as2.receipts import Outcome, write_receipt
from tests.support.as2_keys import NOW, key

_PAYLOAD = b"ISA*00*          ~\nGS*PO~\r\n"
_ENTITY = b"Content-Type: application/edi-x12; name=a.x12\r\n\r\n" + _PAYLOAD
_ENCODED = b"Content-Type: application/edi-x12\r\nContent-Transfer-Encoding: base64\r\n\r\nSVNBKjAwKg==\r\n"
_ASKING = {
    "AS2-From": "THEM",
    "AS2-To": '"US 1"',
    "Message-ID": "<1@them>",
    "Disposition-Notification-To": "them@example.test",
    "Disposition-Notification-Options": "signed-receipt-protocol=optional, pkcs7-signature; "
    "signed-receipt-micalg=optional, sha256, md5",
    "Receipt-Delivery-Option": "https://them.example.test/mdn",
}


def written(target: str) -> list[bytes]:
    """The first inputs of a target, besides the files that it names."""
    return _as2() if target == "as2" else []


def _as2() -> list[bytes]:
    us, them = key("us"), key("them")
    agreement = Agreement("THEM", "US", (them,), (us.certificate,))
    wrappings = (
        Wrapping(sign=sign, cipher=cipher, compress=compress)
        for sign in (True, False)
        for cipher in (None, "aes128")
        for compress in (True, False)
    )
    found = []
    for wrapping in wrappings:
        made = write_message(_PAYLOAD, "a.x12", wrapping, agreement, NOW)
        found.append(_raw({**_ASKING, **made.headers}, made.body))
    envelope = read_envelope({name.lower(): value for name, value in _ASKING.items()})
    for signer in (None, agreement):
        outcome = Outcome(mic=mic_of(_PAYLOAD, "sha256"))
        receipt = write_receipt(envelope, outcome, signer, NOW)
        found.append(_raw(receipt.headers, receipt.body))
    sealed = cms.encrypt(_ENTITY, us.certificate, "aes256")
    structures = [cms.sign(b"payload", them), cms.compress(_ENTITY), sealed]
    found += [b"cms\n" + der for der in structures]
    layers = (b"signed\n", b"sealed\n", b"packed\n")
    return found + [layer + entity for layer in layers for entity in (_ENTITY, _ENCODED)]


def _raw(headers: Mapping[str, str], body: bytes) -> bytes:
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return head.encode("latin-1") + b"\r\n" + body
