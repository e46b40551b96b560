"""Control numbers: hardly a hole, never twice, the same again for the same document."""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from canonical.errors import Rejected
from connectors.base import Numbers
from hub.delivery.role import DeliverRole
from hub.ledger.control_numbers import LAST, Numbering, allocate, give_back, key_of
from hub.ledger.tables import control_counter, delivery
from tests.support.deliveries import (
    Books,
    PlainRenderer,
    ScriptedTarget,
    parts,
    running,
    spec,
    until,
)

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


async def numbered(books: Books, **changes: Any) -> str:
    """A delivery in hand that has the next number; its key."""
    mine = await books.order("PO-1", claim_token="mine", **changes)  # noqa: S106  # of a claim
    row = await books.row(delivery, id=mine)
    key = key_of(row["reference"], row["action"], row["version"])
    await take(books, key)
    return key


async def given_back(books: Books, key: str, token: str = "mine") -> bool:  # noqa: S107  # as above
    async with books.engine.begin() as conn:
        mine = Numbering(SCOPE, key, "bc", NOW)
        return await give_back(conn, mine, "doc-PO-1>bccreate_order", token)


async def test_what_cannot_be_written_gives_its_number_to_the_next(books: Books) -> None:
    key = await numbered(books)
    assert await given_back(books, key)
    assert (await take(books, "b")).interchange == 1
    assert (await take(books, key)).interchange == 2


async def test_the_last_number_before_the_first_is_given_back_too(books: Books) -> None:
    async with books.engine.begin() as conn:
        await conn.execute(sa.insert(control_counter).values(scope=SCOPE, next=LAST))
    key = await numbered(books)
    assert await given_back(books, key)
    assert (await take(books, "b")).interchange == LAST


async def test_a_number_that_others_have_followed_waits_for_its_document(books: Books) -> None:
    key = await numbered(books)
    await take(books, "b")
    assert not await given_back(books, key)
    assert [(await take(books, each)).interchange for each in (key, "c")] == [1, 3]


@pytest.mark.parametrize(
    ("token", "changes"), [("another", {}), ("mine", {"sent_sha256": "abc"})], ids=["stale", "sent"]
)
async def test_a_number_that_may_be_out_is_never_given_back(
    books: Books, token: str, changes: dict[str, Any]
) -> None:
    key = await numbered(books, **changes)
    assert not await given_back(books, key, token)
    assert (await take(books, "b")).interchange == 2


async def test_a_document_that_is_refused_leaves_no_hole_before_the_next(books: Books) -> None:
    renderer = PlainRenderer({"XDPO-1": deque([Rejected("text_too_long", "PO1", "")])})
    target = ScriptedTarget()
    role = DeliverRole(spec(target, control_scope=SCOPE), parts(books.engine, renderer=renderer))
    async with running(role):
        refused = await books.order("PO-1")
        await until(books, refused, "dead")
        await until(books, await books.order("PO-2"), "delivered")
        await books.change(refused, state="pending", next_at=datetime.now(UTC), settled_at=None)
        await until(books, refused, "delivered")
    assert [each.interchange for each in renderer.numbers] == [1, 1, 2]
