"""Who comes while a batch is under way shares the next one; nobody is left to wait."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from hub.gathered import Gathered
from tests.support.waiting import wait_for


class Work:
    """Doubles numbers, a batch at a time, each batch when the test lets it go."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.go = asyncio.Event()

    async def __call__(self, items: Sequence[int]) -> list[int]:
        self.batches.append(list(items))
        await self.go.wait()
        if 13 in items:
            raise ValueError("unlucky")
        return [2 * item for item in items]


@pytest.fixture
def work() -> Work:
    return Work()


async def begun(work: Work, batches: int) -> None:
    await wait_for(lambda: len(work.batches) >= batches)


async def test_what_comes_together_is_done_together_and_each_hears_its_own_result(
    work: Work,
) -> None:
    work.go.set()
    gathered = Gathered(work)
    assert await asyncio.gather(*(gathered.do(n) for n in range(5))) == [0, 2, 4, 6, 8]
    assert work.batches == [[0, 1, 2, 3, 4]]


async def test_what_comes_while_a_batch_is_under_way_is_the_next_batch(work: Work) -> None:
    gathered = Gathered(work)
    first = asyncio.create_task(gathered.do(1))
    await begun(work, 1)
    rest = [asyncio.create_task(gathered.do(n)) for n in (2, 3)]
    await asyncio.sleep(0)
    work.go.set()
    assert await asyncio.gather(first, *rest) == [2, 4, 6]
    assert work.batches == [[1], [2, 3]]


async def test_no_batch_is_larger_than_it_may_be(work: Work) -> None:
    work.go.set()
    gathered = Gathered(work, most=2)
    await asyncio.gather(*(gathered.do(n) for n in range(5)))
    assert work.batches == [[0, 1], [2, 3], [4]]


async def test_a_batch_that_fails_is_told_to_all_of_it_and_to_nobody_else(work: Work) -> None:
    gathered = Gathered(work)
    failing = [asyncio.create_task(gathered.do(n)) for n in (1, 13)]
    await begun(work, 1)
    later = asyncio.create_task(gathered.do(3))
    await asyncio.sleep(0)
    work.go.set()
    told = await asyncio.gather(*failing, return_exceptions=True)
    assert [type(one) for one in told] == [ValueError, ValueError]
    assert await later == 6


async def test_what_nobody_waits_for_any_more_is_not_done(work: Work) -> None:
    gathered = Gathered(work)
    first = asyncio.create_task(gathered.do(1))
    await begun(work, 1)
    given_up, kept = (asyncio.create_task(gathered.do(n)) for n in (2, 3))
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.sleep(0)
    work.go.set()
    assert (await first, await kept) == (2, 6)
    assert work.batches == [[1], [3]]
