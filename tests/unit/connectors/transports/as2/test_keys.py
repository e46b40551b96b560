"""Which certificates an agreement can be made with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from canonical.errors import ConfigError
from connectors.transports.as2.keys import read_certificate

NOW = datetime.now(UTC)


def test_a_certificate_of_an_elliptic_curve_is_refused_as_nothing_can_be_encrypted_for_it() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "them")])
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, NOW, NOW + timedelta(days=1))
    pem = made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    with pytest.raises(ConfigError, match="expected an RSA certificate") as refused:
        read_certificate(pem, "site.yaml:9")
    assert (refused.value.code, refused.value.where) == ("certificate_invalid", "site.yaml:9")
