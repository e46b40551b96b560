"""A folder as a target: files are left for the partner, and we can tell whether we left one.

The partner takes files away, so a missing file proves nothing. A journal beside the outbox does:
for every name it holds a mark, and the staged bytes until one `rename` moves them into the outbox.

=======  ========  ===================================================================
mark     staged    means
=======  ========  ===================================================================
absent   any       never sent: marking comes after staging
present  present   not sent: the rename did not happen
present  absent    sent: only the rename takes staged bytes away under a mark
=======  ========  ===================================================================

Codes, beside those of `connectors.transports.folder`: ``journal_elsewhere`` (`ConfigError`: the
journal is not on the outbox's file system), ``rename_in_doubt`` (`InDoubt`).
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
from contextlib import suppress
from pathlib import Path

from canonical.errors import ConfigError, InDoubt, Rejected
from connectors.base import Capabilities, Outbound, Settled
from connectors.transports.files import READ, closing, edge, opened, read_up_to
from connectors.transports.folder import write_atomic
from hub.failpoints import reached

CAPABILITIES = Capabilities(can_look_up=True)
"""Any action is the same here: leave the file."""

_MARK = ".sha256"
_MARK_BYTES = 64
_KEEP_SECONDS = 30 * 86_400.0


class FolderClient:
    """Leaves files in an outbox.

    Args:
        outbox: the partner's folder; somebody else makes it: if it is missing, a mount may be lost.
        journal: ours, on the same file system, seen by every replica; made if missing. By default
            a hidden folder beside the outbox.

    """

    def __init__(self, outbox: Path, journal: Path | None = None) -> None:
        self._outbox = outbox
        self._journal = journal or outbox.with_name(f".{outbox.name}.sent")
        self._pruned = False

    async def deliver(self, outbound: Outbound) -> Settled:
        """Leave the file; see `Client.deliver`."""
        return await asyncio.to_thread(self._deliver, outbound.file_name, outbound.encoded)

    async def look_up(self, outbound: Outbound) -> Settled | None:
        """Tell whether the file was left, by the journal or because it is still there."""
        return await asyncio.to_thread(self._look_up, outbound.file_name, outbound.encoded)

    async def close(self) -> None:
        """Nothing is kept open."""

    def _deliver(self, name: str, body: bytes) -> Settled:
        with opened(self._outbox) as outbox:
            with edge(self._journal.name):
                self._journal.mkdir(exist_ok=True)
            with opened(self._journal) as journal, edge(name):
                self._prune(journal)
                if not _is_there(outbox, name, body):
                    _stage(journal, name, body)
                    reached("deliver.staged")
                    self._publish(journal, outbox, name)
        return _settled(name, hashlib.sha256(body).hexdigest())

    def _look_up(self, name: str, body: bytes) -> Settled | None:
        with opened(self._outbox) as outbox, edge(name):
            if self._journal.is_dir():
                with opened(self._journal) as journal:
                    mark = _read(journal, name + _MARK, _MARK_BYTES)
                    if mark is not None and not _exists(journal, name):
                        return _settled(name, mark.decode("ascii", "replace"))
            if body and _read(outbox, name, len(body) + 1) == body:
                return _settled(name, hashlib.sha256(body).hexdigest())
        return None

    def _publish(self, journal: int, outbox: int, name: str) -> None:
        try:
            os.rename(name, name, src_dir_fd=journal, dst_dir_fd=outbox)
            reached("deliver.left")
            os.fsync(outbox)
            os.fsync(journal)
        except OSError as error:
            if error.errno == errno.EXDEV:
                where, detail = self._journal.name, "expected on the outbox's file system"
                raise ConfigError("journal_elsewhere", where, detail) from None
            if _exists(journal, name):
                raise
            raise InDoubt("rename_in_doubt", name, "it may not be on disk") from None

    def _prune(self, journal: int) -> None:
        """Forget old marks, once a process: no delivery stays in doubt for so long."""
        if self._pruned:
            return
        self._pruned = True
        newest = os.fstat(journal).st_mtime
        with os.scandir(journal) as entries:
            old = [
                entry.name
                for entry in entries
                if entry.name.endswith(_MARK)
                and newest - entry.stat(follow_symlinks=False).st_mtime > _KEEP_SECONDS
            ]
        for name in old:
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=journal)


def _stage(journal: int, name: str, body: bytes) -> None:
    """Stage the bytes, then mark them; the remains of an earlier try go first, the mark before all."""
    for remains in (name + _MARK, name):
        with suppress(FileNotFoundError):
            os.unlink(remains, dir_fd=journal)
            os.fsync(journal)
    write_atomic(journal, name, body)
    write_atomic(journal, name + _MARK, hashlib.sha256(body).hexdigest().encode())


def _is_there(outbox: int, name: str, body: bytes) -> bool:
    found = _read(outbox, name, len(body) + 1)
    if found is not None and found != body:
        raise Rejected("file_exists", name, "the name is taken by other bytes")
    return found is not None


def _exists(folder: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _read(folder: int, name: str, most: int) -> bytes | None:
    try:
        descriptor = os.open(name, READ, dir_fd=folder)
    except FileNotFoundError:
        return None
    with closing(descriptor):
        return read_up_to(descriptor, most)


def _settled(name: str, sha256: str) -> Settled:
    return Settled(external_id=name, facts={"file": name, "sha256": sha256})
