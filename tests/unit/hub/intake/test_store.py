"""Group commit: whoever waits for a publish hears how it ended, whatever happens to it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from nats.js import JetStreamContext

from canonical.errors import Retryable
from connectors.base import Receipt
from hub.app import Base
from hub.intake.store import ReceiptStore
from hub.publisher import Outgoing, Publisher

NOW = datetime(2026, 5, 5, 10, tzinfo=UTC)


class Failing:
    """A publisher that fails as told, as long as there is something left to fail with."""

    def __init__(self, *faults: BaseException) -> None:
        self._faults = list(faults)
        self.published: list[Outgoing] = []

    async def publish(self, messages: Sequence[Outgoing]) -> None:
        await asyncio.sleep(0)
        if self._faults:
            raise self._faults.pop(0)
        self.published.extend(messages)


def store_on(publisher: Failing) -> ReceiptStore:
    return ReceiptStore(cast(JetStreamContext, None), cast(Publisher, publisher))


def receipts(count: int) -> list[Receipt]:
    return [Receipt(f"r-{n}", "acme-edi", f"d-{n}", NOW, b"x") for n in range(count)]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Retryable("stream_full"), "stream_full"),
        (ValueError("C4N4RY"), "not_stored"),
        (KeyError("C4N4RY"), "not_stored"),
        (asyncio.CancelledError(), "nats_unavailable"),
    ],
)
async def test_everybody_who_waits_hears_no_and_those_who_come_later_are_served(
    fault: BaseException, code: str
) -> None:
    publisher = Failing(fault)
    store = store_on(publisher)
    async with asyncio.timeout(5):
        answers = await asyncio.gather(*map(store.save, receipts(3)), return_exceptions=True)
        await store.save(receipts(1)[0])
    assert [type(answer) for answer in answers] == [Retryable] * 3
    assert {getattr(answer, "code", "") for answer in answers} == {code}
    assert "C4N4RY" not in str(answers)
    assert [message.message_id for message in publisher.published] == ["r-0"]


async def test_those_who_came_while_a_publish_was_stopped_hear_no_too() -> None:
    store = store_on(Failing(asyncio.CancelledError()))
    first = asyncio.create_task(store.save(receipts(1)[0]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        with pytest.raises(Retryable, match="nats_unavailable"):
            await store.save(receipts(2)[1])
        with pytest.raises(Retryable, match="nats_unavailable"):
            await first


async def test_a_waiter_who_went_away_does_not_keep_the_others_waiting() -> None:
    publisher = Failing()
    store = store_on(publisher)
    waiting = [asyncio.create_task(store.save(receipt)) for receipt in receipts(3)]
    await asyncio.sleep(0)
    waiting[1].cancel()
    async with asyncio.timeout(5):
        ended = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(end) for end in ended] == [type(None), asyncio.CancelledError, type(None)]


def test_all_intakes_of_a_process_share_one_store_and_so_their_publishes() -> None:
    parts: dict[str, Any] = {field.name: object() for field in fields(Base)}
    base = Base(**parts)
    assert base.door().store is base.door().store
