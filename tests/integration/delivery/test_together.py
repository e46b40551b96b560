"""What is written for many deliveries at once is right for each, and nobody spoils it for others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from connectors.base import Numbers, Settled
from hub.delivery.clerk import ToBegin
from hub.delivery.persistence import Ledger
from hub.ledger import deliveries
from hub.ledger.control_numbers import Numbering
from hub.ledger.delivery_rows import Answered, Claim, Ending, Wanted
from hub.ledger.tables import attempt, document
from tests.support.deliveries import Books, parts, until_all

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class Counting:
    """An engine that counts its transactions."""

    engine: AsyncEngine
    begun: int = 0

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        self.begun += 1
        async with self.engine.begin() as conn:
            yield conn


async def claimed(books: Books, *targets: str, orders: int = 6) -> list[Claim]:
    for number in range(orders):
        of = await books.document(str(number))
        for target in targets:
            await books.delivery(of, target)
    now = datetime.now(UTC)
    held: list[Claim] = []
    for target in targets:
        wanted = Wanted(target, f"of {target}", now + timedelta(minutes=1), limit=orders)
        async with books.engine.begin() as conn:
            held += (await deliveries.claim(conn, wanted, now)).claims
    assert len(held) == orders * len(targets)
    return held


def begins(held: Sequence[Claim]) -> list[ToBegin]:
    lasts = timedelta(minutes=1)
    return [ToBegin(one, 1, NOW, lasts, f"sha of {one.delivery.id}", None) for one in held]


def answers(held: Sequence[Claim]) -> list[Answered]:
    ending = Ending(1, "delivered", NOW, NOW)
    return [Answered(one, ending, Settled(f"SO {one.delivery.id}", {"a": "b"})) for one in held]


def ledger_of(engine: Any, target: str = "bc") -> Ledger:
    return Ledger(target, parts(cast("AsyncEngine", engine)))


async def test_all_targets_share_a_transaction_and_each_delivery_has_its_own_outcome(
    books: Books,
) -> None:
    held = await claimed(books, "bc", "lakeside")
    counting = Counting(books.engine)
    ledger = ledger_of(counting)
    begun = await asyncio.gather(*map(ledger.begin, begins(held)))
    assert None not in begun
    assert {row["outcome"] for row in await books.rows(attempt)} == {"in_doubt"}
    woken = await asyncio.gather(*map(ledger.answered, answers(held)))
    assert None not in woken
    assert counting.begun == 2
    await until_all(books, delivered=12)
    assert [await books.outcomes(one.delivery.id) for one in held] == [["delivered"]] * 12
    assert {row["state"] for row in await books.rows(document)} == {"delivered"}


async def test_whose_claim_was_taken_over_is_refused_and_the_others_are_not(books: Books) -> None:
    held = await claimed(books, "bc")
    await books.change(held[0].delivery.id, claim_token="another")  # noqa: S106  # of a claim
    ledger = ledger_of(books.engine)
    begun = await asyncio.gather(*map(ledger.begin, begins(held)))
    assert [one is None for one in begun] == [True, False, False, False, False, False]
    woken = await asyncio.gather(*map(ledger.answered, answers(held)))
    assert [one is None for one in woken] == [True, False, False, False, False, False]
    await until_all(books, delivered=5, in_flight=1)
    assert await books.outcomes(held[0].delivery.id) == []


async def test_one_that_cannot_be_written_spoils_it_for_nobody_else(books: Books) -> None:
    held = await claimed(books, "bc")
    bad, *good = answers(held)
    nameless = Ending(1, cast("Any", None), NOW, NOW)
    bad = Answered(bad.claim, nameless, bad.settled)
    ledger = ledger_of(books.engine)
    told = await asyncio.gather(*map(ledger.answered, (bad, *good)), return_exceptions=True)
    assert isinstance(told[0], IntegrityError)
    await until_all(books, delivered=5, in_flight=1)


async def test_one_whose_document_somebody_holds_keeps_nobody_else_waiting(books: Books) -> None:
    held = await claimed(books, "bc")
    ledger = ledger_of(books.engine)
    async with books.engine.begin() as somebody:
        mine = document.c.id == held[0].delivery.document_id
        await somebody.execute(sa.select(document.c.id).where(mine).with_for_update())
        tasks = [asyncio.create_task(ledger.answered(one)) for one in answers(held)]
        await until_all(books, delivered=5, in_flight=1)
        assert not tasks[0].done()
    assert await tasks[0] == frozenset()
    await asyncio.gather(*tasks)
    await until_all(books, delivered=6)


@pytest.mark.parametrize("times", [1, 2])
async def test_numbers_that_are_asked_for_together_rise_by_one_in_their_scopes(
    books: Books, times: int
) -> None:
    ledger = ledger_of(books.engine)
    wanted = [Numbering(scope, key, "acme", NOW) for key in "abc" for scope in ("X", "Y")]
    for _ in range(times):  # the same the second time
        numbers = await asyncio.gather(*map(ledger.number, wanted * 2))
        assert numbers[:6] == [Numbers(n, n, NOW) for n in (1, 1, 2, 2, 3, 3)]
        assert numbers[6:] == numbers[:6]
