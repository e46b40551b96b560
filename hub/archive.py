"""The archive: every receipt and every outbound document, byte for byte, for years.

Append-only pack files, one per opened archive and day, each entry a zstd frame of its own; one
fsync for a whole batch. The ledger keeps the place (``<file>:<offset>:<length>``) and the hash.
Nobody ever writes into a pack of somebody else: hubs on several hosts can share the folder, and
must, to read what another one kept.

The path of an order waits for it (`store`), so it has threads of its own: in those that everything
shares, a hanging folder or name server stopped decisions and deliveries.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from pathlib import Path

import zstandard

from canonical.errors import Rejected

_LEVEL = 3
_THREADS = 4
"""One writes at a time; the others compress, wait for it, or read."""
_MAX_ENTRY = 256 * 1024**2

PRUNED = "pruned"
"""The place of bytes that are gone because the site keeps none for longer."""


class Archive:
    """A folder of pack files; each `Archive` appends to its own, and reads all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: int | None = None
        self._day = ""
        self._name = ""
        self._offset = 0
        self._lock = threading.Lock()
        """`keep` is called from threads."""
        self._threads = ThreadPoolExecutor(_THREADS, "archive")
        self._compressor = zstandard.ZstdCompressor(level=_LEVEL)

    async def store(self, bodies: Sequence[bytes], now: datetime) -> list[str]:
        """Call `keep` in a thread of the archive's own."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self.keep, bodies, now)

    async def fetch(self, place: str, sha256: str = "") -> bytes:
        """Call `read` in a thread of the archive's own."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self.read, place, sha256)

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
                self._close_pack()  # half a frame may be there: the next batch starts behind it
                raise
            self._offset = offset
            return places

    def read(self, place: str, sha256: str = "") -> bytes:
        """Return the bytes at a place.

        Raises:
            Rejected: ``archive_damaged`` where the bytes are not there or not those of the hash;
                ``archive_pruned`` where they were kept as long as the site wants.
        """
        if place == PRUNED:
            raise Rejected("archive_pruned", "", "the bytes are older than `retention` keeps any")
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

    def packs_until(self, last: date) -> list[str]:
        """Return the names of packs of whose days this is the last, whoever wrote them.

        Raises:
            OSError: the folder cannot be read.
        """
        if not self._folder.is_dir():
            return []
        names = (path.name for path in self._folder.glob("????-??-??-*.zst"))
        return sorted(name for name in names if name[:10] <= last.isoformat())

    def remove(self, packs: Sequence[str]) -> None:
        """Delete packs; those that are gone already do not matter.

        Raises:
            OSError: one cannot be deleted.
        """
        for name in packs:
            (self._folder / Path(name).name).unlink(missing_ok=True)
        if packs:
            _sync_folder(self._folder)

    def close(self) -> None:
        """Close the pack and end the threads; may be called twice."""
        self._threads.shutdown()
        self._close_pack()

    def _close_pack(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _open(self, now: datetime) -> int:
        day = f"{now:%Y-%m-%d}"
        if day != self._day:
            self._close_pack()
            # Process ids repeat: in containers every hub has the same one.
            name = f"{day}-{secrets.token_hex(8)}.zst"
            _make_pack(self._folder, name)
            self._day, self._name = day, name
        if self._file is None:
            self._file = os.open(self._folder / self._name, os.O_WRONLY | os.O_APPEND)
            self._offset = os.fstat(self._file).st_size
        return self._file


def _make_pack(folder: Path, name: str) -> None:
    """Make a pack of our own; its entry in the folder survives a power cut.

    Raises:
        FileExistsError: it is somebody else's.
    """
    _make_folder(folder)
    os.close(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640))
    _sync_folder(folder)


def _make_folder(folder: Path) -> None:
    """Make the folder and its parents; their entries survive a power cut too."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for each in missing:
        _sync_folder(each.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
