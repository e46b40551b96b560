"""Doing the work of many callers at once (group commit).

Whoever comes while a batch is under way waits for the next one: nobody waits for others to come,
and the busier it is, the larger the batches.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

Work = Callable[[Sequence[T]], Awaitable[Sequence[R]]]

_MOST = 200
"""Of a batch: one that fails costs that many their wait."""


class Gathered(Generic[T, R]):
    """Batches of work, one at a time.

    Args:
        work: does a batch; returns one result for each item, in order. Where it raises, every
            caller of the batch hears that error: what only one item is to blame for is a result.
        most: items of one batch.

    """

    def __init__(self, work: Work[T, R], most: int = _MOST) -> None:
        self._work = work
        self._most = most
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._worker: asyncio.Task[None] | None = None

    async def do(self, item: T) -> R:
        """Return the item's result; what its batch raises is raised here."""
        done: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._run())
        return await done

    async def _run(self) -> None:
        batch: list[tuple[T, asyncio.Future[R]]] = []
        try:
            while self._waiting:
                taken, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
                batch = [each for each in taken if not each[1].done()]  # nobody waits for the rest
                if batch:
                    await self._do(batch)
        finally:  # whatever ended this, nobody is left to wait
            left, self._waiting = batch + self._waiting, []
            for _, done in left:
                done.cancel()

    async def _do(self, batch: Sequence[tuple[T, asyncio.Future[R]]]) -> None:
        try:
            results = await self._work([item for item, _ in batch])
        except Exception as error:  # each caller decides what it means
            for _, done in batch:
                if not done.done():
                    done.set_exception(error)
            return
        for (_, done), result in zip(batch, results, strict=True):
            if not done.done():
                done.set_result(result)
