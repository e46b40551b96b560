"""AS2 messages: read as they come, written as they go (RFC 4130, RFC 5751, RFC 5402).

Reading undoes layers from the outside: encryption, signature, compression on either side of the
signature. Writing makes them in the usual order: compress, sign, encrypt. Both compute the MIC that
the receipt must repeat (RFC 4130 section 7.3.1): over what was signed; else over what was encrypted
or compressed, with its headers; else over the body alone.

Codes: those of `connectors.transports.as2.refusals`.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from cryptography import x509

from canonical.errors import Rejected
from connectors.transports.as2 import cms
from connectors.transports.as2.entity import Entity, canonical_lines, of_request, parse
from connectors.transports.as2.keys import OwnKey, recipient, signing_key
from connectors.transports.as2.names import write_name
from connectors.transports.as2.refusals import undecryptable, unreadable
from connectors.transports.body import uncounted

_MOST_LAYERS = 4
_SIGNED_PARTS = 2
_CMS_TYPES = {"application/pkcs7-mime", "application/x-pkcs7-mime"}
_DEFAULT_DIGEST = "sha256"
VERSION = "1.2"  # from 1.1 on it says that we read compression (RFC 5402 section 5)


@dataclass(frozen=True, slots=True)
class Agreement:
    """What was agreed with a partner."""

    us: str
    """Our AS2 name."""
    partner: str
    our_keys: tuple[OwnKey, ...]
    certificates: tuple[x509.Certificate, ...]
    """The partner's, several while it changes them."""
    require_signed: bool = True
    require_encrypted: bool = True
    max_bytes: int = 50_000_000
    """Most bytes of a payload once it is unpacked."""


@dataclass(frozen=True, slots=True)
class Mic:
    """The hash of what was said, as a receipt repeats it."""

    value: str
    """In base64."""
    digest: str
    """Its name in `hashlib`."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message, unpacked."""

    payload: bytes
    media_type: str
    file_name: str
    """As the sender wrote it, or ""."""
    covered: bytes
    """What a MIC is computed over."""
    digest: str | None
    """The digest of the signature; None where there is none."""
    signed: bool
    encrypted: bool
    compressed: bool


@dataclass(frozen=True, slots=True)
class Wrapping:
    """How a message is packed."""

    sign: bool = True
    cipher: cms.Cipher | None = "aes256"
    compress: bool = False
    content_type: str = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A message ready to be sent."""

    headers: Mapping[str, str]
    """Of its content."""
    body: bytes
    covered: bytes
    """What the receipt's MIC is computed over."""
    signed: bool

    @property
    def mic(self) -> Mic:
        """The MIC that the receipt must repeat, with the digest that we ask for first."""
        return mic_of(self.covered, _DEFAULT_DIGEST)


def mic_of(covered: bytes, digest: str) -> Mic:
    """The MIC of some bytes."""
    return Mic(base64.b64encode(hashlib.new(digest, covered).digest()).decode("ascii"), digest)


@dataclass(slots=True)
class _Layers:
    agreement: Agreement
    now: datetime
    entity: Entity
    taken: Callable[[int], None]
    encrypted: bool = False
    compressed: bool = False
    signed: cms.Signed | None = None

    def peel(self) -> bool:
        """Undo the outermost layer; False: there is none."""
        if self.entity.media_type == "multipart/signed":
            self._verify_detached()
        elif self.entity.media_type in _CMS_TYPES:
            self._open(self.entity.content())
        else:
            return False
        return True

    def _open(self, der: bytes) -> None:
        kind = cms.kind_of(der)
        if kind == "enveloped_data" and not self.encrypted and self.signed is None:
            self.encrypted = True
            self.entity = parse(cms.decrypt(der, self.agreement.our_keys))
        elif kind == "compressed_data" and not self.compressed:
            self.compressed = True
            self.entity = parse(cms.decompress(der, self.agreement.max_bytes, self.taken))
        elif kind == "signed_data" and self.signed is None:
            content = cms.content_of(der)
            self._believe(der, content, is_binary=True)
        else:
            raise unreadable("layers that no AS2 message has")

    def _verify_detached(self) -> None:
        parts = self.entity.parts()
        if len(parts) != _SIGNED_PARTS or self.signed is not None:
            raise unreadable("expected one signed part and one signature")
        self._believe(parts[1].content(), parts[0].raw, is_binary=parts[0].is_binary)

    def _believe(self, der: bytes, content: bytes, *, is_binary: bool) -> None:
        forms = [content] if is_binary else [content, canonical_lines(content)]
        certificates = self.agreement.certificates
        self.signed = cms.verify(der, forms, certificates, self.now)
        self.entity = parse(content)


def read_message(
    headers: Mapping[str, str],
    body: bytes,
    agreement: Agreement,
    now: datetime,
    taken: Callable[[int], None] = uncounted,
) -> Received:
    """Unpack a message and check it against the agreement.

    Args:
        headers: of the HTTP request, by lower-case name.
        body: as it came.
        agreement: with its sender.
        now: certificates must be valid at this moment.
        taken: told of what decompression adds, as it does; what it raises ends the reading.

    Raises:
        Rejected: see `connectors.transports.as2.refusals`.

    """
    layers = _Layers(agreement, now, of_request(headers, body), taken)
    try:
        return _read(layers)
    except Rejected as error:
        if layers.encrypted and layers.signed is None:
            # Nobody has proved to be the partner: how far CBC garbage came would help to decrypt a
            # captured message (RFC 5652 section 14, RFC 8551 section 6), so that is told to nobody.
            raise undecryptable() from error
        raise


