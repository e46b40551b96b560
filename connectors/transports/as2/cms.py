"""The Cryptographic Message Syntax (RFC 5652, RFC 3274) as AS2 uses it.

`cryptography` does the arithmetic; asn1crypto reads the structures, also in BER of indefinite
length, as Java products write them. We write SHA-256, AES-CBC and zlib; SHA-1 and Triple DES are
read only. Codes: ``as2_authentication_failed``, ``as2_integrity_check_failed``,
``as2_insufficient_security``, ``as2_decryption_failed``, ``as2_decompression_failed``,
``as2_unsupported_format``; all are `Rejected`.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from asn1crypto import cms
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers.algorithms import AES128, AES256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import (
    PKCS7EnvelopeBuilder,
    PKCS7Options,
    PKCS7SignatureBuilder,
)

from canonical.errors import HubError, Rejected
from connectors.transports.as2.ciphers import decrypt_cbc
from connectors.transports.as2.keys import OwnKey, is_valid
from connectors.transports.as2.refusals import unreadable
from connectors.transports.body import uncounted

_MOST_SIGNERS = 8
_STEP = 1024 * 1024
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),  # noqa: S303  # read only: old partners sign with nothing else
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
Cipher = Literal["aes128", "aes256"]
_CIPHERS: dict[Cipher, type[AES128] | type[AES256]] = {"aes128": AES128, "aes256": AES256}


@dataclass(frozen=True, slots=True)
class Signed:
    """Bytes whose signature held, in the form in which it did, and the digest that was used."""

    content: bytes
    digest: str


@contextmanager
def _reading(code: str, detail: str) -> Iterator[None]:
    """Translate whatever asn1crypto raises for bytes that are not what they say they are.

    It reads lazily, so that any step may fail, and with any error.
    """
    try:
        yield
    except HubError:
        raise
    except Exception as error:
        raise Rejected(code, "", detail) from error


def kind_of(der: bytes) -> str:
    """What a structure is: ``signed_data``, ``enveloped_data``, ``compressed_data`` ..."""
    with _reading("as2_unsupported_format", "a CMS structure that cannot be read"):
        return str(_load(der)["content_type"].native)


def _load(der: bytes) -> Any:
    return cms.ContentInfo.load(der)


def content_of(der: bytes) -> bytes:
    """The content inside signed data that is not detached."""
    with _reading("as2_unsupported_format", "signed data that cannot be read"):
        found = _load(der)["content"]["encap_content_info"]["content"].native
    if not isinstance(found, bytes):
        raise unreadable("signed data without content")
    return found


def verify(
    der: bytes, forms: Sequence[bytes], trusted: Sequence[x509.Certificate], now: datetime
) -> Signed:
    """Verify a signature against the agreed certificates; those inside it prove nothing.

    Args:
        der: the signature.
        forms: the content as it came, and in other forms that the sender may have signed.
        trusted: the partner's certificates.
        now: certificates must be valid at this moment.

    Raises:
        Rejected: ``as2_authentication_failed``, ``as2_integrity_check_failed``,
            ``as2_insufficient_security`` (a digest that proves nothing).

    """
    with _reading("as2_authentication_failed", "a signature that cannot be read"):
        signers = list(_load(der)["content"]["signer_infos"])[:_MOST_SIGNERS]
        refusals: list[Rejected] = []
        for signer in signers:
            for certificate in _candidates(signer, trusted):
                try:
                    return _verify_one(signer, forms, certificate, now)
                except Rejected as refusal:
                    refusals.append(refusal)
    if refusals:
        raise refusals[-1]
    raise _unauthentic("no agreed certificate has signed it")


def _candidates(signer: Any, trusted: Sequence[x509.Certificate]) -> Iterator[x509.Certificate]:
    identifier = signer["sid"]
    for certificate in trusted:
        if _is_meant(identifier, certificate):
            yield certificate


def _is_meant(identifier: Any, certificate: x509.Certificate) -> bool:
    """Whether a SignerIdentifier or RecipientIdentifier (RFC 5652 section 5.3) names this one."""
    if identifier.name == "issuer_and_serial_number":
        chosen = identifier.chosen
        return bool(
            chosen["serial_number"].native == certificate.serial_number
            and chosen["issuer"].dump() == certificate.issuer.public_bytes()
        )
    try:
        own = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    except x509.ExtensionNotFound:
        return False
    return bool(identifier.chosen.native == own.value.digest)


def _unauthentic(detail: str) -> Rejected:
    return Rejected("as2_authentication_failed", "", detail)


def _verify_one(
    signer: Any, forms: Sequence[bytes], certificate: x509.Certificate, now: datetime
) -> Signed:
    if not is_valid(certificate, now):
        raise _unauthentic("the certificate that signed it is not valid now")
    digest = str(signer["digest_algorithm"]["algorithm"].native)
    if digest not in _HASHES:
        raise Rejected("as2_insufficient_security", "", "expected SHA-1 or SHA-2")
    attributes = signer["signed_attrs"]
    if not attributes:
        return _verify_bare(signer, forms, certificate, digest)
    untagged = attributes.untag()
    # The signature covers the DER encoding (RFC 5652 section 5.4); some senders sign what they sent.
    if not any(_holds(signer, certificate, digest, data) for data in _encodings(untagged)):
        raise _unauthentic("the signature is not the certificate's")
    claimed = _claimed_digest(untagged)
    for form in forms:
        if hashlib.new(digest, form).digest() == claimed:
            return Signed(form, digest)
    raise Rejected("as2_integrity_check_failed", "", "the content is not what was signed")


def _encodings(attributes: Any) -> Iterator[bytes]:
    yield attributes.dump()
    yield attributes.dump(force=True)


def _claimed_digest(attributes: Any) -> bytes:
    found = [a for a in attributes if a["type"].native == "message_digest"]
    if len(found) != 1 or len(found[0]["values"]) != 1:  # RFC 5652 section 11.2
        raise _unauthentic("a signature without one message digest")
    return bytes(found[0]["values"][0].native)


def _verify_bare(
    signer: Any, forms: Sequence[bytes], certificate: x509.Certificate, digest: str
) -> Signed:
    """Verify a signature without attributes, which is over the content itself."""
    for form in forms:
        if _holds(signer, certificate, digest, form):
            return Signed(form, digest)
    raise Rejected("as2_integrity_check_failed", "", "the content is not what was signed")


def _holds(signer: Any, certificate: x509.Certificate, digest: str, data: bytes) -> bool:
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        return False
    algorithm, chosen = signer["signature_algorithm"], _HASHES[digest]
    scheme: padding.AsymmetricPadding = padding.PKCS1v15()
    if algorithm["algorithm"].native == "rsassa_pss":
        # Its parameters may be left out, and some leave them out where they are not the defaults.
        scheme = padding.PSS(padding.MGF1(chosen), padding.PSS.AUTO)
    try:
        key.verify(bytes(signer["signature"].native), data, scheme, chosen)
    except InvalidSignature:
        return False
    return True


def sign(content: bytes, key: OwnKey) -> bytes:
    """A detached signature with SHA-256, in DER."""
    builder = PKCS7SignatureBuilder().set_data(content)
    signer = builder.add_signer(key.certificate, key.private, hashes.SHA256())
    return signer.sign(Encoding.DER, [PKCS7Options.DetachedSignature, PKCS7Options.Binary])


def encrypt(content: bytes, certificate: x509.Certificate, cipher: Cipher) -> bytes:
    """Enveloped data for the owner of a certificate, in DER."""
    builder = PKCS7EnvelopeBuilder().set_data(content).add_recipient(certificate)
    builder = builder.set_content_encryption_algorithm(_CIPHERS[cipher])
    return builder.encrypt(Encoding.DER, [PKCS7Options.Binary])


def compress(content: bytes) -> bytes:
    """Compressed data (RFC 3274), in DER."""
    inner = {"content_type": "data", "content": zlib.compress(content)}
    body = {"version": "v0", "compression_algorithm": {"algorithm": "zlib"}}
    data = cms.CompressedData({**body, "encap_content_info": inner})
    return bytes(cms.ContentInfo({"content_type": "compressed_data", "content": data}).dump())


def decompress(der: bytes, most: int, taken: Callable[[int], None] = uncounted) -> bytes:
    """What compressed data holds, at most so many bytes; `taken` is told of them as they come.

    Raises:
        Rejected: ``as2_decompression_failed``.

    """
    with _reading("as2_decompression_failed", "compressed data that cannot be read"):
        content = _load(der)["content"]
        packed = bytes(content["encap_content_info"]["content"].native)
        stream = zlib.decompressobj()
        body = bytearray()
        while packed and not stream.eof:
            more = stream.decompress(packed, min(_STEP, most - len(body) + 1))
            taken(len(more))
            body += more
            packed = stream.unconsumed_tail
            if len(body) > most:
                raise Rejected("as2_decompression_failed", "", f"expected at most {most} bytes")
        if not stream.eof:
            raise Rejected("as2_decompression_failed", "", "compressed data that is cut short")
    return bytes(body)


def decrypt(der: bytes, keys: Sequence[OwnKey]) -> bytes:
    """What enveloped data holds, by whichever of our keys it was made for.

    Raises:
        Rejected: ``as2_decryption_failed``; see `refusals.undecryptable` for what senders are told.

    """
    with _reading("as2_decryption_failed", "it cannot be decrypted with our keys"):
        data = _load(der)["content"]
        secret = _content_key(data["recipient_infos"], keys)
        sealed = data["encrypted_content_info"]
        cipher = sealed["content_encryption_algorithm"]
        if cipher.encryption_mode != "cbc":
            raise ValueError("expected CBC mode")
        content = bytes(sealed["encrypted_content"].native)
        return decrypt_cbc(cipher.encryption_cipher, secret, cipher.encryption_iv, content)


def _content_key(recipients: Any, keys: Sequence[OwnKey]) -> bytes:
    for recipient in list(recipients)[:_MOST_SIGNERS]:
        if recipient.name != "ktri":
            continue
        for key in keys:
            if _is_meant(recipient.chosen["rid"], key.certificate):
                return _unwrap(recipient.chosen, key)
    raise Rejected("as2_decryption_failed", "", "it is not encrypted for a certificate of ours")


def _unwrap(recipient: Any, key: OwnKey) -> bytes:
    algorithm = recipient["key_encryption_algorithm"]
    scheme: padding.AsymmetricPadding = padding.PKCS1v15()
    if algorithm["algorithm"].native == "rsaes_oaep":
        chosen = _HASHES[algorithm["parameters"]["hash_algorithm"]["algorithm"].native]
        masked = algorithm["parameters"]["mask_gen_algorithm"]["parameters"]["algorithm"].native
        scheme = padding.OAEP(padding.MGF1(_HASHES[masked]), chosen, None)
    return key.private.decrypt(bytes(recipient["encrypted_key"].native), scheme)
