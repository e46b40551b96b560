"""Mailboxes on other people's servers: what SFTP and FTPS have in common.

A server is not trusted: names that it lists never become paths, listings and files are read under
caps, and everything has a deadline. Nothing is overwritten, and what we leave is renamed into place
once it is whole.

Codes; `where` is a file's name, made safe, or the folder's option:

==========================  =============  ====================================================
``host_key_changed``        `ConfigError`  not a host key of the configuration: nothing was sent
``certificate_refused``     `ConfigError`  its TLS certificate does not prove who it is
``login_refused``           `ConfigError`  it does not take our password or key
``connection_failed``       `Retryable`    could not connect
``address_private``         `Retryable`    its name leads to no public address: `connectors.reach`
``address_unknown``         `Retryable`    its name does not resolve
``connection_lost``         `Retryable`    the connection ended, or nothing came for too long
``folder_unavailable``      `Retryable`    it cannot be listed, or the server answers otherwise
``file_gone``               `Retryable`    somebody else has taken it
``file_unreadable``         `Retryable`    no permission
``file_changed``            `Retryable`    it changed while it was read
``not_a_regular_file``      `Rejected`     a link or special file
``name_unsafe``             `Rejected`     a path, a control character, or bytes that are not UTF-8
``file_empty``              `Rejected`     0 bytes
``file_too_large``          `Rejected`     more than `max_bytes`
==========================  =============  ====================================================
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal, Protocol

from canonical.errors import Rejected, Retryable
from connectors.transports.folder import Identity, Scan, Seen, Watch
from connectors.transports.names import is_ignored, is_printable, require_entry, safe_name

Kind = Literal["file", "folder", "other"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a remote folder."""

    name: str
    kind: Kind
    size: int
    mtime: int
    """Seconds, on the server's clock; 0 where it does not say."""

    @property
    def identity(self) -> Identity:
        """What tells one state of the file from another."""
        return Identity(self.size, self.mtime, 0)


class Session(Protocol):
    """A connection to a server, logged in. Paths are those of the server."""

    async def entries(self, folder: str, most: int) -> Sequence[Entry]:
        """List a folder, at most so many entries, whichever come first."""
        ...

    async def stat(self, folder: str, name: str) -> Entry | None:
        """Look at one entry; None: it is not there."""
        ...

    async def read(self, folder: str, name: str, into: bytearray, most: int) -> None:
        """Read a file from where `into` ends, up to `most` bytes in all.

        What has arrived is in `into`, even where the connection is lost meanwhile.
        """
        ...

    async def write(self, folder: str, name: str, body: bytes, offset: int) -> None:
        """Write a file from `offset` on; 0 makes it anew."""
        ...

    async def rename(self, old: tuple[str, str], new: tuple[str, str]) -> None:
        """Rename (folder, name) to (folder, name).

        Raises:
            Rejected: ``rename_refused``: the server said no; nothing took effect.
            Retryable: ``connection_lost``: it may have taken effect.

        """
        ...

    async def remove(self, folder: str, name: str) -> None:
        """Delete a file."""
        ...

    async def make_folder(self, folder: str) -> None:
        """Make a folder, unless it is there."""
        ...


Opener = Callable[[], AbstractAsyncContextManager[Session]]
"""Connects and logs in; the session ends with the context."""


def inner(folder: str, name: str) -> str:
    """The path of an entry, which must be the name of one."""
    return f"{folder.rstrip('/')}/{require_entry(name)}"


