"""`crossdock deliveries`: what is not done is listed with what is in its way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from hub.ledger import under_way
from hub.ledger.engine import open_engine
from hub.ledger.tables import dead_letter
from tests.support.deliveries import Books


@pytest.fixture
async def books(database: str) -> AsyncIterator[Books]:
    engine = open_engine(database)
    yield Books(engine)
    await engine.dispose()


async def listed(books: Books, *states: str, waiting: bool = False) -> dict[str, str | None]:
    """Delivery id -> what it waits for."""
    chosen = under_way.Chosen(states, ["bc", "lakeside"], waiting)
    async with books.engine.connect() as ledger:
        return {row["id"]: row["waiting"] for row in await under_way.listing(ledger, chosen)}


async def test_a_change_behind_a_dead_original_names_the_original_and_its_letter(
    books: Books,
) -> None:
    original = await books.order("1", state="dead", next_at=None)
    letter = {
        "id": "64472744-aaaa",
        "stage": "deliver",
        "connection": "acme-edi",
        "partner": "acme",
        "delivery_id": original,
        "code": "refused",
        "fingerprint": "f",
        "state": "open",
        "opened_at": datetime.now(UTC),
    }
    async with books.engine.begin() as ledger:
        await ledger.execute(sa.insert(dead_letter).values(**letter))
    changed = await books.document("1b", business_key="order/acme/1/", version=2)
    change = await books.delivery(
        changed, action="change_order", code="waiting_behind", place=original
    )
    words = "behind create_order of order 1 v1, which is dead (dead letter 64472744)"
    assert await listed(books, "pending") == {change: words}
    assert await listed(books, "pending", waiting=True) == {change: words}
    assert await listed(books, "dead") == {original: None}
    async with books.engine.connect() as ledger:
        said = await under_way.waiting(ledger, ["doc-1", changed])
    assert said == {changed: f"bc: {words}"}


async def test_what_follows_another_target_says_which(books: Books) -> None:
    await books.order("1", state="delivered", next_at=None)
    follower = await books.delivery("doc-1", "lakeside", code="waiting_for_target", place="bc")
    assert await listed(books, "pending") == {follower: "until bc has it"}


async def test_what_is_in_doubt_is_found_among_what_is_not(books: Books) -> None:
    doubtful = await books.order("1", state="in_doubt")
    await books.order("2")
    await books.order("3", state="delivered", next_at=None)
    assert await listed(books, "in_doubt") == {doubtful: None}
    assert await listed(books, "pending", waiting=True) == {}
