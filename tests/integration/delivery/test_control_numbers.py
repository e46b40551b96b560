"""Control numbers: without holes, never twice, the same again for the same document."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from connectors.base import Numbers
from hub.ledger.control_numbers import LAST, allocate
from hub.ledger.tables import control_counter
from tests.support.deliveries import Books

SCOPE = "CROSSDOCK/ACMEDIST/P"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


async def take(books: Books, key: str, scope: str = SCOPE, now: datetime = NOW) -> Numbers:
    async with books.engine.begin() as conn:
        return await allocate(conn, scope, key, "acme-edi", now)


async def test_numbers_rise_by_one_from_one(books: Books) -> None:
    assert [(await take(books, key)).interchange for key in "abc"] == [1, 2, 3]


async def test_a_key_keeps_its_number_and_its_moment(books: Books) -> None:
    first = await take(books, "a")
    await take(books, "b")
    assert await take(books, "a", now=NOW + timedelta(days=1)) == first


async def test_scopes_count_for_themselves(books: Books) -> None:
    await take(books, "a")
    assert (await take(books, "a", "CROSSDOCK/NORTHSIDE/P")).interchange == 1


async def test_after_the_last_comes_one(books: Books) -> None:
    async with books.engine.begin() as conn:
        await conn.execute(sa.insert(control_counter).values(scope=SCOPE, next=LAST))
    assert [(await take(books, key)).interchange for key in "ab"] == [999_999_999, 1]


async def test_a_transaction_that_fails_leaves_no_hole(books: Books) -> None:
    async with books.engine.connect() as conn:
        await allocate(conn, SCOPE, "a", "acme-edi", NOW)
        await conn.rollback()
    assert (await take(books, "b")).interchange == 1


async def test_many_at_once_get_a_number_each(books: Books) -> None:
    taken = await asyncio.gather(*(take(books, f"k{i}") for i in range(30)))
    assert sorted(one.interchange for one in taken) == list(range(1, 31))


async def test_one_key_asked_for_many_times_at_once_gets_one_number(books: Books) -> None:
    taken = await asyncio.gather(*(take(books, "a") for _ in range(20)))
    assert set(taken) == {Numbers(1, 1, NOW)}
    assert (await take(books, "b")).interchange == 2
