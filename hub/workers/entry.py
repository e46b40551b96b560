"""One task on its way through the pool: who waits for it, and what is held against it."""

from __future__ import annotations

import asyncio
from typing import Any

from canonical.errors import HubError, Rejected
from connectors.base import Receipt
from hub.workers.jobs import DETAILS, Failed, NormalizeResult
from hub.workers.messages import Kind, Task, receipt_values
from hub.workers.progress import DECODE

_MOST_BLAMED = 3
"""Documents of one receipt that may each cost a worker before the whole receipt is given up."""
_MOST_LOSSES = 3
_MOST_SUSPICIONS = 3


class Batch:
    """Tasks that somebody waits for together; one future for all, as each costs the event loop."""

    def __init__(self, size: int) -> None:
        self.done: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        self._results: list[Any] = [None] * size
        self._missing = size
        if not size:
            self.done.set_result([])

    def put(self, place: int, result: Any) -> None:
        """Take one result; an error ends the wait for all."""
        if self.done.done():
            return
        if isinstance(result, HubError):
            self.done.set_exception(result)
            return
        self._results[place] = result
        self._missing -= 1
        if not self._missing:
            self.done.set_result(self._results)


class Entry:
    """One task on its way through the pool."""

    def __init__(self, kind: Kind, job: Any, batch: Batch, place: int) -> None:
        self.kind = kind
        self.job = job
        self.batch = batch
        self.place = place
        self.finished = False
        self.size = len(job.body) if isinstance(job, Receipt) else 0
        self.blamed: dict[int, str] = {}
        self.alone = False
        self.suspicions = 0
        self.losses = 0
        """How often a worker died with it without a sign who was at fault."""

    def suspect(self, step: int, code: str, *, proven: bool) -> None:
        """A worker died with this step in hand: it runs alone from now on.

        It is blamed where it died of it alone, too; over its deadline only once the processor, too,
        was busy with it, or again and again: on a machine that stands still everybody is late.
        """
        self.suspicions += 1
        late = code == "worker_timeout"
        if proven or (self.alone and not late) or self.suspicions >= _MOST_SUSPICIONS:
            self._blame(step, code)
        self.alone = True

    def _blame(self, step: int, code: str) -> None:
        self.suspicions = 0
        self.blamed[step] = code
        too_many = len(self.blamed) > _MOST_BLAMED
        if self.kind != "normalize" or step == DECODE or too_many:
            self._give_up(code)

    def lose(self, code: str) -> None:
        """A worker died with it before it, or anything else, was begun."""
        self.losses += 1
        if self.alone and self.losses > _MOST_LOSSES:
            self._give_up(code)
        self.alone = self.losses >= _MOST_LOSSES

    def _give_up(self, code: str) -> None:
        error = Rejected(code, self._where(), DETAILS[code])
        if self.kind == "normalize":
            failed = Failed(0, "", self.job.flow, None, "decode", error)
            self.finish(NormalizeResult((failed,)))
        else:
            self.finish(error)

    def task(self) -> Task:
        """It, as it is sent to a worker."""
        job = receipt_values(self.job) if self.kind == "normalize" else self.job
        return Task(self.kind, job, self.blamed)

    def finish(self, result: Any) -> None:
        """It has its result."""
        self.finished = True
        self.batch.put(self.place, result)

    @property
    def settled(self) -> bool:
        """Nobody waits for it any more."""
        return self.finished or self.batch.done.done()

    def _where(self) -> str:
        return "" if self.kind == "normalize" else f"connections.{self.job.connection}"
