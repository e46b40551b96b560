"""Waiting on a condition with a deadline: what tests do instead of sleeping."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, overload

T = TypeVar("T")

_POLL_SECONDS = 0.02


@overload
async def wait_for(
    condition: Callable[[], Awaitable[T]], deadline: float = ..., what: str = ...
) -> T: ...


@overload
async def wait_for(condition: Callable[[], T], deadline: float = ..., what: str = ...) -> T: ...


async def wait_for(
    condition: Callable[[], object], deadline: float = 15.0, what: str = ""
) -> object:
    """Return the condition's first true value.

    Args:
        condition: called again and again; may be async.
        deadline: seconds; long enough for a busy machine, for only a failing test waits it out.
        what: what did not come true, for the failure's message.

    """
    end = time.monotonic() + deadline
    while True:
        value = condition()
        result = await value if inspect.isawaitable(value) else value
        if result:
            return result
        assert time.monotonic() < end, f"not within {deadline} s: {what or condition}"
        await asyncio.sleep(_POLL_SECONDS)


def wait_until(condition: Callable[[], T], deadline: float = 15.0, what: str = "") -> T:
    """`wait_for` in synchronous tests."""
    return asyncio.run(wait_for(condition, deadline, what))
