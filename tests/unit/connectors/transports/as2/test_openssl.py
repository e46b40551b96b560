"""AS2 against another hand's work: what the openssl program writes we read, and the other way."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.transports.as2 import cms
from connectors.transports.as2.message import Agreement, Wrapping, read_message, write_message
from tests.support.as2_keys import NOW, certificate_pem, key, key_pem

US, THEM = key("us"), key("them")
OPEN = Agreement(
    "THEM", "US", (THEM,), (US.certificate,), require_signed=False, require_encrypted=False
)
LEAF = b"Content-Type: application/edi-x12\r\n\r\nISA*00*~\r\nIEA*1~\r\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl program here")
    for name, found in (("us", US), ("them", THEM)):
        (tmp_path / f"{name}.crt").write_bytes(certificate_pem(found))
        (tmp_path / f"{name}.pem").write_bytes(key_pem(found))
    (tmp_path / "leaf").write_bytes(LEAF)
    return tmp_path


def openssl(folder: Path, *arguments: str) -> bytes:
    command = ["openssl", "cms", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True).stdout


@pytest.mark.parametrize("stream", [(), ("-stream",)], ids=["der", "ber"])
@pytest.mark.parametrize("cipher", ["-aes128", "-aes192", "-aes256", "-des3"])
def test_what_openssl_encrypts_is_decrypted(
    folder: Path, cipher: str, stream: tuple[str, ...]
) -> None:
    command = ("-encrypt", "-binary", cipher, "-in", "leaf", "-outform", "DER", *stream)
    der = openssl(folder, *command, "them.crt")
    assert cms.decrypt(der, [THEM]) == LEAF


def test_a_key_wrapped_with_oaep_or_named_by_its_key_id_is_unwrapped(folder: Path) -> None:
    command = ("-encrypt", "-binary", "-aes256", "-in", "leaf", "-outform", "DER", "-keyid")
    der = openssl(folder, *command, "-recip", "them.crt", "-keyopt", "rsa_padding_mode:oaep")
    assert cms.decrypt(der, [THEM]) == LEAF


@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha384", "sha512"])
@pytest.mark.parametrize("more", [(), ("-noattr",), ("-keyid",), ("-nodetach", "-stream")])
def test_what_openssl_signs_is_verified(folder: Path, digest: str, more: tuple[str, ...]) -> None:
    command = ("-sign", "-binary", "-md", digest, "-in", "leaf", "-outform", "DER", *more)
    der = openssl(folder, *command, "-signer", "us.pem")
    content = cms.content_of(der) if "-nodetach" in more else LEAF
    assert cms.verify(der, [content], [US.certificate], NOW) == cms.Signed(LEAF, digest)


def test_a_signature_with_pss_is_verified(folder: Path) -> None:
    command = ("-sign", "-binary", "-md", "sha256", "-in", "leaf", "-outform", "DER")
    der = openssl(folder, *command, "-signer", "us.pem", "-keyopt", "rsa_padding_mode:pss")
    assert cms.verify(der, [LEAF], [US.certificate], NOW).digest == "sha256"


def test_an_smime_message_of_openssl_is_read_whole(folder: Path) -> None:
    text = openssl(folder, "-sign", "-binary", "-md", "sha1", "-in", "leaf", "-signer", "us.pem")
    head, _, body = text.partition(b"\n\n")
    content_type = head.decode().split("Content-Type: ")[1].replace("\n", " ")
    found = read_message({"content-type": content_type}, body, OPEN, NOW)
    assert (found.payload, found.digest) == (b"ISA*00*~\r\nIEA*1~\r\n", "sha1")


def test_openssl_reads_what_we_encrypt_and_sign(folder: Path) -> None:
    agreement = replace(
        OPEN, us="US", partner="THEM", our_keys=(US,), certificates=(THEM.certificate,)
    )
    made = write_message(b"ISA*00*~", "order.x12", Wrapping(), agreement, NOW)
    (folder / "sealed").write_bytes(made.body)
    opened = openssl(
        folder, "-decrypt", "-binary", "-inform", "DER", "-in", "sealed", "-recip", "them.pem"
    )
    (folder / "signed").write_bytes(opened)
    text = openssl(folder, "-verify", "-in", "signed", "-noverify", "-certfile", "us.crt")
    assert text.endswith(b"\r\n\r\nISA*00*~")
