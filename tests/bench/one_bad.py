"""What other deliveries notice of one bad key or one bad target: `make one-bad`.

    python -m tests.bench.one_bad [--rounds 6] [--seconds 6] [--live 15] [--call 0.05]

Two deliver roles on a PostgreSQL of their own, each with a target that takes a while to answer. Live
orders come to the first at a steady rate; meanwhile one thing is bad:

===================  ============================================================================
``slow_key``         changes of one order at the same target, each of which takes a second
``poisoned_key``     an order that the same target fails to take again and again, its changes behind
``slow_target``      hundreds of orders for the other target, which answers nothing until given up
``dead_target``      hundreds of orders for the other target, which refuses every call
===================  ============================================================================

Windows with and without it take turns, so that whatever else the machine does falls on both: what
counts is the ratio of the two, which may be 1.1.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from canonical.errors import Retryable
from connectors.base import Outbound, Settled
from hub.delivery.parts import Timing
from hub.delivery.role import DeliverRole
from hub.ledger.engine import migrate, open_engine
from hub.ledger.tables import delivery, document
from hub.settings.model import Limits
from tests.bench.replay_beside import Given, until_quiet, waits, window
from tests.support.deliveries import QUICK, parts, running, spec
from tests.support.own_servers import OwnServers

PROMISED = 1.1
_SLOW_SECONDS = 1.0
_CHANGES, _ORDERS = 40, 300


@dataclass(frozen=True)
class Bad:
    """Rows that go wrong: so many, of one key or of as many, for a target."""

    target: str
    count: int
    one_key: bool


SCENARIOS = {
    "slow_key": Bad("bc", _CHANGES, one_key=True),
    "poisoned_key": Bad("bc", _CHANGES, one_key=True),
    "slow_target": Bad("wms", _ORDERS, one_key=False),
    "dead_target": Bad("wms", _ORDERS, one_key=False),
}


@dataclass
class Moody:
    """A target that takes its time, and treats what is bad by the scenario of the day."""

    seconds: float
    scenario: str = ""

    async def deliver(self, outbound: Outbound) -> Settled:
        """Take it, slowly or never."""
        if not outbound.reference.startswith("bad-"):
            await asyncio.sleep(self.seconds)
        elif self.scenario == "slow_key":
            await asyncio.sleep(_SLOW_SECONDS)
        elif self.scenario == "slow_target":
            await asyncio.sleep(3600)
        elif self.scenario:
            raise Retryable("unavailable")
        return Settled(f"SO-{outbound.reference}")

    async def look_up(self, outbound: Outbound) -> Settled | None:
        """Answer as slowly."""
        if self.scenario == "slow_target" and outbound.reference.startswith("bad-"):
            await asyncio.sleep(3600)
        if self.scenario == "dead_target":
            raise Retryable("unavailable")
        return None

    async def close(self) -> None:
        """Nothing to close."""


async def spoil(engine: AsyncEngine, name: str, bad: Bad) -> None:
    """Write what goes wrong, due at once."""
    now, documents, deliveries = datetime.now(UTC), [], []
    for n in range(bad.count):
        number, order = f"bad-{name}-{n}", f"bad-{name}" if bad.one_key else f"bad-{name}-{n}"
        key, version = f"order/acme/{order}/", n + 1 if bad.one_key else 1
        documents.append({
            "id": number, "direction": "in", "connection": "acme-edi", "partner": "acme",
            "entity": "order", "flow": "850", "business_key": key, "content_id": number,
            "version": version, "purpose": "original", "verdict": "accept", "state": "accepted",
            "number": order, "reference": order, "created_at": now,
        })  # fmt: skip
        deliveries.append({
            "id": f"{number}>", "document_id": number, "target": bad.target,
            "action": "create_order", "flow": "order", "business_key": key, "version": version,
            "state": "pending", "reference": order, "next_at": now, "created_at": now,
        })  # fmt: skip
    async with engine.begin() as ledger:
        await ledger.execute(sa.insert(document), documents)
        await ledger.execute(sa.insert(delivery), deliveries)


async def make_good(engine: AsyncEngine) -> None:
    """Give up what is left of it."""
    bad = sa.and_(delivery.c.document_id.startswith("bad-"), delivery.c.claim_token.is_(None))
    left = delivery.c.state.in_(("pending", "in_doubt"))
    async with engine.begin() as ledger:
        given_up = {"state": "cancelled", "next_at": None}
        await ledger.execute(sa.update(delivery).where(bad, left).values(**given_up))


async def at_rest(engine: AsyncEngine, targets: dict[str, Moody]) -> None:
    """Wait until nothing bad is under way any more."""
    for target in targets.values():
        target.scenario = ""
    quiet = asyncio.create_task(until_quiet(engine))
    while not quiet.done():
        await make_good(engine)
        await asyncio.wait([quiet], timeout=0.2)


async def measured(given: Given, url: str) -> dict[str, Any]:
    """Run windows in turn; return the waits with and without each of the bad things."""
    engine = open_engine(url)
    await migrate(engine)
    targets = {name: Moody(given.call) for name in ("bc", "wms")}
    limits = Limits(timeout_seconds=5)
    patient = replace(QUICK, delays_seconds=(0.2,) * 600)
    shared = parts(engine, timing=Timing(), policy=patient)
    roles = {
        name: DeliverRole(spec(target, name, limits=limits), shared)
        for name, target in targets.items()
    }
    async with running(*roles.values()):
        await window(engine, roles["bc"], given, "warm")
        for n in range(given.rounds):
            for name, bad in SCENARIOS.items():
                await at_rest(engine, targets)
                await window(engine, roles["bc"], given, f"alone-{name}-{n}")
                await at_rest(engine, targets)
                for target in targets.values():
                    target.scenario = name
                await spoil(engine, f"{name}-{n}", bad)
                roles[bad.target].wake()
                await window(engine, roles["bc"], given, f"beside-{name}-{n}")
        await at_rest(engine, targets)
    found = {
        name: _told(*[await waits(engine, f"{with_it}-{name}") for with_it in ("alone", "beside")])
        for name in SCENARIOS
    }
    await engine.dispose()
    return {"live_a_second": given.live, "promised_ratio": PROMISED} | found


def _told(alone: list[float], beside: list[float]) -> dict[str, Any]:
    p50, p95 = ([_percentile(each, share) for each in (alone, beside)] for share in (0.5, 0.95))
    return {
        "live_orders": [len(alone), len(beside)],
        "p50_ms": [round(each * 1000, 1) for each in p50],
        "p95_ms": [round(each * 1000, 1) for each in p95],
        "p95_ratio": round(p95[1] / p95[0], 3),
    }


def _percentile(ordered: list[float], share: float) -> float:
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    asked.add_argument("--rounds", type=int, default=6)
    asked.add_argument("--seconds", type=float, default=6)
    asked.add_argument("--live", type=float, default=15)
    asked.add_argument("--call", type=float, default=0.05)
    given = Given(letters=0, rate=0, **vars(asked.parse_args()))
    with tempfile.TemporaryDirectory(prefix="crossdock-one-bad-") as name:
        servers = OwnServers(Path(name))
        try:
            servers.start("postgres")
            found = asyncio.run(measured(given, servers.addresses.database_url))
        finally:
            servers.close()
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
