"""A ledger with deliveries, and targets that misbehave on request, for tests of the deliver role."""

from __future__ import annotations

import asyncio
import json
import os
import random
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from canonical.errors import HubError, InDoubt
from connectors.base import Capabilities, Numbers, Outbound, Settled
from hub.clock import SystemClock
from hub.delivery.parts import DeliverParts, Rendered, TargetSpec, Timing
from hub.delivery.recovery import Policy
from hub.delivery.role import DeliverRole
from hub.ledger.delivery_rows import DeliveryRow, DocumentRow
from hub.ledger.tables import attempt, delivery, document
from hub.settings.model import Limits
from tests.support.waiting import wait_for

QUICK = Policy(
    delays_seconds=(0.02, 0.02, 0.02, 0.02),
    ask_delays_seconds=(0.02,),
    halt_seconds=0.1,
)
TIMING = Timing(
    tick=0.05, lease=1.0, margin=0.2, grace=5.0, ledger=5.0, render=5.0, backoff_cap=0.2
)
LIMITS = Limits(
    concurrency=4,
    per_second=1000,
    timeout_seconds=2.0,
    breaker_failures=50,
    breaker_seconds=0.1,
)
ASKABLE = Capabilities(can_look_up=True)

Step = Callable[["ScriptedTarget", Outbound], Any]


def accepts(target: ScriptedTarget, outbound: Outbound) -> Settled:
    """Take it, and say so."""
    return target.take(outbound)


def accepts_and_loses_the_answer(target: ScriptedTarget, outbound: Outbound) -> Settled:
    """Take it; the connection is reset before the answer."""
    target.take(outbound)
    raise InDoubt("connection_reset", "POST /orders", "the answer was lost")


def loses_the_call(target: ScriptedTarget, outbound: Outbound) -> Settled:
    """Do nothing; the connection is reset."""
    del target, outbound
    raise InDoubt("connection_reset", "POST /orders", "the answer was lost")


def fails_with(error: HubError | Exception) -> Step:
    """Answer with an error; nothing took effect."""

    def step(target: ScriptedTarget, outbound: Outbound) -> Settled:
        del target, outbound
        raise error

    return step


@dataclass
class ScriptedTarget:
    """A target in memory: each call follows the next step of its script, then it accepts.

    Effects are counted as the target itself sees them; `by_reference` scripts single documents.
    """

    script: deque[Step] = field(default_factory=deque)
    by_reference: dict[str, deque[Step]] = field(default_factory=dict)
    questions: deque[Exception] = field(default_factory=deque)
    effects: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    running: int = 0
    most_running: int = 0
    gate: asyncio.Event | None = None
    """While it is not set, calls hang after their effect."""

    def take(self, outbound: Outbound) -> Settled:
        """Let it take effect."""
        self.effects.append(outbound.reference)
        return Settled(f"SO-{outbound.reference}", {"seen": str(len(self.effects))})

    async def deliver(self, outbound: Outbound) -> Settled:
        """Follow the script."""
        self.calls.append(outbound.reference)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            own = self.by_reference.get(outbound.reference, self.script)
            answer = (own.popleft() if own else accepts)(self, outbound)
            if self.gate is not None:
                await self.gate.wait()
            await asyncio.sleep(0)
        finally:
            self.running -= 1
        return answer

    async def look_up(self, outbound: Outbound) -> Settled | None:
        """Tell by reference."""
        self.asked.append(outbound.reference)
        if self.questions:
            raise self.questions.popleft()
        if outbound.reference in self.effects:
            return Settled(f"SO-{outbound.reference}")
        return None

    async def close(self) -> None:
        """Nothing to close."""

    def doubled(self) -> list[str]:
        """References that took effect more than once."""
        return [name for name, count in Counter(self.effects).items() if count > 1]


class JournalTarget:
    """A target whose effects are lines of a file: they outlive every process."""

    def __init__(self, journal: Path) -> None:
        self._journal = journal

    async def deliver(self, outbound: Outbound) -> Settled:
        """Let it take effect, durably."""
        with self._journal.open("a") as file:
            file.write(json.dumps(outbound.reference) + "\n")
            file.flush()
            os.fsync(file.fileno())
        return Settled(f"SO-{outbound.reference}")

    async def look_up(self, outbound: Outbound) -> Settled | None:
        """Tell by reference."""
        found = outbound.reference in self.effects()
        return Settled(f"SO-{outbound.reference}") if found else None

    async def close(self) -> None:
        """Nothing to close."""

    def effects(self) -> list[str]:
        """All effects so far."""
        if not self._journal.exists():
            return []
        return [json.loads(line) for line in self._journal.read_text().splitlines()]


@dataclass
class PlainRenderer:
    """Renders the document's number; refuses or breaks on request."""

    errors: dict[str, deque[Exception]] = field(default_factory=dict)
    numbers: list[Numbers] = field(default_factory=list)

    async def render(self, row: DeliveryRow, source: DocumentRow, numbers: Numbers) -> Rendered:
        """See `Renderer`."""
        self.numbers.append(numbers)
        errors = self.errors.get(row.reference)
        if errors:
            raise errors.popleft()
        body = {"number": source.number}
        return Rendered(body, json.dumps(body).encode(), "v1")


