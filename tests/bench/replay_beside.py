"""What a replay of many letters costs live deliveries to the same target: `make replay-beside`.

    python -m tests.bench.replay_beside [--letters 100000] [--rounds 4] [--seconds 10]

One deliver role and one replay runner on a PostgreSQL of their own; a target that takes a while to
answer. Live orders come at a steady rate. Windows with and without the replay take turns, so that
whatever else the machine does falls on both: what counts is the ratio of the two.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from connectors.base import Outbound, Settled
from hub.clock import SystemClock
from hub.dead_letters import jobs
from hub.dead_letters.filters import Filters
from hub.dead_letters.jobs import Threshold, Wish
from hub.dead_letters.runner import EVERY_SECONDS, ReplayRunner
from hub.delivery.parts import Timing
from hub.delivery.role import DeliverRole
from hub.ledger.engine import migrate, open_engine
from hub.ledger.tables import delivery, document, replay_item
from hub.release.holds import Act
from hub.settings.model import Limits
from tests.support.deliveries import parts, running, spec
from tests.support.many_letters import many_dead
from tests.support.own_servers import OwnServers

PROMISED = 1.2
_LIVE = "live"


@dataclass(frozen=True)
class Given:
    """What is measured."""

    letters: int
    rounds: int
    seconds: float
    live: float
    """Live orders a second."""
    rate: float
    """Letters begun a second."""
    call: float
    """Seconds that the target takes for a call."""


class Slow:
    """A target that takes its time."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    async def deliver(self, outbound: Outbound) -> Settled:
        """Take it."""
        await asyncio.sleep(self._seconds)
        return Settled(f"SO-{outbound.reference}")

    async def look_up(self, outbound: Outbound) -> Settled | None:
        """Nothing is in doubt here."""
        del outbound
        return None

    async def close(self) -> None:
        """Nothing to close."""


async def order(engine: AsyncEngine, number: str) -> None:
    """Write one order with its delivery, due at once, as normalize does."""
    now = datetime.now(UTC)
    key = f"order/acme/{number}/"
    of = {
        "id": number, "direction": "in", "connection": "acme-edi", "partner": "acme",
        "entity": "order", "flow": "850", "business_key": key, "content_id": number, "version": 1,
        "purpose": "original", "verdict": "accept", "state": "accepted", "number": number,
        "reference": number, "created_at": now,
    }  # fmt: skip
    sent = {
        "id": f"{number}>", "document_id": number, "target": "bc", "action": "create_order",
        "flow": "order", "business_key": key, "state": "pending", "reference": number,
        "next_at": now, "created_at": now,
    }  # fmt: skip
    async with engine.begin() as ledger:
        await ledger.execute(sa.insert(document).values(**of))
        await ledger.execute(sa.insert(delivery).values(**sent))


async def window(engine: AsyncEngine, role: DeliverRole, given: Given, name: str) -> None:
    """Let live orders come for a while, none waiting for the one before."""
    begun = time.monotonic()
    async with asyncio.TaskGroup() as group:
        n = 0
        while time.monotonic() - begun < given.seconds:
            group.create_task(_come(engine, role, f"{_LIVE}-{name}-{n:05}"))
            n += 1
            await asyncio.sleep(max(0.0, begun + n / given.live - time.monotonic()))


async def _come(engine: AsyncEngine, role: DeliverRole, number: str) -> None:
    await order(engine, number)
    role.wake()


async def replay(runner: ReplayRunner, stop: asyncio.Event) -> None:
    """Take steps as the hub's role `jobs` does."""
    while not stop.is_set():
        await runner.run()
        await asyncio.sleep(EVERY_SECONDS)


async def until_quiet(engine: AsyncEngine) -> None:
    """Wait until nothing is under way: a window does not pay for the one before."""
    query = sa.select(sa.func.count()).where(
        delivery.c.state.in_(("pending", "in_flight", "in_doubt"))
    )
    while True:
        async with engine.connect() as ledger:
            if not await ledger.scalar(query):
                return
        await asyncio.sleep(0.1)


async def waits(engine: AsyncEngine, name: str) -> list[float]:
    """Return the seconds from an order's coming to its delivery, of some windows, sorted."""
    took = sa.extract("epoch", delivery.c.settled_at - delivery.c.created_at)
    query = sa.select(took).where(delivery.c.document_id.startswith(f"{_LIVE}-{name}"))
    async with engine.connect() as ledger:
        return sorted(float(each) for each in (await ledger.execute(query)).scalars())


async def measured(given: Given, url: str) -> dict[str, Any]:
    """Run windows in turn; return the waits with and without the replay."""
    engine = open_engine(url)
    await migrate(engine)
    await many_dead(engine, given.letters)
    async with engine.begin() as ledger:
        act = Act("bench", "measuring", datetime.now(UTC))
        await jobs.ask(ledger, Wish(Filters(), given.rate), act, Threshold())
    role = DeliverRole(spec(Slow(given.call), limits=Limits()), parts(engine, timing=Timing()))
    runner = ReplayRunner(engine, SystemClock(), frozenset(), lambda _target: role.wake())
    async with running(role):
        await window(engine, role, given, "warm")
        for n in range(given.rounds):
            await until_quiet(engine)
            await window(engine, role, given, f"alone-{n}")
            await until_quiet(engine)
            stop = asyncio.Event()
            beside = asyncio.create_task(replay(runner, stop))
            await window(engine, role, given, f"beside-{n}")
            stop.set()
            await beside
        await until_quiet(engine)
    found = {name: await waits(engine, name) for name in ("alone", "beside")}
    async with engine.connect() as ledger:
        begun = sa.select(sa.func.count()).where(replay_item.c.begun_at.is_not(None))
        replayed = await ledger.scalar(begun)
    await engine.dispose()
    return _told(given, found, replayed or 0)


def _told(given: Given, found: dict[str, list[float]], replayed: int) -> dict[str, Any]:
    p95 = {name: _percentile(each, 0.95) for name, each in found.items()}
    return {
        "letters_in_the_job": given.letters,
        "replayed_a_second": round(replayed / (given.rounds * given.seconds), 1),
        "live_orders": {name: len(each) for name, each in found.items()},
        "p50_ms": {name: round(_percentile(each, 0.5) * 1000, 1) for name, each in found.items()},
        "p95_ms": {name: round(each * 1000, 1) for name, each in p95.items()},
        "p95_ratio": round(p95["beside"] / p95["alone"], 3),
        "promised_ratio": PROMISED,
    }


def _percentile(ordered: list[float], share: float) -> float:
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--letters", type=int, default=100_000)
    asked.add_argument("--rounds", type=int, default=4)
    asked.add_argument("--seconds", type=float, default=10)
    asked.add_argument("--live", type=float, default=15)
    asked.add_argument("--rate", type=float, default=20)
    asked.add_argument("--call", type=float, default=0.05)
    given = Given(**vars(asked.parse_args()))
    with tempfile.TemporaryDirectory(prefix="crossdock-beside-") as name:
        servers = OwnServers(Path(name))
        try:
            servers.start("postgres")
            url = servers.addresses.database_url
            found = asyncio.run(measured(given, url))
        finally:
            servers.close()
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
