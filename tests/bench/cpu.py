"""Processor time by process: what a figure is made of, and steadier than the clock on the wall."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping

import psutil


def seconds(processes: Mapping[str, Iterable[int]]) -> dict[str, float]:
    """Return the processor seconds used so far by each group of processes.

    Args:
        processes: group -> process ids; descendants count with them, also those that have ended.
    """
    return {name: sum(map(_tree, pids)) for name, pids in processes.items()}


def difference(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Return what was used between two readings."""
    return {name: after[name] - before[name] for name in after}


def own() -> frozenset[int]:
    """Return this process, without what it started."""
    return frozenset({-os.getpid()})


def _tree(pid: int) -> float:
    total = 0.0
    with contextlib.suppress(psutil.NoSuchProcess):
        parent = psutil.Process(abs(pid))
        used = parent.cpu_times()
        total = used.user + used.system
        if pid < 0:
            return total
        total += used.children_user + used.children_system
        for child in parent.children():
            total += _tree(child.pid)
    return total
