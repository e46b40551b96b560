"""Folders that two parties share: finished files are read whole, written whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

UNFINISHED = (".tmp", ".part", ".filepart")
"""Names of files that are still being written."""
MAX_FILE = 20_000_000


def collect(folder: Path) -> list[tuple[Path, bytes]]:
    """Read all finished files of a folder, in the order of their names."""
    found = []
    for path in sorted(folder.iterdir()):
        hidden = path.name.startswith(".") or path.name.lower().endswith(UNFINISHED)
        if hidden or path.is_symlink() or not path.is_file() or path.stat().st_size > MAX_FILE:
            continue
        with suppress(FileNotFoundError):  # its writer may take it back
            found.append((path, path.read_bytes()))
    return found


def leave(folder: Path, name: str, data: bytes) -> None:
    """Put a file into a folder, whole or not at all, on disk when this returns.

    Raises:
        ValueError: the name is a path.

    """
    require_name(name)
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{name}.tmp"
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(folder / name)
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def require_name(name: str) -> None:
    """Let a name pass that is one entry of a folder.

    Raises:
        ValueError: it is a path.

    """
    if name in {"", ".", ".."} or "/" in name:
        raise ValueError("expected the name of one file")