def sift(
    entries: Sequence[Entry],
    watch: Watch,
    max_bytes: int,
    now: float,
    previous: Mapping[str, Seen],
) -> Scan:
    """Tell which of a folder's entries are ready, as `connectors.transports.folder.scan` does.

    Args:
        entries: what the server lists.
        watch: which files count.
        max_bytes: largest file that is taken in.
        now: seconds on any clock that only rises.
        previous: `Scan.seen` of the look before.

    """
    seen: dict[str, Seen] = {}
    ready: list[tuple[int, str]] = []
    refusals: list[tuple[str, Rejected]] = []
    for entry in entries:
        if entry.kind == "folder" or is_ignored(entry.name):
            continue
        if not fnmatchcase(entry.name, watch.pattern):
            continue
        before = previous.get(entry.name)
        same = before is not None and before.identity == entry.identity
        since = before.since if before is not None and same else now
        stands = now - since >= watch.stable_seconds
        refusal = _refusal(entry, max_bytes, stands=stands)
        was_refused = before is not None and same and before.refused
        seen[entry.name] = Seen(entry.identity, since, refused=refusal is not None)
        if refusal is None and stands:
            ready.append((entry.mtime, entry.name))
        elif refusal is not None and not was_refused:
            refusals.append((entry.name, refusal))
    oldest = sorted(ready)[: watch.limit]
    return Scan(tuple(name for _, name in oldest), tuple(refusals), seen)


def _refusal(entry: Entry, max_bytes: int, *, stands: bool) -> Rejected | None:
    where = safe_name(entry.name)
    if entry.kind != "file":
        return Rejected("not_a_regular_file", where, "expected a regular file")
    if not is_printable(entry.name) or "/" in entry.name or "\\" in entry.name:
        return Rejected("name_unsafe", where, "expected a printable name in UTF-8")
    if entry.size > max_bytes:
        return Rejected("file_too_large", where, f"expected at most {max_bytes} bytes")
    if entry.size == 0 and stands:  # until then its sender may only have begun
        return Rejected("file_empty", where, "expected at least one byte")
    return None


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file as it was read."""

    name: str
    identity: Identity
    """As the listing had it."""
    after: Identity
    """As a look at it had it, once it was read."""
    body: bytes
    sha256: str

    @property
    def delivery_id(self) -> str:
        """The sender's transport identity: the same file dropped again has the same id."""
        return f"{safe_name(self.name)}:{self.identity.size}:{self.sha256}"

    def acceptance_id(self, connection: str) -> str:
        """This very file there: the same after a crash, another one when dropped again later."""
        facts = ("remote", connection, self.name, self.identity.mtime_ns, self.sha256)
        text = "\0".join(str(fact) for fact in facts)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(slots=True)
class Download:
    """A file on its way; a connection that is lost leaves what has arrived."""

    name: str
    identity: Identity
    arrived: bytearray

    async def go_on(self, session: Session, folder: str) -> RemoteFile:
        """Read the rest of the file.

        Raises:
            Retryable: ``file_changed``, ``file_gone``, ``connection_lost`` ...

        """
        size, where = self.identity.size, safe_name(self.name)
        await session.read(folder, self.name, self.arrived, size + 1)
        after = await session.stat(folder, self.name)
        if after is None:
            raise Retryable("file_gone", where, "it is no longer there")
        times = {self.identity.mtime_ns, after.mtime} - {0}  # a server need not say any
        if len(self.arrived) != size or after.size != size or len(times) > 1:
            self.arrived.clear()
            raise Retryable("file_changed", where, "it changed while it was read")
        body = bytes(self.arrived)
        sha256 = hashlib.sha256(body).hexdigest()
        return RemoteFile(self.name, self.identity, after.identity, body, sha256)


def fresh(download: Download | None, name: str, identity: Identity) -> Download:
    """The download to go on with: the one that was interrupted, if it is of this very file."""
    if download is not None and download.name == name and download.identity == identity:
        return download
    return Download(name, identity, bytearray())


def marked(name: str, identity: Identity, sha256: str) -> str:
    """A name that tells a file from others of its name."""
    stem, dot, suffix = name.rpartition(".")
    stem, dot, suffix = (stem, dot, suffix) if stem else (name, "", "")
    return f"{stem}~{identity.mtime_ns:x}-{sha256[:8]}{dot}{suffix}"
