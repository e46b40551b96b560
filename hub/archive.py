"""The archive: every receipt and every outbound document, byte for byte, for years.

Append-only pack files, one per process and day, each entry a zstd frame of its own; one fsync for
a whole batch. The ledger keeps the place (``<file>:<offset>:<length>``) and the hash.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import zstandard

from canonical.errors import Rejected

_LEVEL = 3
_MAX_ENTRY = 256 * 1024**2


class Archive:
    """A folder of pack files; this process appends to its own, and reads all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: int | None = None
        self._name = ""
        self._offset = 0
        self._lock = threading.Lock()
        """`keep` is called from threads."""
        self._compressor = zstandard.ZstdCompressor(level=_LEVEL)

    def keep(self, bodies: Sequence[bytes], now: datetime) -> list[str]:
        """Store bodies and return their places; all are on disk when it returns.

        Raises:
            OSError: the disk is full or gone; nothing that was returned before is harmed.
        """
        with self._lock:
            frames = [self._compressor.compress(body) for body in bodies]
            descriptor = self._open(now)
            places = []
            offset = self._offset
            for frame in frames:
                places.append(f"{self._name}:{offset}:{len(frame)}")
                offset += len(frame)
            try:
                _write_all(descriptor, b"".join(frames))
                os.fsync(descriptor)
            except OSError:
                self.close()  # half a frame may be there: the next batch starts behind it
                raise
            self._offset = offset
            return places

    def read(self, place: str, sha256: str = "") -> bytes:
        """Return the bytes at a place.

        Raises:
            Rejected: ``archive_damaged`` where the bytes are not there or not those of the hash.
        """
        try:
            name, offset, length = place.rsplit(":", 2)
            with (self._folder / Path(name).name).open("rb") as pack:
                pack.seek(int(offset))
                frame = pack.read(int(length))
            body = zstandard.ZstdDecompressor().decompress(frame, max_output_size=_MAX_ENTRY)
        except (OSError, ValueError, zstandard.ZstdError) as error:
            raise Rejected("archive_damaged", place, "the archived bytes cannot be read") from error
        if sha256 and hashlib.sha256(body).hexdigest() != sha256:
            raise Rejected("archive_damaged", place, "the archived bytes do not match their hash")
        return body

    def close(self) -> None:
        """Close the pack; may be called twice."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _open(self, now: datetime) -> int:
        name = f"{now:%Y-%m-%d}-{os.getpid()}.zst"
        if self._file is None or name != self._name:
            self.close()
            self._folder.mkdir(parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
            self._file = os.open(self._folder / name, flags, 0o640)
            self._offset = os.fstat(self._file).st_size
            self._name = name
        return self._file


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
