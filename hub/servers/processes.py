"""Tells our processes from others that got the same pid, and ends them."""

from __future__ import annotations

import signal
from pathlib import Path

import psutil

from hub.servers.state import ProcessMark

_SAME_SECONDS = 0.05  # psutil derives the start from a clock tick of 10 ms


def mark(pid: int) -> ProcessMark:
    """What identifies a running process; for one that has already ended, it matches nothing."""
    try:
        return ProcessMark(pid=pid, created=psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return ProcessMark(pid=pid, created=0)


def find(known: ProcessMark) -> psutil.Process | None:
    """The process, if it still runs and is the same."""
    try:
        process = psutil.Process(known.pid)
        if abs(process.create_time() - known.created) > _SAME_SECONDS:
            return None
        return None if process.status() == psutil.STATUS_ZOMBIE else process
    except psutil.NoSuchProcess:
        return None


def end(process: psutil.Process, politely: signal.Signals, seconds: float) -> None:
    """Ask a process to stop, and kill it where it has not after `seconds`."""
    try:
        process.send_signal(politely)
        process.wait(seconds)
    except psutil.TimeoutExpired:
        process.kill()
        process.wait(seconds)
    except psutil.NoSuchProcess:
        return


def postmaster(cluster: Path) -> psutil.Process | None:
    """The PostgreSQL that runs on `cluster` according to its own pid file."""
    try:
        pid = int((cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        process = psutil.Process(pid)
        return process if str(cluster) in process.cmdline() else None
    except (OSError, ValueError, psutil.Error):
        return None
