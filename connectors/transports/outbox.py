"""The outbox of a folder transport: what we leave for a partner, whole or not at all.

What goes wrong: `connectors.transports.folder` lists the codes.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from contextlib import suppress

from canonical.errors import Rejected
from connectors.transports.files import READ, closing, create, edge, read_up_to, write_durably
from connectors.transports.names import is_ignored, require_entry, safe_name


def write_atomic(outbox: int, name: str, body: bytes) -> None:
    """Leave a file for the partner: whole or not at all, and durable when this returns.

    The same name with the same bytes again is no error and changes nothing.

    Args:
        outbox: the open folder.
        name: a safe name (`safe_name` of itself), not hidden and not ``.tmp``.
        body: the bytes.

    Raises:
        Rejected: ``name_unsafe``, or ``file_exists`` where the name holds other bytes.
        Retryable: ``folder_full``, ``file_unreadable``, ``folder_unavailable``.

    """
    where = safe_name(require_entry(name))
    if name != where or is_ignored(name):
        raise Rejected("name_unsafe", where, "expected a safe name")
    with edge(where):
        if not _holds(outbox, name, body):
            _write_and_rename(outbox, name, body)
        os.fsync(outbox)


def _holds(outbox: int, name: str, body: bytes) -> bool:
    """Whether the name already holds these bytes, as it does after a lost answer."""
    where = safe_name(name)
    try:
        descriptor = os.open(name, READ, dir_fd=outbox)
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENXIO}:
            raise Rejected("file_exists", where, "the name is taken by a special file") from None
        raise
    with closing(descriptor) as file:
        regular = stat.S_ISREG(os.fstat(file).st_mode)
        if not regular or read_up_to(file, len(body) + 1) != body:
            raise Rejected("file_exists", where, "the name is taken by other bytes")
    return True


def _write_and_rename(outbox: int, name: str, body: bytes) -> None:
    # Only has to differ from other writers' temporary names, so chance may stay in here.
    temporary = f".{secrets.token_hex(12)}.tmp"
    try:
        create(outbox, temporary)
        write_durably(outbox, temporary, body)
        os.rename(temporary, name, src_dir_fd=outbox, dst_dir_fd=outbox)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary, dir_fd=outbox)
        raise
