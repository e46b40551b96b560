"""Block ciphers that messages come in: AES, and Triple DES of partners who have nothing newer."""

from __future__ import annotations

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm, Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.padding import PKCS7

_CIPHERS: dict[str, type[AES | TripleDES]] = {"aes": AES, "tripledes": TripleDES}


def decrypt_cbc(name: str, key: bytes, iv: bytes, sealed: bytes) -> bytes:
    """Decrypt in CBC mode and take the padding off (RFC 5652 section 6.3).

    Args:
        name: ``aes`` or ``tripledes``.
        key: the content-encryption key.
        iv: the initialisation vector.
        sealed: the encrypted content.

    Raises:
        KeyError: a cipher that we do not read.
        ValueError: a key, vector or content that is none for it.

    """
    algorithm: BlockCipherAlgorithm = _CIPHERS[name](key)
    opened = Cipher(algorithm, modes.CBC(iv)).decryptor()
    padded = opened.update(sealed) + opened.finalize()
    unpadder = PKCS7(algorithm.block_size).unpadder()
    return unpadder.update(padded) + unpadder.finalize()
