"""Redis lies, is emptied, or is full: it costs speed, and never a document (rows 23 and 24)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import redis.asyncio as redis_client

from connectors.base import Receipt
from hub.clock import SystemClock
from hub.intake.door import Door
from hub.ledger.engine import open_engine
from hub.seen import Seen
from hub.telemetry.metrics import Metrics
from hub.telemetry.tracing import Tracing
from tests.support.doors import Shelf

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)


def receipt(name: str) -> Receipt:
    return Receipt(name, "shop", "webhook-1", NOW, b'{"id": 1}')


@pytest.fixture
async def seen(redis: str) -> AsyncIterator[Seen]:
    made = Seen.at(redis, SystemClock())
    yield made
    await made.close()


@pytest.fixture
async def at(database: str, seen: Seen) -> AsyncIterator[tuple[Door, Shelf]]:
    engine, shelf, metrics = open_engine(database), Shelf(), Metrics()
    yield (
        Door(shelf, seen, engine, SystemClock(), metrics, Tracing(metrics)),  # type: ignore[arg-type]  # a shelf saves as well
        shelf,
    )
    await engine.dispose()


async def test_23_what_only_redis_has_seen_is_taken_in_all_the_same(
    at: tuple[Door, Shelf], seen: Seen
) -> None:
    door, shelf = at
    await seen.remember([receipt("a-receipt-of-a-ledger-that-was-restored")])
    accepted = await door.accept_call(receipt("r-2"))
    assert (accepted.receipt_id, accepted.duplicate) == ("r-2", False)
    assert [one.id for one in shelf.receipts] == ["r-2"]


async def test_23_an_emptied_redis_lets_every_call_through(
    at: tuple[Door, Shelf], seen: Seen, redis: str
) -> None:
    door, shelf = at
    await seen.remember([receipt("r-1")])
    async with redis_client.Redis.from_url(redis) as client:
        await client.flushall()
    await door.accept_call(receipt("r-2"))
    assert [one.id for one in shelf.receipts] == ["r-2"]


async def test_24_a_full_redis_refuses_to_remember_and_forgets_nothing(
    at: tuple[Door, Shelf], seen: Seen, redis: str
) -> None:
    door, shelf = at
    await seen.remember([receipt("r-1")])
    async with redis_client.Redis.from_url(redis) as client:
        before = await client.dbsize()
        await client.config_set("maxmemory", "1")
        try:
            await seen.remember([Receipt("r-9", "shop", "webhook-9", NOW, b"{}")])
            await door.accept_call(Receipt("r-9", "shop", "webhook-9", NOW, b"{}"))
        finally:
            await client.config_set("maxmemory", "256mb")
        assert await client.dbsize() == before
    assert [one.id for one in shelf.receipts] == ["r-9"]
