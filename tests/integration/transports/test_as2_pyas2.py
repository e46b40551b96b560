"""AS2 with another implementation, both ways: messages of all kinds, and the receipts for them."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates

from connectors.transports.as2.message import (
    Agreement,
    Wrapping,
    as2_headers,
    read_message,
    write_message,
)
from connectors.transports.as2.names import read_envelope
from connectors.transports.as2.receipts import outcome_of, read_receipt, write_receipt
from tests.support.as2_house import ASKS
from tests.support.as2_keys import NOW, certificate_pem, key

PEER = Path(__file__).parents[2] / "support" / "pyas2_peer.py"
OURS = Agreement(
    "US",
    "THEM",
    (key("US"),),
    (key("THEM").certificate,),
    require_signed=False,
    require_encrypted=False,
)
PAYLOAD = b"ISA*00*          ~\r\nGS*PO*~\r\n" * 30
INSTALL_SECONDS = 60


class Talk:
    """The other process, a line at a time."""

    def __init__(self, process: subprocess.Popen[str], settings: Mapping[str, str]) -> None:
        self.process = process
        self._tell(settings)

    def ask(self, **asked: Any) -> dict[str, Any]:
        self._tell(asked)
        line = _pipe(self.process.stdout).readline()
        assert line, _pipe(self.process.stderr).read()[-2000:]
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _tell(self, asked: Mapping[str, Any]) -> None:
        pipe = _pipe(self.process.stdin)
        pipe.write(json.dumps(asked) + "\n")
        pipe.flush()


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A Python of its own, in a temporary folder, that has the other implementation."""
    folder = tmp_path_factory.mktemp("pyas2")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, capture_output=True)
    program = str(folder / "bin" / "python")
    command = [
        program,
        "-m",
        "pip",
        "install",
        "-q",
        "--disable-pip-version-check",
        "--retries=0",
        "--timeout=10",
        "pyas2lib==1.4.4",
    ]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=INSTALL_SECONDS)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        pytest.skip("pyas2lib cannot be installed here: no package index answers in time")
    return program


@pytest.fixture
def them(python: str) -> Iterator[Talk]:
    theirs = key("THEM")
    sealed = BestAvailableEncryption(b"secret")
    bundle = serialize_key_and_certificates(
        b"them", theirs.private, theirs.certificate, None, sealed
    )
    settings = {
        "key": b64(bundle),
        "password": "secret",
        "certificate": b64(certificate_pem(key("US"))),
    }
    command = [python, str(PEER)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        yield Talk(process, settings)
        _pipe(process.stdin).close()
        process.wait(10)


KINDS: list[dict[str, Any]] = [
    {},
    {"sign": True, "digest_alg": "sha256"},
    {"sign": True, "digest_alg": "sha1"},
    {"sign": True, "encrypt": True, "enc_alg": "aes_256_cbc"},
    {"sign": True, "encrypt": True, "enc_alg": "aes_128_cbc", "compress": True},
    {"sign": True, "encrypt": True, "enc_alg": "tripledes_192_cbc"},
    {"encrypt": True, "enc_alg": "aes_256_cbc", "key_enc_alg": "rsaes_oaep"},
    {"compress": True},
    {"sign": True, "sign_alg": "rsassa_pss"},
]


def test_what_they_write_we_read_and_they_believe_our_receipts(them: Talk) -> None:
    for options in KINDS:
        asked = {"mdn_mode": "SYNC", "mdn_digest_alg": "sha256", **options}
        made = them.ask(do="write", payload=b64(PAYLOAD), options=asked)
        headers = {name.lower(): value for name, value in made["headers"].items()}
        found = read_message(headers, base64.b64decode(made["body"]), OURS, NOW)
        assert found.payload == PAYLOAD, options
        assert (found.signed, found.encrypted, found.compressed) == tuple(
            options.get(name, False) for name in ("sign", "encrypt", "compress")
        )
        envelope = read_envelope(headers)
        written = write_receipt(
            envelope, outcome_of(envelope, found.covered, found.digest), OURS, NOW
        )
        confirmed = them.ask(do="confirm", raw=b64(raw(written.headers, written.body)))
        assert confirmed["status"] == "processed", (options, confirmed)


def raw(headers: Mapping[str, str], body: bytes) -> bytes:
    """An HTTP message without its first line."""
    return "".join(f"{n}: {v}\r\n" for n, v in headers.items()).encode() + b"\r\n" + body


WRAPPINGS = [
    Wrapping(),
    Wrapping(compress=True),
    Wrapping(cipher=None),
    Wrapping(cipher="aes128"),
    Wrapping(sign=False),
    Wrapping(sign=False, cipher=None),
    Wrapping(sign=False, cipher=None, compress=True),
]


def test_what_we_write_they_read_and_we_believe_their_receipts(them: Talk) -> None:
    for number, wrapping in enumerate(WRAPPINGS):
        made = write_message(PAYLOAD, "order.x12", wrapping, OURS, NOW)
        headers = {**as2_headers(OURS, f"m-{number}@us", NOW), **made.headers, **ASKS}
        answer = them.ask(do="read", raw=b64(raw(headers, made.body)))
        assert (answer["status"], answer["problem"]) == ("processed", ""), wrapping
        assert base64.b64decode(answer["payload"]) == PAYLOAD
        given = {name.lower(): value for name, value in answer["headers"].items()}
        body = base64.b64decode(answer["body"])
        receipt = read_receipt(given, body, OURS, (True, NOW))
        assert receipt.is_positive
        # For a message without a signature this implementation computes no MIC.
        assert receipt.mic == (made.mic if wrapping.sign else None), wrapping
