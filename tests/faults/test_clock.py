"""The clock of a hub's machine is set: no order is lost, forgotten or done twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from canonical.errors import Retryable
from hub.clock import SystemClock
from hub.ledger import audit
from hub.ledger.tables import delivery
from hub.servers.addresses import Addresses
from tests.support.dead_letters import Servers, hub, servers
from tests.support.deliveries import fails_with
from tests.support.paper import paper_order, paper_receipt, paper_spec
from tests.support.waiting import wait_for

HOUR = timedelta(hours=1)


class SetClock(SystemClock):
    """A machine's clocks; the wall clock can be set, the monotonic one goes on as before."""

    def __init__(self) -> None:
        self.off = timedelta()

    def now(self) -> datetime:
        """What the wall clock shows."""
        return datetime.now(UTC) + self.off


async def send(at: Servers, *numbers: str) -> None:
    """Orders come in, each unlike all others."""
    for number in numbers:
        order = paper_order(number, qty=str(1 + len(number) + sum(map(ord, number))))
        await at.take_in(paper_receipt(order, identifier=f"r-{number}"))


async def states(at: Servers) -> list[str]:
    async with at.engine.connect() as ledger:
        return list(await ledger.scalars(sa.select(delivery.c.state)))


async def all_done(at: Servers, count: int) -> None:
    async def done() -> bool:
        return await states(at) == ["delivered"] * count

    await wait_for(done, deadline=60, what=f"{count} are delivered")


@pytest.mark.parametrize("jumps", [(HOUR, -HOUR), (-HOUR, HOUR)], ids=["forth", "back"])
async def test_40_a_clock_that_is_set_by_an_hour_loses_no_order_and_doubles_none(
    addresses: Addresses, tmp_path: Path, jumps: tuple[timedelta, ...]
) -> None:
    clock = SetClock()
    async with servers(addresses, tmp_path) as at:
        async with hub(at, paper_spec(), clock=clock):
            await send(at, "PO-1", "PO-2")
            await all_done(at, 2)
            count = 2
            for jump in jumps:
                clock.off += jump
                count += 2
                await send(at, f"PO-{count}-A", f"PO-{count}-B")
                await all_done(at, count)
        assert sorted(at.target.calls) == sorted(set(at.target.effects))
        assert (await at.balance()).adds_up
        async with at.engine.connect() as ledger:
            assert await audit.verify(ledger) is None


async def test_40_what_waits_is_tried_again_at_once_where_the_clock_leapt_ahead(
    addresses: Addresses, tmp_path: Path
) -> None:
    clock = SetClock()
    later = Retryable("target_unavailable", "", "HTTP 503", retry_after=900.0)
    async with servers(addresses, tmp_path) as at, hub(at, paper_spec(), clock=clock):
        at.target.script.append(fails_with(later))
        await send(at, "PO-1")
        await wait_for(lambda: at.target.calls, deadline=30, what="it was called once")
        clock.off += HOUR
        await all_done(at, 1)
        assert at.target.doubled() == []
