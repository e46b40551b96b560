"""Replays beside live deliveries: they go after them, and leave lanes free for them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hub.dead_letters import jobs
from hub.dead_letters.filters import Filters
from hub.dead_letters.jobs import Threshold, Wish
from hub.ledger import deliveries
from hub.ledger.delivery_rows import Wanted
from tests.support.dead_letters import Servers
from tests.support.deliveries import LIMITS, Books, running
from tests.support.dying import act, begin_all, role
from tests.support.many_letters import many_dead
from tests.support.waiting import wait_for


async def test_what_came_later_and_is_live_is_claimed_before_what_is_replayed(
    at: Servers, books: Books
) -> None:
    await many_dead(at.engine, 30)
    await begin_all(at)
    live = await books.order("live")
    now = datetime.now(UTC) + timedelta(seconds=1)
    wanted = Wanted("bc", "mine", now + timedelta(minutes=1), limit=3)
    async with at.engine.begin() as ledger:
        found = await deliveries.claim(ledger, wanted, now)
    assert [each.delivery.yields for each in found.claims] == [False, True, True]
    assert found.claims[0].delivery.id == live


async def test_no_more_are_claimed_than_may_be_replayed_at_once(at: Servers) -> None:
    await many_dead(at.engine, 10)
    await begin_all(at)
    now = datetime.now(UTC) + timedelta(seconds=1)
    wanted = Wanted("bc", "mine", now + timedelta(minutes=1), limit=4, yielding=1)
    async with at.engine.begin() as ledger:
        found = await deliveries.claim(ledger, wanted, now)
        nothing = await deliveries.claim(ledger, replace(wanted, yielding=0), now)
    assert len(found.claims) == 1
    assert nothing.claims == ()


async def test_half_of_the_lanes_stay_free_for_a_live_delivery(at: Servers, books: Books) -> None:
    await many_dead(at.engine, 10)
    await begin_all(at)
    at.target.gate = asyncio.Event()
    deliverer = role(at)
    async with running(deliverer):
        await wait_for(lambda: at.target.running == LIMITS.concurrency // 2, what="replays")
        await books.order("live")
        deliverer.wake()
        await wait_for(lambda: "XDlive" in at.target.effects, what="the live order")
        assert at.target.running == LIMITS.concurrency // 2 + 1
        at.target.gate.set()
        await wait_for(lambda: len(at.target.effects) == 11, what="all of them")
    assert at.target.doubled() == []


async def test_no_letter_begins_while_something_live_has_been_waiting(
    at: Servers, books: Books
) -> None:
    await many_dead(at.engine, 3)
    async with at.engine.begin() as ledger:
        await jobs.ask(ledger, Wish(Filters(), 500), act(), Threshold())
    waiting = await books.order("live", next_at=datetime.now(UTC) - timedelta(seconds=1))
    runner = at.runner()
    assert await runner.run() == 0
    await books.change(waiting, state="delivered", next_at=None)
    assert await runner.run() == 3
