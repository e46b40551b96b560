"""One supervisor per data folder: a lock that the kernel drops with its holder.

Codes: ``data_dir_in_use``.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

import psutil

from canonical.errors import ConfigError

_POLL_SECONDS = 0.05


class DataDirLock:
    """The right to run servers on a data folder, from `take` to `release`."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "servers.lock"
        self._descriptor: int | None = None

    def take(self, patience: float = 10.0) -> None:
        """Take the lock.

        Args:
            patience: seconds to wait where the holder is dead and its children, who inherited
                the lock, are about to follow.

        Raises:
            ConfigError: ``data_dir_in_use``.

        """
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + patience
        while not _locked(descriptor):
            holder = _read_pid(descriptor)
            if (holder and _lives(holder)) or time.monotonic() > deadline:
                os.close(descriptor)
                raise self._in_use(holder)
            time.sleep(_POLL_SECONDS)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        self._descriptor = descriptor

    def refuse_a_second(self) -> None:
        """Refuse to begin where a living process has the lock; takes nothing and waits for nobody.

        Raises:
            ConfigError: ``data_dir_in_use``.

        """
        try:
            descriptor = os.open(self._path, os.O_RDWR)
        except FileNotFoundError:
            return
        try:
            holder = None if _locked(descriptor) else _read_pid(descriptor)
        finally:
            os.close(descriptor)
        if holder and _lives(holder):
            raise self._in_use(holder)

    def _in_use(self, holder: int | None) -> ConfigError:
        detail = f"process {holder} runs the servers of this folder; stop it first"
        return ConfigError("data_dir_in_use", str(self._path), detail)

    def release(self) -> None:
        """Give the lock back; may be called twice."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None


def is_held(data_dir: Path) -> bool:
    """Whether somebody runs the servers of this folder."""
    try:
        descriptor = os.open(data_dir / "servers.lock", os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        return not _locked(descriptor)
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _read_pid(descriptor: int) -> int | None:
    text = os.pread(descriptor, 32, 0).strip()
    return int(text) if text.isdigit() else None
