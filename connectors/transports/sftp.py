"""SFTP by asyncssh: a server is believed by its host key alone, before a password leaves us.

What goes wrong: `connectors.transports.remote` lists the codes, and `Session` the contract.
"""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import NoReturn, cast

import asyncssh
from asyncssh import SFTPAttrs, SFTPClient

from canonical.errors import ConfigError, HubError, Rejected, Retryable
from connectors.reach import Reach
from connectors.transports.names import safe_name
from connectors.transports.remote import Entry, Kind, Session, inner

_CHUNK = 256 * 1024
_LOST = (
    asyncssh.SFTPConnectionLost,
    asyncssh.SFTPNoConnection,
    asyncssh.ChannelOpenError,
    asyncssh.DisconnectError,
    OSError,
    TimeoutError,
)


@dataclass(frozen=True, slots=True, repr=False)
class SftpLogin:
    """Where to connect to, who it must be, and who we are; not shown anywhere."""

    host: str
    port: int
    username: str
    fingerprints: tuple[str, ...]
    password: str | None = None
    private_key: str | None = None
    timeout_seconds: float = 20.0


class _Pinned(asyncssh.SSHClient):
    """Believes the host keys of the configuration and no other."""

    def __init__(self, fingerprints: tuple[str, ...]) -> None:
        self._fingerprints = fingerprints

    def validate_host_public_key(
        self,
        host: str,  # noqa: ARG002  # asyncssh's interface
        addr: str,  # noqa: ARG002
        port: int,  # noqa: ARG002
        key: asyncssh.SSHKey,
    ) -> bool:
        """Compare the key with the pinned ones."""
        return key.get_fingerprint() in self._fingerprints


def read_key(text: str, where: str) -> asyncssh.SSHKey:
    """Read a private key, in OpenSSH's format or PEM.

    Raises:
        ConfigError: ``key_invalid``.

    """
    try:
        return asyncssh.import_private_key(text)
    except (asyncssh.KeyImportError, ValueError):
        raise ConfigError("key_invalid", where, "expected a private key") from None


@asynccontextmanager
async def connected(login: SftpLogin, reach: Reach) -> AsyncIterator[Session]:
    """Connect and log in.

    Raises:
        ConfigError: ``host_key_changed``, ``login_refused``, ``key_invalid``.
        Retryable: ``connection_failed``, ``address_private``, ``address_unknown``.

    """
    (address, *_) = await reach.addresses(login.host, login.port)
    connection = await _connect(login, address)
    try:
        with _edge(""):
            async with asyncio.timeout(login.timeout_seconds):
                client = await connection.start_sftp_client(path_errors="surrogateescape")
        yield SftpSession(client, login.timeout_seconds)
    finally:
        connection.abort()
        with suppress(Exception):  # whatever it says, it is over
            async with asyncio.timeout(1.0):
                await connection.wait_closed()


async def _connect(login: SftpLogin, address: str) -> asyncssh.SSHClientConnection:
    keys = [read_key(login.private_key, "private_key")] if login.private_key else None
    try:
        async with asyncio.timeout(login.timeout_seconds):
            return await asyncssh.connect(
                address,  # who is there, its host key alone tells
                login.port,
                username=login.username,
                password=login.password,
                client_keys=keys,
                client_factory=lambda: _Pinned(login.fingerprints),
                known_hosts=([], [], []),  # no file of this machine's user counts
                config=None,
                agent_path=None,
                x509_trusted_certs=None,
                keepalive_interval=login.timeout_seconds,
            )
    except asyncssh.HostKeyNotVerifiable:
        detail = "the server shows another host key than the configuration names"
        raise ConfigError("host_key_changed", "host_fingerprints", detail) from None
    except asyncssh.PermissionDenied:
        raise ConfigError("login_refused", "username", "the server refuses our login") from None
    except (asyncssh.Error, OSError, TimeoutError) as error:
        raise Retryable("connection_failed", "", type(error).__name__) from None


@contextmanager
def _edge(where: str) -> Iterator[None]:
    """Translate asyncssh's errors; our own pass."""
    try:
        yield
    except HubError:
        raise
    except (asyncssh.Error, OSError) as error:
        _translate(where, error)


def _translate(where: str, error: Exception) -> NoReturn:
    if isinstance(error, asyncssh.SFTPNoSuchFile | asyncssh.SFTPNoSuchPath):
        raise Retryable("file_gone", where, "it is not there") from None
    if isinstance(error, asyncssh.SFTPPermissionDenied):
        raise Retryable("file_unreadable", where, "no permission") from None
    if isinstance(error, _LOST):
        raise Retryable("connection_lost", where, type(error).__name__) from None
    raise Retryable("folder_unavailable", where, type(error).__name__) from None


