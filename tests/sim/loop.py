"""An event loop whose time is virtual: nothing waits, and the same seed gives the same run.

Where every task sleeps, the clock jumps to the next timer. A year of waiting costs nothing; what
costs is what happens. The loop knows no sockets and no threads: work that is given to a thread is
done on the spot.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

START = datetime(2026, 5, 5, 8, tzinfo=UTC)


class Owner(Protocol):
    """Who a task belongs to: a simulated process."""

    tasks: list[asyncio.Task[Any]]


OWNER: ContextVar[Owner | None] = ContextVar("owner", default=None)
"""Inherited by every task that a task starts, so that a kill reaches all of a process."""


class Stuck(Exception):  # a finding, not an error of ours
    """Nothing will ever happen again, and the run is not over: something waits for nobody."""


class VirtualLoop(asyncio.BaseEventLoop):
    """See the module.

    Its innermost turn is written anew: asyncio's own asks the operating system for sockets and
    keeps timers that cost a comparison in Python each, and half of a run would go into that.
    """

    _ready: deque[asyncio.Handle]

    def __init__(self) -> None:
        super().__init__()
        self._virtual = 0.0
        self._timers: list[tuple[float, int, asyncio.Handle]] = []
        self._order = itertools.count()
        self.tasks: list[asyncio.Task[Any]] = []
        self.set_task_factory(_owned)  # type: ignore[arg-type]  # typeshed's own is private

    def time(self) -> float:
        """Return the virtual seconds since the run began."""
        return self._virtual

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """Call it in the next turn."""
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_at(  # type: ignore[override]  # a plain handle: nobody asks for its moment
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.Handle:
        """Call it at a moment; what is of the same moment is called in the order of asking."""
        handle = asyncio.Handle(callback, args, self, context)
        heapq.heappush(self._timers, (when, next(self._order), handle))
        return handle

    def call_later(  # type: ignore[override]
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.Handle:
        """Call it after so many seconds."""
        return self.call_at(self._virtual + delay, callback, *args, context=context)

    def _run_once(self) -> None:
        """Take one turn: where nothing is ready, jump to the next timer."""
        ready, timers = self._ready, self._timers
        if not ready:
            while timers and timers[0][2].cancelled():
                heapq.heappop(timers)
            if not timers:
                raise Stuck
            self._virtual = max(self._virtual, timers[0][0])
        now = self._virtual
        while timers and timers[0][0] <= now:
            ready.append(heapq.heappop(timers)[2])
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle.cancelled():
                handle._run()  # noqa: SLF001  # what a loop does with a handle

    def __del__(self) -> None:
        """Complain of nothing: it holds nothing of the operating system's."""

    def _process_events(self, event_list: list[Any]) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody sleeps that would have to be woken."""

    def run_in_executor(  # type: ignore[override]  # done at once: a future all the same
        self, executor: Any, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """Do the work now."""
        del executor
        done: asyncio.Future[T] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:
            done.set_exception(error)
        return done

    def forget_timers(self) -> None:
        """Drop what is still scheduled: the run is over."""
        self._timers.clear()


def _owned(
    loop: asyncio.AbstractEventLoop, coro: Coroutine[Any, Any, T], context: Context | None = None
) -> asyncio.Task[T]:
    task = asyncio.Task(coro, loop=loop, context=context)
    if isinstance(loop, VirtualLoop):
        loop.tasks.append(task)
    owner = OWNER.get() if context is None else context.get(OWNER)
    if owner is not None:
        owner.tasks.append(task)
    return task


class SimClock:
    """The clocks of one simulated machine; its wall clock may be off by some seconds."""

    def __init__(self, loop: VirtualLoop, skew: float = 0.0) -> None:
        self._loop = loop
        self._start = START + timedelta(seconds=skew)

    def now(self) -> datetime:
        """Return this machine's wall time."""
        return self._start + timedelta(seconds=self._loop.time())

    def monotonic(self) -> float:
        """Return the virtual seconds."""
        return self._loop.time()