def _read(layers: _Layers) -> Received:
    for _ in range(_MOST_LAYERS):
        if not layers.peel():
            break
    else:
        raise unreadable("more layers than any AS2 message has")
    _require_agreed(layers)
    most = layers.agreement.max_bytes
    entity = layers.entity
    if entity.headers.is_multipart() or entity.media_type.startswith("multipart/"):
        raise unreadable("expected one document, not several attachments")
    payload = entity.content()
    if not payload or len(payload) > most:
        raise unreadable(f"expected 1 to {most} bytes")
    return Received(
        payload=payload,
        media_type=entity.media_type,
        file_name=entity.file_name(),
        covered=_covered(layers),
        digest=layers.signed.digest if layers.signed else None,
        signed=layers.signed is not None,
        encrypted=layers.encrypted,
        compressed=layers.compressed,
    )


def _require_agreed(layers: _Layers) -> None:
    if layers.agreement.require_signed and layers.signed is None:
        raise Rejected("as2_insufficient_security", "", "expected a signed message")
    if layers.agreement.require_encrypted and not layers.encrypted:
        raise Rejected("as2_insufficient_security", "", "expected an encrypted message")


def _covered(layers: _Layers) -> bytes:
    if layers.signed is not None:
        return layers.signed.content
    if layers.encrypted or layers.compressed:
        return layers.entity.raw
    return layers.entity.body


def write_message(
    payload: bytes, file_name: str, wrapping: Wrapping, agreement: Agreement, now: datetime
) -> Prepared:
    """Pack a payload; its MIC is the same at every attempt, whatever encryption makes of it.

    Args:
        payload: the bytes.
        file_name: a safe name.
        wrapping: how it is packed.
        agreement: with its receiver.
        now: when; picks the keys.

    Raises:
        ConfigError: ``certificate_expired``.

    """
    entity = covered = _leaf(payload, file_name, wrapping.content_type)
    if wrapping.compress:
        entity = cms_entity(cms.compress(entity), "compressed-data", "smime.p7z")
    if wrapping.sign:
        covered = entity
        entity = sign_entity(entity, signing_key(agreement.our_keys, now))
    if wrapping.cipher is not None:
        theirs = recipient(agreement.certificates, now)
        sealed = cms.encrypt(entity, theirs, wrapping.cipher)
        entity = cms_entity(sealed, "enveloped-data", "smime.p7m")
    outer = parse(entity)
    is_packed = wrapping.sign or wrapping.compress or wrapping.cipher is not None
    said = covered if is_packed else payload
    return Prepared(content_headers(outer), outer.body, said, wrapping.sign)


def content_headers(entity: Entity) -> dict[str, str]:
    """An entity's headers as those of an HTTP message."""
    unfolded = {name: " ".join(str(value).split()) for name, value in entity.headers.items()}
    # HTTP has no Content-Transfer-Encoding (RFC 9110 appendix A.5): all bodies are binary.
    return {n: v for n, v in unfolded.items() if n.lower() != "content-transfer-encoding"}


def as2_headers(agreement: Agreement, message_id: str, now: datetime) -> dict[str, str]:
    """The headers that every message and receipt of ours has."""
    return {
        "AS2-Version": VERSION,
        "AS2-From": write_name(agreement.us),
        "AS2-To": write_name(agreement.partner),
        "Message-ID": f"<{message_id}>",
        "MIME-Version": "1.0",
        "Date": format_datetime(now, usegmt=True),
    }


def cms_entity(der: bytes, kind: str, name: str) -> bytes:
    """A CMS structure as a MIME entity."""
    head = (
        f'Content-Type: application/pkcs7-mime; smime-type={kind}; name="{name}"\r\n'
        f'Content-Disposition: attachment; filename="{name}"\r\n'
        "Content-Transfer-Encoding: binary\r\n\r\n"
    )
    return head.encode("ascii") + der


def sign_entity(entity: bytes, key: OwnKey) -> bytes:
    """A multipart/signed of an entity and its detached signature (RFC 5751 section 3.4.3)."""
    boundary = boundary_for(entity)
    signature = base64.encodebytes(cms.sign(entity, key)).replace(b"\n", b"\r\n")
    head = (
        'Content-Type: multipart/signed; protocol="application/pkcs7-signature"; '
        f'micalg=sha-256; boundary="{boundary}"\r\n\r\n'
    )
    second = (
        f'\r\n--{boundary}\r\nContent-Type: application/pkcs7-signature; name="smime.p7s"\r\n'
        'Content-Disposition: attachment; filename="smime.p7s"\r\n'
        "Content-Transfer-Encoding: base64\r\n\r\n"
    )
    start = f"--{boundary}\r\n"
    end = f"--{boundary}--\r\n"
    return b"".join(
        [head.encode(), start.encode(), entity, second.encode(), signature, end.encode()]
    )


def boundary_for(content: bytes) -> str:
    """A boundary that the content cannot hold: it would have to hold its own hash."""
    return "xd-" + hashlib.sha256(content).hexdigest()[:40]


def _leaf(payload: bytes, file_name: str, content_type: str) -> bytes:
    head = (
        f"Content-Type: {content_type}\r\n"
        f'Content-Disposition: attachment; filename="{file_name}"\r\n'
        "Content-Transfer-Encoding: binary\r\n\r\n"
    )
    return head.encode("ascii") + payload
