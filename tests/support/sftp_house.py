"""A partner's SFTP server in the test's own process, with its mailbox in a temporary folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import asyncssh

from connectors.transports.sftp import SftpLogin
from hub.settings.transports import SftpTransport

USER, PASSWORD = "crossdock", "open sesame"  # of this server


@cache
def ssh_key(name: str) -> asyncssh.SSHKey:
    """A key of this name."""
    del name
    return asyncssh.generate_private_key("ssh-ed25519")


@dataclass
class Behaviour:
    """What the server does besides what is right."""

    posix_rename: bool = True
    drop_after: int | None = None
    """Bytes, read or written in all, after which the connection is cut once."""
    drop_at_rename: bool = False
    """Renames, and cuts the connection before the answer."""
    logins: list[str] = field(default_factory=list)


class _Server(asyncssh.SSHServer):
    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour

    def begin_auth(self, username: str) -> bool:
        self._behaviour.logins.append(username)
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == (USER, PASSWORD)

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == USER and key == ssh_key("ours").convert_to_public()


class _Files(asyncssh.SFTPServer):
    def __init__(
        self, chan: asyncssh.SSHServerChannel[bytes], behaviour: Behaviour, root: Path
    ) -> None:
        super().__init__(chan, chroot=str(root).encode())
        self._chan = chan
        self._behaviour = behaviour

    def _count(self, size: int) -> None:
        left = self._behaviour.drop_after
        if left is None:
            return
        self._behaviour.drop_after = left - size if left >= size else None
        if left < size:
            self._chan.get_connection().abort()
            raise asyncssh.SFTPConnectionLost("cut")

    def read(self, file_obj: Any, offset: int, size: int) -> Any:
        self._count(size)
        return super().read(file_obj, offset, size)

    def write(self, file_obj: Any, offset: int, data: bytes) -> Any:
        self._count(len(data))
        return super().write(file_obj, offset, data)

    def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        if not self._behaviour.posix_rename:
            raise asyncssh.SFTPOpUnsupported("no such extension")
        super().posix_rename(oldpath, newpath)
        if self._behaviour.drop_at_rename:
            self._behaviour.drop_at_rename = False
            self._chan.get_connection().abort()


@dataclass
class SftpHouse:
    """A running server."""

    root: Path
    port: int
    behaviour: Behaviour

    @property
    def fingerprint(self) -> str:
        """Of its host key."""
        return ssh_key("house").get_fingerprint()

    def transport(self, **options: Any) -> SftpTransport:
        """A connection's options for it."""
        base = {
            "kind": "sftp",
            "host": "127.0.0.1",
            "port": self.port,
            "username": USER,
            "password": "env:X",
            "host_fingerprints": (self.fingerprint,),
            "inbox": "/in",
            "outbox": "/out",
            "stable_seconds": 0,
        }
        return SftpTransport.model_validate({**base, **options})

    def login(self, **changes: Any) -> SftpLogin:
        """What logs in to it."""
        base = {"fingerprints": (self.fingerprint,), "password": PASSWORD, "timeout_seconds": 10}
        return SftpLogin("127.0.0.1", self.port, USER, **{**base, **changes})


@asynccontextmanager
async def sftp_house(root: Path) -> AsyncIterator[SftpHouse]:
    """Serve a folder; `in` and `out` are in it."""
    behaviour = Behaviour()
    for name in ("in", "out"):
        (root / name).mkdir()
    server = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_host_keys=[ssh_key("house")],
        server_factory=lambda: _Server(behaviour),
        sftp_factory=lambda chan: _Files(chan, behaviour, root),
        allow_scp=False,
    )
    try:
        yield SftpHouse(root, server.get_port(), behaviour)
    finally:
        server.close()
        await server.wait_closed()
