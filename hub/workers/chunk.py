"""Runs a chunk of tasks, as a worker does it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from canonical.errors import HubError
from connectors.base import Receipt
from hub.workers.jobs import Given, Watched, ours
from hub.workers.messages import Task
from hub.workers.reading import normalize
from hub.workers.spec import WorkerSpec
from hub.workers.tools import Tools
from hub.workers.writing import encode, render

_WRITING: dict[str, Callable[..., Any]] = {"render": render, "encode": encode}


class Bench:
    """A worker's tools and how it uses them.

    Args:
        spec: what to build the tools from.
        seconds: how long one document may take.
        watched: task -> where its steps are announced.

    Raises:
        ConfigError: the spec is wrong.

    """

    def __init__(self, spec: WorkerSpec, seconds: float, watched: Callable[[int], Watched]) -> None:
        self._tools = Tools(spec)
        self._seconds = seconds
        self._watched = watched

    def run(self, chunk: Sequence[Task]) -> list[Any]:
        """The results in the order of the tasks; an error stands for a job that raised it."""
        results: list[Any] = [None] * len(chunk)
        receipts = [place for place, task in enumerate(chunk) if task.kind == "normalize"]
        read = [(Receipt(*chunk[place].job), self._given(place, chunk)) for place in receipts]
        for place, made in zip(receipts, normalize(self._tools, read), strict=True):
            results[place] = made
        for place, task in enumerate(chunk):
            if task.kind != "normalize":
                results[place] = self._written(task, self._given(place, chunk))
        return results

    def _written(self, task: Task, given: Given) -> Any:
        try:
            return _WRITING[task.kind](self._tools, task.job, given)
        except MemoryError:
            raise
        except HubError as error:
            return error
        except Exception as error:  # what a job must not raise is still no reason to die
            return ours(error)

    def _given(self, place: int, chunk: Sequence[Task]) -> Given:
        return Given(self._seconds, self._watched(place), chunk[place].blamed)