class SftpSession:
    """See `connectors.transports.remote.Session`."""

    def __init__(self, client: SFTPClient, timeout_seconds: float) -> None:
        self._client = client
        self._timeout = timeout_seconds

    async def entries(self, folder: str, most: int) -> Sequence[Entry]:
        """List a folder; the server sends pages, and no more are asked for than needed."""
        found: list[Entry] = []
        with _edge(""):
            pages = self._client.scandir(folder)
            while len(found) < most:
                async with asyncio.timeout(self._timeout):
                    page = await anext(pages, None)
                if page is None:
                    break
                name = str(page.filename)
                if name not in {".", ".."}:
                    found.append(_entry(name, page.attrs))
        return found

    async def stat(self, folder: str, name: str) -> Entry | None:
        """Look at one entry, not at what it links to."""
        try:
            with _edge(safe_name(name)):
                async with asyncio.timeout(self._timeout):
                    return _entry(name, await self._client.lstat(inner(folder, name)))
        except Retryable as error:
            if error.code == "file_gone":
                return None
            raise

    async def read(self, folder: str, name: str, into: bytearray, most: int) -> None:
        """Read a file from where `into` ends."""
        with _edge(safe_name(name)):
            async with self._client.open(inner(folder, name), "rb") as file:
                while len(into) < most:
                    size = min(_CHUNK, most - len(into))
                    async with asyncio.timeout(self._timeout):
                        chunk = await file.read(size, len(into))
                    if not chunk:
                        return
                    into += cast("bytes", chunk)  # a file opened as binary

    async def write(self, folder: str, name: str, body: bytes, offset: int) -> None:
        """Write a file from `offset` on, in order, so that what is there is a beginning of it."""
        flags = asyncssh.FXF_WRITE | asyncssh.FXF_CREAT
        if offset == 0:
            flags |= asyncssh.FXF_TRUNC
        with _edge(safe_name(name)):
            async with self._client.open(inner(folder, name), flags, encoding=None) as file:
                for start in range(offset, len(body), _CHUNK):
                    async with asyncio.timeout(self._timeout):
                        await file.write(body[start : start + _CHUNK], start)
                with suppress(asyncssh.SFTPOpUnsupported):
                    async with asyncio.timeout(self._timeout):
                        await file.fsync()

    async def rename(self, old: tuple[str, str], new: tuple[str, str]) -> None:
        """Rename, by posix-rename where the server knows it."""
        source, target = inner(*old), inner(*new)
        try:
            async with asyncio.timeout(self._timeout):
                try:
                    await self._client.posix_rename(source, target)
                except asyncssh.SFTPOpUnsupported:
                    await self._client.rename(source, target)
        except _LOST as error:
            raise Retryable("connection_lost", safe_name(new[1]), type(error).__name__) from None
        except asyncssh.Error as error:
            detail = type(error).__name__
            raise Rejected("rename_refused", safe_name(new[1]), detail) from None

    async def remove(self, folder: str, name: str) -> None:
        """Delete a file."""
        with _edge(safe_name(name)):
            async with asyncio.timeout(self._timeout):
                await self._client.remove(inner(folder, name))

    async def make_folder(self, folder: str) -> None:
        """Make a folder, unless it is there."""
        with _edge(""):
            async with asyncio.timeout(self._timeout):
                if not await self._client.isdir(folder):
                    await self._client.mkdir(folder)


def _entry(name: str, attrs: SFTPAttrs) -> Entry:
    return Entry(name, _kind(attrs), int(attrs.size or 0), int(attrs.mtime or 0))


def _kind(attrs: SFTPAttrs) -> Kind:
    if attrs.permissions is not None and stat.S_IFMT(attrs.permissions):
        if stat.S_ISREG(attrs.permissions):
            return "file"
        return "folder" if stat.S_ISDIR(attrs.permissions) else "other"
    kinds: dict[int, Kind] = {
        asyncssh.FILEXFER_TYPE_REGULAR: "file",
        asyncssh.FILEXFER_TYPE_DIRECTORY: "folder",
        asyncssh.FILEXFER_TYPE_UNKNOWN: "file",  # a server that does not say: reading will tell
    }
    return kinds.get(attrs.type, "other")
