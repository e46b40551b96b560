"""A partner's FTPS server in a thread of the test's process, with its mailbox in a folder."""

from __future__ import annotations

import ipaddress
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from connectors.transports.ftps import FtpsLogin
from hub.settings.transports import FtpsTransport
from tests.support.as2_keys import private

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of its event loop, which the standard library has dropped
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import TLS_DTPHandler, TLS_FTPHandler
    from pyftpdlib.ioloop import IOLoop
    from pyftpdlib.servers import FTPServer

NAME = "ftps.example"
USER, PASSWORD = "crossdock", "open sesame"  # of this server
_FACTS = ("type", "perm", "size", "modify")


@dataclass
class FtpsHouse:
    """A running server."""

    root: Path
    port: int
    ca_file: Path

    def transport(self, **options: Any) -> FtpsTransport:
        """A connection's options for it."""
        base = {
            "kind": "ftps",
            "host": "127.0.0.1",
            "port": self.port,
            "username": USER,
            "password": "env:X",
            "ca_file": self.ca_file,
            "inbox": "/in",
            "outbox": "/out",
            "stable_seconds": 0,
        }
        return FtpsTransport.model_validate({**base, **options})

    def login(self, **changes: Any) -> FtpsLogin:
        """What logs in to it."""
        base = {"password": PASSWORD, "ca_file": self.ca_file, "timeout_seconds": 10}
        host = changes.pop("host", "127.0.0.1")
        return FtpsLogin(host, self.port, USER, **{**base, **changes})


def write_certificate(folder: Path) -> Path:
    """A PEM with a key and a certificate for 127.0.0.1 and for `NAME`."""
    own = private("ftps")
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, own.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(9))
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    builder = builder.add_extension(
        x509.SubjectAlternativeName([address, x509.DNSName(NAME)]), critical=False
    )
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    made = builder.sign(own, hashes.SHA256())
    key = own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = folder / "ftps.pem"
    path.write_bytes(key + made.public_bytes(Encoding.PEM))
    return path


@contextmanager
def ftps_house(
    folder: Path,
    *,
    unknown: tuple[str, ...] = (),
    facts: tuple[str, ...] = _FACTS,
    drips: bool = False,
) -> Iterator[FtpsHouse]:
    """Serve a folder; `in` and `out` are in it; some commands may be unknown to the server.

    Args:
        folder: where the mailbox is made.
        unknown: commands that the server does not know.
        facts: what it says of each file in a listing (RFC 3659 section 7.5).
        drips: whether it sends files and listings a byte at a time.
    """
    root = folder / "mailbox"
    for name in ("in", "out"):
        (root / name).mkdir(parents=True)
    certificate = write_certificate(folder)
    authorizer = DummyAuthorizer()
    authorizer.add_user(USER, PASSWORD, str(root), perm="elradfmwMT")

    class Handler(TLS_FTPHandler):  # type: ignore[misc]  # untyped
        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            self._current_facts = list(facts)

    if drips:
        Handler.dtp_handler = type("Drips", (TLS_DTPHandler,), {"ac_out_buffer_size": 1})
        Handler.use_sendfile = False
    Handler.authorizer = authorizer
    known = Handler.proto_cmds.items()
    Handler.proto_cmds = {name: of for name, of in known if name not in unknown}
    Handler.certfile = str(certificate)
    Handler.tls_control_required = Handler.tls_data_required = True
    loop = IOLoop()
    server = FTPServer(("127.0.0.1", 0), Handler, ioloop=loop)
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            server.serve_forever(timeout=0.02, blocking=False, handle_exit=False)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield FtpsHouse(root, server.socket.getsockname()[1], certificate)
    finally:
        stop.set()
        thread.join()
        server.close_all()
        loop.close()
