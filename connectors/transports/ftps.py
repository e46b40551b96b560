"""FTPS: explicit TLS (RFC 4217) on both connections, passive mode, by ftplib in threads.

Each session has a thread of its own: a server that says nothing holds it until the timeout. In the
loop's own few threads, six such servers stopped everything else that waits for one of them.

What goes wrong: `connectors.transports.remote` lists the codes, and `Session` the contract.
"""

from __future__ import annotations

import asyncio
import ftplib
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TypeVar

from canonical.errors import ConfigError, HubError, Rejected, Retryable
from connectors.reach import Reach
from connectors.transports.names import is_printable, safe_name
from connectors.transports.remote import Entry, Kind, Session, inner

T = TypeVar("T")

_CHUNK = 256 * 1024
_LONGEST_LINE = 1_000
_MOST_LINES = 1_000
_MOST_NAMED = 200
_UNSAID = -1
"""The size of a file whose size a listing does not tell."""
_LOGIN_REFUSED = "530"
_NOT_THERE = "550"


@dataclass(frozen=True, slots=True, repr=False)
class FtpsLogin:
    """Where to connect to, who vouches for it, and who we are; not shown anywhere."""

    host: str
    port: int
    username: str
    password: str
    ca_file: Path | None = None
    timeout_seconds: float = 20.0


class _Client(ftplib.FTP_TLS):
    """ftplib's client with three habits mended."""

    _lines = 0

    def connect_to(self, address: str, host: str, port: int) -> None:
        """Connect to an address; whoever answers must prove to be `host`."""
        self.connect(address, port)
        self.host = host  # what certificates are held to, here and for data connections

    def putcmd(self, line: str) -> None:
        """Count answers anew for each command."""
        self._lines = 0
        super().putcmd(line)

    def getline(self) -> str:
        """Read one line of an answer; an answer has an end."""
        self._lines += 1
        if self._lines > _MOST_LINES:
            raise ftplib.error_proto("an answer without end")  # noqa: S321  # over TLS
        return super().getline()

    def ntransfercmd(
        self, cmd: str, rest: int | str | None = None
    ) -> tuple[socket.socket, int | None]:
        """Open a data connection in the control connection's TLS session, as servers ask for it."""
        connection, size = ftplib.FTP.ntransfercmd(self, cmd, rest)  # noqa: S321  # TLS follows
        if isinstance(self.sock, ssl.SSLSocket):
            session = self.sock.session
            connection = self.context.wrap_socket(
                connection, server_hostname=self.host, session=session
            )
        return connection, size


@asynccontextmanager
async def connected(login: FtpsLogin, reach: Reach) -> AsyncIterator[Session]:
    """Connect and log in.

    Raises:
        ConfigError: ``certificate_refused``, ``login_refused``.
        Retryable: ``connection_failed``, ``address_private``, ``address_unknown``.

    """
    (address, *_) = await reach.addresses(login.host, login.port)
    session = FtpsSession(_Client(timeout=login.timeout_seconds, context=_context(login)))
    try:
        await session.open(login, address)
        yield session
    finally:
        session.abort()


def _context(login: FtpsLogin) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=login.ca_file)
    except (OSError, ssl.SSLError):
        raise ConfigError("certificate_refused", "ca_file", "expected a PEM file") from None


@contextmanager
def _edge(where: str) -> Iterator[None]:
    """Translate the library's errors; our own pass."""
    try:
        yield
    except HubError:
        raise
    except (ftplib.Error, OSError, EOFError, ValueError, AttributeError) as error:
        _translate(where, error)


def _translate(where: str, error: Exception) -> NoReturn:
    if isinstance(error, ssl.SSLCertVerificationError):
        detail = "its certificate does not prove who it is"
        raise ConfigError("certificate_refused", "ca_file", detail) from None
    if isinstance(error, ftplib.error_perm):
        code = str(error)[:3]
        if code == _LOGIN_REFUSED:
            raise ConfigError("login_refused", "username", "the server refuses our login") from None
        if code == _NOT_THERE:
            raise Retryable("file_gone", where, "it is not there, or may not be touched") from None
    if isinstance(error, ftplib.Error):
        raise Retryable("folder_unavailable", where, type(error).__name__) from None
    # AttributeError: ftplib's socket is gone, as after `abort` in another thread.
    raise Retryable("connection_lost", where, type(error).__name__) from None