@dataclass
class Told:
    """An observer that remembers."""

    events: list[tuple[str, dict[str, str | float]]] = field(default_factory=list)

    def event(self, name: str, **facts: str | float) -> None:
        """Remember."""
        self.events.append((name, facts))

    def attempt(self, row: DeliveryRow) -> AbstractContextManager[object]:
        """Surround a try with nothing."""
        del row
        return nullcontext()

    def named(self, name: str) -> list[dict[str, str | float]]:
        """The facts of all events of a name."""
        return [facts for told, facts in self.events if told == name]


def parts(engine: AsyncEngine, **changes: Any) -> DeliverParts:
    """The parts of a role in a hurry."""
    base = DeliverParts(
        engine=engine,
        renderer=PlainRenderer(),
        clock=SystemClock(),
        rng=random.Random(7),  # noqa: S311  # jitter
        policy=QUICK,
        timing=TIMING,
    )
    return replace(base, **changes)


def spec(client: Any, name: str = "bc", **changes: Any) -> TargetSpec:
    """A target that can be asked."""
    return replace(TargetSpec(name, client, ASKABLE, LIMITS), **changes)


@asynccontextmanager
async def running(*roles: DeliverRole) -> AsyncIterator[None]:
    """Run roles until the block ends; they must end by themselves then."""
    stop = asyncio.Event()
    tasks = [asyncio.create_task(role.run(stop)) for role in roles]
    try:
        yield
    finally:
        stop.set()
        async with asyncio.timeout(20):
            await asyncio.gather(*tasks)


@dataclass(frozen=True)
class Books:
    """The ledger as tests fill and read it."""

    engine: AsyncEngine

    async def document(self, number: str, **changes: Any) -> str:
        """Add a document in force; its id."""
        row = {
            "id": f"doc-{number}",
            "direction": "in",
            "connection": "acme-edi",
            "partner": "acme",
            "entity": "order",
            "flow": "850",
            "business_key": f"order/acme/{number}/",
            "content_id": f"content-{number}",
            "version": 1,
            "purpose": "original",
            "verdict": "accept",
            "state": "released",
            "number": number,
            "reference": f"XD{number}",
            "amount": 120,
            "currency": "USD",
            "created_at": datetime.now(UTC),
        } | changes
        async with self.engine.begin() as conn:
            await conn.execute(sa.insert(document).values(**row))
        return str(row["id"])

    async def delivery(self, document_id: str, target: str = "bc", **changes: Any) -> str:
        """Add a delivery that is due; its id."""
        now = datetime.now(UTC)
        async with self.engine.begin() as conn:
            found = await conn.execute(sa.select(document).where(document.c.id == document_id))
            of = found.mappings().one()
            row = {
                "document_id": document_id,
                "target": target,
                "action": "create_order",
                "flow": "order",
                "occasion": "",
                "business_key": of["business_key"],
                "version": of["version"] or 1,
                "state": "pending",
                "reference": of["reference"],
                "next_at": now,
                "created_at": now,
            } | changes
            row.setdefault("id", f"{document_id}>{target}{row['action']}{row['occasion']}")
            await conn.execute(sa.insert(delivery).values(**row))
        return str(row["id"])

    async def order(self, number: str, target: str = "bc", **changes: Any) -> str:
        """Add an order and its delivery; the delivery's id."""
        return await self.delivery(await self.document(number), target, **changes)

    async def row(self, table: sa.Table, **where: Any) -> dict[str, Any]:
        """The one row that fits."""
        rows = await self.rows(table, **where)
        assert len(rows) == 1, rows
        return rows[0]

    async def rows(self, table: sa.Table, **where: Any) -> list[dict[str, Any]]:
        """All rows that fit."""
        query = sa.select(table).where(*(table.c[name] == value for name, value in where.items()))
        async with self.engine.connect() as conn:
            return [dict(row) for row in (await conn.execute(query)).mappings()]

    async def state(self, delivery_id: str) -> str:
        """A delivery's state."""
        return str((await self.row(delivery, id=delivery_id))["state"])

    async def states(self) -> Counter[str]:
        """How many deliveries there are of each state."""
        return Counter([row["state"] for row in await self.rows(delivery)])

    async def outcomes(self, delivery_id: str) -> list[str]:
        """The outcomes of its tries, in order."""
        rows = await self.rows(attempt, delivery_id=delivery_id)
        return [row["outcome"] for row in sorted(rows, key=lambda row: row["n"])]

    async def change(self, delivery_id: str, **values: Any) -> None:
        """Change a delivery behind everybody's back."""
        async with self.engine.begin() as conn:
            await conn.execute(
                sa.update(delivery).where(delivery.c.id == delivery_id).values(**values)
            )


async def until(books: Books, delivery_id: str, state: str) -> dict[str, Any]:
    """Wait for a delivery's state; its row."""

    async def there() -> bool:
        return await books.state(delivery_id) == state

    await wait_for(there, deadline=30, what=f"{delivery_id} {state}")
    return await books.row(delivery, id=delivery_id)


async def until_all(books: Books, **states: int) -> None:
    """Wait until there are so many deliveries of each state, and no others."""

    async def there() -> bool:
        return await books.states() == states

    await wait_for(there, deadline=60, what=str(states))
