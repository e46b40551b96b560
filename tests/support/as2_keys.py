"""Keys and certificates for AS2 tests, made once a session: an RSA key takes its time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from connectors.transports.as2.keys import OwnKey

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
_LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
_LONG = timedelta(days=20_000)


@cache
def private(name: str) -> rsa.RSAPrivateKey:
    """A private key of this name."""
    del name
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def key(name: str, begins: datetime = _LONG_AGO, ends: datetime = _LONG_AGO + _LONG) -> OwnKey:
    """A key and a self-signed certificate, valid between two moments."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    own = private(name)
    builder = x509.CertificateBuilder(subject, subject, own.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(begins).not_valid_after(ends)
    builder = builder.add_extension(
        x509.SubjectKeyIdentifier.from_public_key(own.public_key()), critical=False
    )
    return OwnKey(own, builder.sign(own, hashes.SHA256()))


def certificate_pem(of: OwnKey) -> bytes:
    """The certificate in PEM."""
    return of.certificate.public_bytes(Encoding.PEM)


def key_pem(of: OwnKey) -> bytes:
    """The private key and its certificate in one PEM."""
    written = of.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return written + certificate_pem(of)
