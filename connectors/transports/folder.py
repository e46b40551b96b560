"""A folder as a transport: files are taken in once they stand still, and moved once they are safe.

A partner who can write into the inbox is not trusted: names never become paths, symbolic links are
never followed, special files are never opened for longer than it takes to see what they are, and
whatever is read is read under a cap. All functions work on an open folder (`opened`), relative to
its file descriptor, so that nobody can swap the folder underneath. They block: call them in a thread.

How a file goes through: `scan` until it is ready, `read_file`, store the receipt durably, `finish`.
A crash between storing and moving is recognised by `InboxFile.acceptance_id`.

Codes; `where` is the file's name, made safe:

======================  =============  =========================================================
``not_a_regular_file``  `Rejected`     a symbolic link, FIFO, socket or device
``name_unsafe``         `Rejected`     a path, a control character, or bytes that are not UTF-8
``file_empty``          `Rejected`     0 bytes
``file_too_large``      `Rejected`     more than `max_bytes`
``file_exists``         `Rejected`     an outbound name is taken by other bytes
``file_changed``        `Retryable`    it changed while it was read or moved; still in the inbox
``file_gone``           `Retryable`    somebody else has taken or moved it
``file_unreadable``     `Retryable`    no permission
``folder_full``         `Retryable`    no space or quota left
``folder_unavailable``  `Retryable`    any other answer of the operating system
======================  =============  =========================================================
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from canonical.errors import Rejected, Retryable
from connectors.transports.files import (
    FOLDER,
    READ,
    closing,
    create,
    edge,
    opened,
    read_up_to,
    unavailable,
    write_durably,
)
from connectors.transports.names import is_ignored, is_printable, require_entry, safe_name
from connectors.transports.outbox import write_atomic

__all__ = [
    "Identity",
    "InboxFile",
    "Scan",
    "Seen",
    "Watch",
    "finish",
    "opened",
    "read_file",
    "safe_name",
    "scan",
    "write_atomic",
]


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells one state of one file from another; a rename keeps it, a write does not."""

    size: int
    mtime_ns: int
    inode: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What a scan saw under a name, and since when nothing changed there."""

    identity: Identity
    since: float
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Watch:
    """Which files count, and how long they must stand still."""

    pattern: str = "*"
    stable_seconds: float = 1.0
    limit: int = 1000
    """Most files that one scan calls ready; the oldest come first."""


@dataclass(frozen=True, slots=True)
class Scan:
    """What one look into an inbox gave."""

    ready: tuple[str, ...]
    """Names of regular files that stood still, oldest first."""
    refusals: tuple[tuple[str, Rejected], ...]
    """Names that can never be read, each reported once; `finish` moves them aside."""
    seen: Mapping[str, Seen]
    """To be handed to the next scan."""


@dataclass(frozen=True, slots=True)
class InboxFile:
    """A file as it was read."""

    name: str
    identity: Identity
    body: bytes
    sha256: str

    @property
    def delivery_id(self) -> str:
        """The sender's transport identity: the same file dropped again has the same id."""
        return f"{safe_name(self.name)}:{self.identity.size}:{self.sha256}"

    def acceptance_id(self, connection: str) -> str:
        """This very file on this disk: the same after a crash, another one when dropped again."""
        facts = (connection, self.name, self.identity.inode, self.identity.mtime_ns, self.sha256)
        text = "\0".join(str(fact) for fact in facts)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def scan(inbox: int, watch: Watch, now: float, previous: Mapping[str, Seen]) -> Scan:
    """Look once into an inbox.

    Subfolders, hidden names and ``.tmp``, ``.part``, ``.filepart`` are passed over without a word.

    Args:
        inbox: the open folder.
        watch: which files count.
        now: seconds on any clock that only rises.
        previous: `Scan.seen` of the scan before; empty at first.

    Raises:
        Retryable: the folder cannot be listed now.

    """
    seen: dict[str, Seen] = {}
    ready: list[tuple[int, str]] = []
    refusals: list[tuple[str, Rejected]] = []
    with edge(""), os.scandir(inbox) as entries:
        for entry in entries:
            if is_ignored(entry.name) or not fnmatchcase(entry.name, watch.pattern):
                continue
            found = _look(entry)
            if found is None:
                continue
            identity, refusal = found
            before = previous.get(entry.name)
            same = before is not None and before.identity == identity
            since = before.since if before is not None and same else now
            seen[entry.name] = Seen(identity, since, refused=refusal is not None)
            if refusal is None and now - since >= watch.stable_seconds:
                ready.append((identity.mtime_ns, entry.name))
            elif refusal is not None and not same:
                refusals.append((entry.name, refusal))
    oldest = sorted(ready)[: watch.limit]
    return Scan(tuple(name for _, name in oldest), tuple(refusals), seen)