class FtpsSession:
    """See `connectors.transports.remote.Session`; one step at a time, each in a thread."""

    def __init__(self, client: _Client) -> None:
        self._client = client
        self._thread = ThreadPoolExecutor(1, "ftps")
        self._data: socket.socket | None = None

    async def open(self, login: FtpsLogin, address: str) -> None:
        """Connect, change to TLS, log in, protect the data connections too."""

        def steps() -> None:
            self._client.connect_to(address, login.host, login.port)
            self._client.login(login.username, login.password)  # after AUTH TLS
            self._client.prot_p()
            self._client.voidcmd("TYPE I")

        try:
            await self._do("", steps)
        except Retryable as error:
            raise Retryable("connection_failed", "", error.detail) from None

    def abort(self) -> None:
        """End the connection at once; its thread fails, if it still waits on it, and ends."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        for each in (self._data, self._client.sock):
            if each is not None:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
                with suppress(OSError):
                    each.close()
        with suppress(OSError, AttributeError):
            self._client.close()

    async def _do(self, where: str, step: Callable[[], T]) -> T:
        try:
            with _edge(where):
                return await asyncio.get_running_loop().run_in_executor(self._thread, step)
        except asyncio.CancelledError:
            self.abort()  # the thread must not go on with what nobody waits for
            raise

    @contextmanager
    def _transfer(self, command: str, rest: int = 0) -> Iterator[socket.socket]:
        """Open a data connection for a command, and hear the server's verdict at its end."""
        self._data = self._client.transfercmd(command, rest or None)
        try:
            yield self._data
            if isinstance(self._data, ssl.SSLSocket):
                with suppress(OSError, ssl.SSLError):  # many servers just close
                    self._data.unwrap()
        finally:
            with suppress(OSError):
                self._data.close()
            self._data = None
        self._client.voidresp()

    async def entries(self, folder: str, most: int) -> Sequence[Entry]:
        """List a folder by MLSD (RFC 3659 section 7), or name by name where that is not known."""
        try:
            lines = await self._do("", lambda: self._lines(f"MLSD {folder}", most))
        except Retryable as error:
            if error.code != "folder_unavailable":
                raise
            return await self._named(folder, most)
        found = [entry for line in lines if (entry := _entry(line)) is not None]
        return [entry for entry in found if entry.size != _UNSAID] + await self._sized(
            folder, [entry.name for entry in found if entry.size == _UNSAID]
        )

    async def _sized(self, folder: str, names: Sequence[str]) -> list[Entry]:
        """Look at files whose size the listing left out (RFC 3659 section 7.5: no fact is certain)."""
        found = [await self.stat(folder, name) for name in names[:_MOST_NAMED]]
        return [entry for entry in found if entry is not None]

    async def _named(self, folder: str, most: int) -> list[Entry]:
        """List by NLST and look at each: two questions a file, so only at so many."""
        try:
            lines = await self._do(
                "", lambda: self._lines(f"NLST {folder}", min(most, _MOST_NAMED))
            )
        except Retryable as error:
            if error.code != "file_gone":
                raise
            return []  # so many servers say of a folder without files
        names = {line.rpartition("/")[2] for line in lines} - {"", ".", ".."}
        return await self._sized(folder, sorted(names))

    def _lines(self, command: str, most: int) -> list[str]:
        room = most * _LONGEST_LINE
        content = bytearray()
        full = False
        try:
            with self._transfer(command) as data:
                while chunk := data.recv(_CHUNK):
                    content += chunk
                    full = content.count(b"\n") > most or len(content) > room
                    if full:
                        break
        except ftplib.Error:
            if not full:  # a server whose listing we broke off may say so
                raise
        lines = bytes(content).split(b"\n")[:-1][:most]
        return [line.rstrip(b"\r").decode("utf-8", "surrogateescape") for line in lines]

    async def stat(self, folder: str, name: str) -> Entry | None:
        """Look at one file by SIZE and MDTM; a folder counts as not there."""
        path = inner(folder, name)

        def step() -> Entry | None:
            try:
                size = self._client.size(path)
                stamp = self._client.voidcmd(f"MDTM {path}")[4:]
            except ftplib.error_perm as error:
                if str(error)[:3] == _NOT_THERE:
                    return None
                raise
            return None if size is None else Entry(name, "file", size, _time(stamp))

        return await self._do(safe_name(name), step)

    async def read(self, folder: str, name: str, into: bytearray, most: int) -> None:
        """Read a file from where `into` ends (REST)."""
        path = inner(folder, name)

        def step() -> None:
            with self._transfer(f"RETR {path}", len(into)) as data:
                while len(into) < most and (chunk := data.recv(min(_CHUNK, most - len(into)))):
                    into.extend(chunk)

        await self._do(safe_name(name), step)

    async def write(self, folder: str, name: str, body: bytes, offset: int) -> None:
        """Write a file from `offset` on (REST)."""
        path = inner(folder, name)

        def step() -> None:
            with self._transfer(f"STOR {path}", offset) as data:
                data.sendall(memoryview(body)[offset:])

        await self._do(safe_name(name), step)

    async def rename(self, old: tuple[str, str], new: tuple[str, str]) -> None:
        """Rename (RNFR, RNTO)."""
        source, target = inner(*old), inner(*new)
        try:
            await self._do(safe_name(new[1]), lambda: self._client.rename(source, target))
        except Retryable as error:
            if error.code == "connection_lost":
                raise
            raise Rejected("rename_refused", error.where, error.detail) from None

    async def remove(self, folder: str, name: str) -> None:
        """Delete a file."""
        path = inner(folder, name)
        await self._do(safe_name(name), lambda: self._client.delete(path))

    async def make_folder(self, folder: str) -> None:
        """Make a folder; a server that refuses may have it already."""

        def step() -> None:
            with suppress(ftplib.error_perm):
                self._client.mkd(folder)

        await self._do("", step)


def _entry(line: str) -> Entry | None:
    """Read ``type=file;size=12;modify=20261120120000; name``; None for what is no entry of it."""
    written, space, name = line.partition(" ")
    facts = dict(fact.lower().split("=", 1) for fact in written.split(";") if "=" in fact)
    kind = facts.get("type", "file")
    if not space or name in {"", ".", ".."} or kind in {"cdir", "pdir"}:
        return None
    if kind != "file" or not is_printable(name) or "/" in name:  # refused whatever its size is
        other: Kind = "folder" if kind == "dir" else "file" if kind == "file" else "other"
        return Entry(name, other, 0, 0)
    size = facts.get("size", "")
    said = size.isdecimal() and len(size) <= 18  # noqa: PLR2004  # digits of 2^63
    return Entry(name, "file", int(size) if said else _UNSAID, _time(facts.get("modify", "")))


def _time(stamp: str) -> int:
    """A time as a number that only has to be the same as long as the file is."""
    digits = stamp.strip().partition(".")[0]
    return int(digits) if digits.isdecimal() and len(digits) <= 18 else 0  # noqa: PLR2004
