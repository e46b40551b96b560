"""Power loss: a disk that forgets what was written to it and never synced.

The disk is a file with a file system of its own, mounted. What programs write stays in the kernel's
memory until it is synced or the kernel finds the time; only then does it reach the file. So a copy of
the file, made while all writers stand still, is what a machine finds after its power was cut: its
journal is replayed when it is mounted, and whatever nobody had synced is gone.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.faults.servers import NAMES
from tests.faults.world import World
from tests.support.waiting import wait_until

_SIZE = "60G"
"""More than the streams may come to hold, or NATS refuses to make them; a file with holes."""
_ROOM = "1600M"
"""What the file and its copy may come to hold."""
_LAYOUT = ("-m", "0", "-N", "50000", "-J", "size=32", "-E", "lazy_itable_init=1,nodiscard")
_LEAVE_SECONDS = 30
_BLOCK = 4096


class NoDisk(Exception):
    """This machine mounts nothing, or we may not."""


@dataclass
class Disk:
    """A disk in `folder`, mounted at `place`; `close` it."""

    folder: Path
    place: Path

    def open(self) -> Disk:
        """Make it and mount it.

        Raises:
            NoDisk: it cannot be done here.
        """
        if os.geteuid() != 0:
            raise NoDisk("only root may mount a disk")
        self.folder.mkdir()
        self.place.mkdir()
        # In memory: what counts is what reaches the file, not that it outlives this machine.
        _do("mount", "-t", "tmpfs", "-o", f"size={_ROOM}", "tmpfs", str(self.folder))
        try:
            _do("truncate", "-s", _SIZE, str(self._file))
            _do("mkfs.ext4", "-q", "-F", *_LAYOUT, str(self._file))
            self._mount()
        except NoDisk:
            self.close()
            raise
        return self

    @property
    def _file(self) -> Path:
        return self.folder / "disk.img"

    def _mount(self) -> None:
        _do("mount", "-o", "loop,noinit_itable", str(self._file), str(self.place))

    def fill(self) -> Path:
        """Leave no room on it; the file that takes it all."""
        ballast, piece = self.place / "ballast", 1 << 30
        with ballast.open("wb") as file:
            size = 0
            while piece >= _BLOCK:
                try:
                    os.posix_fallocate(file.fileno(), size, piece)
                    size += piece
                except OSError:
                    piece //= 2
        return ballast

    def remembered(self) -> Path:
        """Copy what has reached the disk; nobody may be writing."""
        copy = self.folder / "copy.img"
        while True:  # the kernel may still be writing by itself
            before = self._file.stat().st_mtime_ns
            _do("cp", "--sparse=always", str(self._file), str(copy))
            if self._file.stat().st_mtime_ns == before:
                return copy

    def restore(self, copy: Path) -> None:
        """Let the disk be that copy; everybody who had it open must be gone."""
        wait_until(self._is_left, _LEAVE_SECONDS, "nobody uses the disk any more")
        copy.replace(self._file)
        self._mount()

    def _is_left(self) -> bool:
        try:
            _do("umount", str(self.place))
        except NoDisk:
            return False
        return True

    def close(self) -> None:
        """Unmount it; what was on it is gone."""
        for place in (self.place, self.folder):
            with suppress(NoDisk):
                _do("umount", "-l", str(place))
        shutil.rmtree(self.folder, ignore_errors=True)


def _do(*words: str) -> None:
    try:
        done = subprocess.run(words, capture_output=True, check=False, text=True)
    except FileNotFoundError as error:
        raise NoDisk(f"there is no {words[0]}") from error
    if done.returncode:
        raise NoDisk(f"{words[0]}: {done.stderr.strip()}")


def cut(world: World, disk: Disk) -> None:
    """Cut the power of everything that is ours, and switch it on again."""
    doomed = [process for hub in world.hubs for process in _family(world, hub)]
    doomed += [process for name in NAMES for process in world.servers.family(name)]
    for process in doomed:
        _signal(process, signal.SIGSTOP)
    copy = disk.remembered()
    for hub in world.hubs.values():
        hub.kill()
    for name in NAMES:
        world.servers.kill(name)
    for process in doomed:
        _signal(process, signal.SIGKILL)
    world.forget_books()
    disk.restore(copy)
    world.servers.start()
    for name in world.hubs:
        world.start_hub(name)


def _family(world: World, hub: str) -> list[psutil.Process]:
    if not world.hubs[hub].alive:
        return []
    return [psutil.Process(world.hubs[hub].pid), *world.processes(hub)]


def _signal(process: psutil.Process, which: signal.Signals) -> None:
    with suppress(psutil.NoSuchProcess):
        process.send_signal(which)
