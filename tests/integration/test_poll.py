"""Polling several flows of one system, on a real ledger."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest

from canonical.errors import HubError, Rejected, Retryable
from connectors.base import Page
from hub.intake.poll import PollIntake
from hub.ledger.engine import open_engine
from hub.ledger.turns import Turns
from hub.settings.model import PollTransport
from tests.support.doors import Shelf, door


class Collections:
    """A system whose flows give one page each, or fail after it."""

    flows: Sequence[str] = ("customers", "items", "invoices", "stock")

    def __init__(self, failing: dict[str, HubError]) -> None:
        self.failing = failing
        self.asked: list[tuple[str, str]] = []

    async def poll(self, flow: str, cursor: str) -> AsyncIterator[Page]:
        """Yield one page."""
        self.asked.append((flow, cursor))
        if flow in self.failing:
            raise self.failing[flow]
        yield Page(b"[]", f"{flow}-1", "after-1")


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


async def test_a_flow_that_fails_does_not_keep_the_others_from_being_polled(
    database: str, shelf: Shelf
) -> None:
    engine = open_engine(database)
    poller = Collections(
        {
            "customers": Retryable("throttled", retry_after=7.0),
            "items": Retryable("throttled", retry_after=90.0),
            "invoices": Rejected("page_unreadable"),
        }
    )
    turns = Turns(engine)
    intake = PollIntake("bc", PollTransport(kind="poll"), poller, door(shelf, engine), turns)
    try:
        assert await intake.poll_once() == 90.0
        poller.failing.clear()
        assert await intake.poll_once() == 0.0
    finally:
        await turns.close()
        await engine.dispose()
    first = [(flow, "") for flow in poller.flows]
    assert poller.asked == [*first, *first[:3], ("stock", "after-1")]
    taken = [receipt.flow for receipt in shelf.receipts]
    assert taken == ["stock", "customers", "items", "invoices"]


async def test_what_nobody_takes_in_is_polled_again(database: str, shelf: Shelf) -> None:
    engine = open_engine(database)
    poller = Collections({})
    turns = Turns(engine)
    intake = PollIntake("bc", PollTransport(kind="poll"), poller, door(shelf, engine), turns)
    shelf.refusing = True
    try:
        await intake.poll_once()
        shelf.refusing = False
        await intake.poll_once()
    finally:
        await turns.close()
        await engine.dispose()
    assert [receipt.flow for receipt in shelf.receipts] == list(poller.flows)
