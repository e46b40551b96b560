"""A budget of bytes is never passed, and always given back."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from canonical.errors import Retryable
from hub.intake.budget import Budget


async def chunks(*given: bytes) -> AsyncIterator[bytes]:
    for each in given:
        yield each


async def test_what_others_hold_is_not_there_to_take_and_is_given_back_at_their_end() -> None:
    budget = Budget(10)
    with budget.share() as first, budget.share() as second:
        first.take(6)
        with pytest.raises(Retryable, match="bodies_full") as refused:
            second.take(5)
        assert (refused.value.retry_after, budget.used) == (5.0, 6)
        second.take(4)
    assert budget.used == 0


async def test_chunks_are_counted_as_they_come_and_no_more_are_read_than_fit() -> None:
    budget, got = Budget(5), list[bytes]()

    async def read() -> None:
        with budget.share() as share:
            async for chunk in share.counted(chunks(b"abc", b"de", b"f", b"never")):
                got.append(chunk)

    with pytest.raises(Retryable, match="bodies_full"):
        await read()
    assert (got, budget.used) == ([b"abc", b"de"], 0)