def _look(entry: os.DirEntry[str]) -> tuple[Identity, Rejected | None] | None:
    try:
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None  # gone between listing and looking
    if stat.S_ISDIR(status.st_mode):
        return None
    return _identity(status), _refusal(entry.name, status)


def _refusal(name: str, status: os.stat_result) -> Rejected | None:
    if not stat.S_ISREG(status.st_mode):
        return Rejected("not_a_regular_file", safe_name(name), "expected a regular file")
    if not is_printable(name):
        return Rejected("name_unsafe", safe_name(name), "expected a printable name in UTF-8")
    return None


def _identity(status: os.stat_result) -> Identity:
    return Identity(status.st_size, status.st_mtime_ns, status.st_ino)


def read_file(inbox: int, name: str, expect: Identity, max_bytes: int) -> InboxFile:
    """Read a file that a scan called ready.

    Args:
        inbox: the open folder.
        name: one of `Scan.ready`.
        expect: what the scan saw (`Scan.seen[name].identity`).
        max_bytes: largest file that is taken in.

    Raises:
        Rejected: ``not_a_regular_file``, ``file_too_large``, ``file_empty``, ``name_unsafe``.
        Retryable: ``file_changed``, ``file_gone``, ``file_unreadable``, ``folder_unavailable``.

    """
    where = safe_name(require_entry(name))
    with edge(where), closing(os.open(name, READ, dir_fd=inbox)) as file:
        status = os.fstat(file)
        if refusal := _refusal(name, status):
            raise refusal
        if status.st_size > max_bytes:
            raise Rejected("file_too_large", where, f"expected at most {max_bytes} bytes")
        body = read_up_to(file, max_bytes + 1)
        if not _identity(status) == _identity(os.fstat(file)) == expect:
            raise Retryable("file_changed", where, "it changed while it was read")
    if not body:
        raise Rejected("file_empty", where, "expected at least one byte")
    return InboxFile(name, expect, body, hashlib.sha256(body).hexdigest())


def finish(
    inbox: int,
    name: str,
    outcome: Literal["done", "failed"],
    note: str = "",
    expect: Identity | None = None,
) -> str:
    """Move an inbox entry into ``done/`` or ``failed/`` under the inbox; never over another file.

    No fsync: should the machine lose the move, the file is read again and `acceptance_id` tells.

    Args:
        inbox: the open folder.
        name: the entry; symbolic links and special files are moved themselves, not followed.
        outcome: the subfolder.
        note: for people, written beside a failed file as ``<name>.error.txt``; no payload values.
        expect: what was read (`InboxFile.identity`); a file that has changed since stays.

    Returns:
        The name that it now has in the subfolder.

    Raises:
        Retryable: ``file_changed`` (left in the inbox), ``file_gone``, ``folder_unavailable`` ...

    """
    where = safe_name(require_entry(name))
    with edge(where):
        before = _identity(os.stat(name, dir_fd=inbox, follow_symlinks=False))
        if expect is not None and before != expect:
            raise Retryable("file_changed", where, "it changed after it was read")
        with closing(_subfolder(inbox, outcome)) as folder:
            moved = _move(inbox, name, folder, before)
            after = _identity(os.stat(moved, dir_fd=folder, follow_symlinks=False))
            if after != before:  # replaced or written to in the moment of the move: undo
                _move(folder, moved, inbox, after)
                raise Retryable("file_changed", where, "it changed while it was moved")
            if note and outcome == "failed":
                write_durably(folder, _vacant(folder, f"{moved}.error.txt", before), note.encode())
    return moved


def _subfolder(inbox: int, name: str) -> int:
    with suppress(FileExistsError):
        os.mkdir(name, dir_fd=inbox)
    try:
        return os.open(name, FOLDER | os.O_NOFOLLOW, dir_fd=inbox)
    except OSError as error:  # a file or a symbolic link stands where the folder should be
        raise unavailable(name, error) from None


def _move(source: int, name: str, target: int, identity: Identity) -> str:
    """Rename onto a placeholder of our own: atomic, and nobody else's file can be under it."""
    reserved = _vacant(target, safe_name(name), identity)
    try:
        os.rename(name, reserved, src_dir_fd=source, dst_dir_fd=target)
    except OSError:
        os.unlink(reserved, dir_fd=target)
        raise
    return reserved


def _vacant(folder: int, name: str, identity: Identity) -> str:
    """Reserve a name, with the file's own time and inode where the plain one is taken."""
    stem, dot, suffix = name.rpartition(".")
    stem, dot, suffix = (stem, dot, suffix) if stem else (name, "", "")
    for number in range(100):
        mark = f"~{identity.mtime_ns:x}-{identity.inode:x}-{number}" if number else ""
        candidate = f"{stem}{mark}{dot}{suffix}"
        with suppress(FileExistsError):
            create(folder, candidate)
            return candidate
    raise OSError(errno.EEXIST, "no vacant name")
