"""Small steps on open folders, and the operating system's errors in our own words.

What goes wrong: `connectors.transports.folder` lists the codes.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from canonical.errors import Rejected, Retryable

READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a FIFO must not block us
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_CHUNK = 1024 * 1024
_FULL = {errno.ENOSPC, errno.EDQUOT}


@contextmanager
def opened(folder: Path) -> Iterator[int]:
    """Open a folder and yield its descriptor; it is closed afterwards.

    Raises:
        Retryable: ``folder_unavailable``.

    """
    try:
        descriptor = os.open(folder, FOLDER)
    except OSError as error:
        raise unavailable(folder.name, error) from None
    with closing(descriptor):
        yield descriptor


@contextmanager
def closing(descriptor: int) -> Iterator[int]:
    """Close a descriptor at the end, whatever happens."""
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def create(folder: int, name: str) -> None:
    """Make an empty file under a name that nobody has; FileExistsError where somebody does."""
    os.close(os.open(name, _CREATE, 0o666, dir_fd=folder))


def read_up_to(file: int, most: int) -> bytes:
    """Read to the end, and never more than `most` bytes."""
    body = bytearray()
    while chunk := os.read(file, min(_CHUNK, most - len(body))):
        body += chunk
    return bytes(body)


def write_durably(folder: int, name: str, body: bytes) -> None:
    """Fill a file that `create` has made; its bytes are on disk when this returns."""
    descriptor = os.open(name, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    with os.fdopen(descriptor, "wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def edge(where: str) -> Iterator[None]:
    """Translate the operating system's errors; our own pass."""
    try:
        yield
    except OSError as error:
        _translate(where, error)


def _translate(where: str, error: OSError) -> NoReturn:
    if error.errno == errno.ELOOP:
        raise Rejected("not_a_regular_file", where, "expected a regular file") from None
    if isinstance(error, FileNotFoundError):
        raise Retryable("file_gone", where, "it is no longer there") from None
    if isinstance(error, PermissionError):
        raise Retryable("file_unreadable", where, "no permission") from None
    if error.errno in _FULL:
        raise Retryable("folder_full", where, "no space left") from None
    raise unavailable(where, error) from None


def unavailable(where: str, error: OSError) -> Retryable:
    """Any other answer of the operating system, by its symbolic name (EIO, ESTALE ...)."""
    return Retryable(
        "folder_unavailable", where, errno.errorcode.get(error.errno or 0, "system error")
    )
