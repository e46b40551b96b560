"""The pool: hands chunks of tasks to workers, watches their deadlines, and blames only the culprit.

``async with WorkerPool(spec, settings) as pool`` starts the processes and one spare, which takes
over at once when a worker dies. When one dies, whatever it had in hand is suspected: the task runs
again alone, and only if it kills again (or had kept the processor busy over its deadline) is that
one document given up; all other tasks of the chunk run again elsewhere.

Codes raised here: ``workers_unavailable`` (Retryable: no worker could be started in time).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from canonical.errors import ConfigError, Retryable
from connectors.base import Receipt
from hub.mapping.engine import check_engines
from hub.settings.model import Workers
from hub.workers.entry import Batch, Entry
from hub.workers.hands import Hands
from hub.workers.jobs import EncodeJob, NormalizeResult, Rendered, RenderJob
from hub.workers.messages import Kind, Settings
from hub.workers.spec import WorkerSpec
from hub.workers.worker import Worker, WorkerGone

_LEAST_TASKS, _MOST_TASKS = 8, 32
_MOST_BYTES = 1_000_000
"""A chunk: large enough that the pipe costs little, small enough to share work out evenly."""
_LOOK_SECONDS = 0.05
_RESTART_SECONDS = (0.0, 0.0, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_START_SECONDS = 60.0
_MORE_STARTS = 2


class WorkerPool:
    """Worker processes with a queue in front of them; for one event loop.

    Args:
        spec: what the workers build their tools from.
        settings: how many, and their limits.

    Raises:
        ConfigError: on entering, where the workers cannot work with the spec.

    """

    def __init__(self, spec: WorkerSpec, settings: Workers) -> None:
        self._spec = spec
        self._settings = settings
        self._queue: deque[Entry] = deque()
        self._ready: asyncio.Queue[Worker] = asyncio.Queue()
        self._wanted = asyncio.Semaphore(0)
        self._hands: list[Hands] = []
        self._alive: set[Worker] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._failures = 0
        self.restarts = 0
        """How many workers had to be replaced."""

    async def __aenter__(self) -> Self:
        check_engines()
        count = self._settings.processes + 1
        started = await asyncio.gather(
            *(self._start_surely() for _ in range(count)), return_exceptions=True
        )
        errors = [each for each in started if isinstance(each, BaseException)]
        if errors:
            await self.close()
            if isinstance(errors[0], WorkerGone):
                raise ConfigError("workers_unavailable", "workers", "a worker died at its start")
            raise errors[0]
        self._tasks = [asyncio.create_task(self._watch()), asyncio.create_task(self._replace())]
        self._tasks += [asyncio.create_task(self._serve()) for _ in range(self._settings.processes)]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Kill the workers; tasks still under way are cancelled."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        for worker in list(self._alive):
            self._end(worker)
        for entry in self._queue:
            entry.batch.done.cancel()
        self._queue.clear()

    @property
    def pids(self) -> frozenset[int]:
        """The processes alive, the spare included."""
        return frozenset(worker.pid for worker in self._alive)

    @property
    def working(self) -> int:
        """How many workers have something in hand."""
        return sum(bool(hands.given) for hands in self._hands)

    async def normalize(self, receipts: Sequence[Receipt]) -> list[NormalizeResult]:
        """Decode, map, validate and identify; one result for each receipt, in order.

        Raises:
            Retryable: ``workers_unavailable``.

        """
        results: list[NormalizeResult] = await self._submit("normalize", receipts)
        return results

    async def render(self, job: RenderJob) -> Rendered:
        """See `hub.workers.jobs.render`.

        Raises:
            Rejected: the mapping or the codec refuses it, or it costs a worker.
            ConfigError: there is no such connection or mapping.
            Retryable: ``workers_unavailable``.

        """
        rendered: list[Rendered] = await self._submit("render", [job])
        return rendered[0]

    async def encode(self, job: EncodeJob) -> bytes:
        """See `hub.workers.jobs.encode`; raises as `render`."""
        encoded: list[bytes] = await self._submit("encode", [job])
        return encoded[0]

    def _submit(self, kind: Kind, jobs: Sequence[Any]) -> asyncio.Future[list[Any]]:
        batch = Batch(len(jobs))
        self._queue.extend(Entry(kind, job, batch, place) for place, job in enumerate(jobs))
        self._share_out()
        return batch.done

    async def _start(self) -> None:
        settings = Settings(self._settings.deadline_seconds, self._settings.memory_mb)
        async with asyncio.timeout(_START_SECONDS):
            worker = await Worker.start(self._spec, settings)
        self._alive.add(worker)
        self._ready.put_nowait(worker)

    async def _start_surely(self) -> None:
        """Start one of the first workers; what kills one by chance must not end a hub at its start."""
        for _ in range(_MORE_STARTS):
            with contextlib.suppress(WorkerGone):
                await self._start()
                return
        await self._start()

    def _end(self, worker: Worker) -> str:
        self._alive.discard(worker)
        return worker.end()

    async def _replace(self) -> None:
        """Start a new spare for each worker that is gone; slower, the more often it fails."""
        while True:
            await self._wanted.acquire()
            await asyncio.sleep(_RESTART_SECONDS[min(self._failures, len(_RESTART_SECONDS) - 1)])
            try:
                await self._start()
            except (ConfigError, WorkerGone, OSError, TimeoutError):
                self._failures += 1
                self._wanted.release()
                if not self._alive:
                    self._refuse()

    def _refuse(self) -> None:
        """No worker is left and none starts: whoever waits must not wait for ever."""
        if self._failures < len(_RESTART_SECONDS):
            return
        for entry in self._queue:
            entry.finish(Retryable("workers_unavailable", "workers", "no worker starts"))
        self._queue.clear()

    async def _watch(self) -> None:
        """Kill workers whose step is past its deadline."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            for hands in self._hands:
                if hands.worker.overdue() and not hands.worker.expired:
                    hands.worker.expire()

    async def _serve(self) -> None:
        """One worker after the other: hand it chunks until it is gone."""
        while True:
            hands = Hands(await self._ready.get())
            self._hands.append(hands)
            sending = asyncio.create_task(hands.send())
            self._share_out()
            try:
                await self._receive(hands)
            except WorkerGone:
                self._failures += not hands.worker.expired  # a deadline is slow enough by itself
                self._bury(hands)
            finally:
                sending.cancel()
                self._hands.remove(hands)
                self._put_back(hands)  # also when closing, which so finds who waits
            self.restarts += 1
            self._wanted.release()

    async def _receive(self, hands: Hands) -> None:
        """Take replies until the worker leaves; raises `WorkerGone` once it is gone."""
        leaving = False
        while not leaving:
            reply = await hands.worker.reply()
            if not hands.given or len(reply.results) != len(hands.given[0]):
                raise WorkerGone
            chunk = hands.given.popleft()
            leaving = reply.leaving
            if not leaving:
                self._share_out()  # first: it has begun the next one and waits for none
            self._failures = 0
            for entry, result in zip(chunk, reply.results, strict=True):
                entry.finish(result)
        self._end(hands.worker)

    def _share_out(self) -> None:
        """Give what waits to the workers that have the least in hand."""
        while self._queue and self._hands:
            hands = min(self._hands, key=lambda each: len(each.given))
            chunk = [] if hands.full else self._pop_chunk()
            if not chunk:
                return
            hands.give(chunk)

    def _pop_chunk(self) -> list[Entry]:
        share = -(-len(self._queue) // self._settings.processes)
        room, size = min(max(share, _LEAST_TASKS), _MOST_TASKS), 0
        chunk: list[Entry] = []
        while self._queue and len(chunk) < room and size < _MOST_BYTES:
            entry = self._queue[0]
            if entry.alone and chunk:
                break
            self._queue.popleft()
            if entry.settled:  # whoever asked for it has gone
                continue
            chunk.append(entry)
            size += entry.size
            if entry.alone:
                break
        return chunk

    def _bury(self, hands: Hands) -> None:
        """Find the culprit of a death; the chunks behind the one in hand were not begun."""
        worker = hands.worker
        word, proven = worker.in_hand(), worker.burnt
        code = self._end(worker)
        chunk = hands.given[0] if hands.given else []
        if word.idle or not word.task < len(chunk):
            for entry in chunk:
                entry.lose(code)
        else:
            chunk[word.task].suspect(word.step, code, proven=proven)

    def _put_back(self, hands: Hands) -> None:
        """Put all that was given and not answered in front of the queue, in its order."""
        waiting = [entry for chunk in hands.given for entry in chunk if not entry.settled]
        self._queue.extendleft(reversed(waiting))
        hands.given.clear()
        self._share_out()
