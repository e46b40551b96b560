"""Dividing what is to be held in memory into shares of bounded size."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


def shares(items: Iterable[T], size: Callable[[T], int], most: int) -> list[list[T]]:
    """Divide items into runs, in their order.

    Args:
        items: what is to be divided.
        size: the bytes of one item.
        most: most bytes of one run; an item that alone is more makes a run of its own.
    """
    runs: list[list[T]] = []
    room = 0
    for item in items:
        needed = size(item)
        if not runs or needed > room:
            runs.append([])
            room = most
        runs[-1].append(item)
        room -= needed
    return runs
