"""Keys and certificates of an agreement, and which of several is used when.

Roll-over: whoever changes a certificate lists the new one beside the old. A signature is believed
from any partner certificate that is valid now; messages can be read with any key of ours; we write
with the first that is valid now. So the order says who is next, and no moment has to be agreed.

Codes, all `ConfigError`: ``certificate_invalid``, ``key_invalid`` (no PEM with a private key and its
certificate), ``certificate_expired`` (none of the list is valid now), ``certificate_unreadable`` (the
file cannot be read, or is larger than 64 kB).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from canonical.errors import ConfigError

_MOST_BYTES = 65_536
_SHORTEST_RSA = 2048  # bits; NIST SP 800-131A disallows shorter ones for signing


@dataclass(frozen=True, slots=True)
class OwnKey:
    """A private key of ours and its certificate."""

    private: RSAPrivateKey
    certificate: x509.Certificate


def read_certificate(pem_or_der: bytes, where: str) -> x509.Certificate:
    """A partner's certificate, in PEM or DER.

    Raises:
        ConfigError: ``certificate_invalid``.

    """
    try:
        if b"-----BEGIN" in pem_or_der:
            found = x509.load_pem_x509_certificate(pem_or_der)
        else:
            found = x509.load_der_x509_certificate(pem_or_der)
        key = found.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ConfigError("certificate_invalid", where, "expected one certificate") from None
    if not isinstance(key, RSAPublicKey):
        raise ConfigError("certificate_invalid", where, "expected an RSA certificate")
    return found


def certificate_at(path: Path, where: str) -> x509.Certificate:
    """Read a partner's certificate file.

    Raises:
        ConfigError: ``certificate_unreadable``, ``certificate_invalid``.

    """
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError:
        raise ConfigError("certificate_unreadable", where, "expected a file to read") from None
    if len(content) > _MOST_BYTES:
        raise ConfigError("certificate_unreadable", where, "expected at most 64 kB")
    return read_certificate(content, where)


def read_own_key(pem: bytes, where: str) -> OwnKey:
    """A key of ours: one PEM with the private key and its certificate.

    Raises:
        ConfigError: ``key_invalid``.

    """
    try:
        private = load_pem_private_key(pem, password=None)
        certificates = x509.load_pem_x509_certificates(pem)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        detail = "expected a PEM with a private key and its certificate"
        raise ConfigError("key_invalid", where, detail) from None
    if not isinstance(private, RSAPrivateKey) or private.key_size < _SHORTEST_RSA:
        raise ConfigError("key_invalid", where, f"expected RSA of {_SHORTEST_RSA} bits or more")
    ours = _public(private.public_key())
    for certificate in certificates:
        public = certificate.public_key()
        if isinstance(public, RSAPublicKey) and _public(public) == ours:
            return OwnKey(private, certificate)
    raise ConfigError("key_invalid", where, "no certificate in it belongs to the private key")


def is_valid(certificate: x509.Certificate, now: datetime) -> bool:
    """Whether a certificate is valid at a moment."""
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc


def signing_key(keys: Sequence[OwnKey], now: datetime) -> OwnKey:
    """The first of our keys that is valid now.

    Raises:
        ConfigError: ``certificate_expired``.

    """
    for key in keys:
        if is_valid(key.certificate, now):
            return key
    raise ConfigError("certificate_expired", "our_keys", "none of the list is valid now")


def recipient(certificates: Sequence[x509.Certificate], now: datetime) -> x509.Certificate:
    """The first of the partner's certificates that is valid now.

    Raises:
        ConfigError: ``certificate_expired``.

    """
    for certificate in certificates:
        if is_valid(certificate, now):
            return certificate
    raise ConfigError(
        "certificate_expired", "partner_certificates", "none of the list is valid now"
    )


def _public(key: RSAPublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
