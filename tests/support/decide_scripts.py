"""Random receipts and acts of people, taken through the pipeline on PostgreSQL and on the model."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from canonical.errors import Rejected
from connectors.base import Receipt
from hub.archive import Archive
from hub.clock import SystemClock
from hub.ledger import tables
from hub.pipeline import Parts, Pipeline
from hub.relay import Relay
from hub.release import holds
from hub.release.holds import Act
from hub.seen import Seen
from hub.telemetry.tracing import Tracing
from hub.workers.jobs import NormalizeResult
from tests.sim import workload
from tests.sim.process import NoTracing
from tests.sim.tables import Engine, Store

_COMPARED: Mapping[str, Sequence[str]] = {
    "document": (
        "id", "verdict", "state", "version", "sequence", "entity", "purpose", "business_key",
        "content_id", "code", "receipt_id",
    ),
    "hold": ("id", "document_id", "kind", "state", "resolution"),
    "delivery": ("id", "target", "action", "state", "version", "after_target", "reference"),
    "key_head": ("business_key", "version", "sequence", "content_id", "document_id"),
    "dead_letter": ("id", "stage", "state", "code", "attempts"),
    "receipt": ("id", "duplicate_of", "sha256"),
    "outbox": ("event_id", "subject"),
}  # fmt: skip

Step = tuple[str, Any]
"""``take`` and receipts; ``release`` or ``reject`` and the place of a hold among the open ones."""


class Silent:
    """A process that nothing happens to."""

    async def step(self, likely: float = 0.0) -> None:
        del likely


class NoPublisher:
    """Refuses nothing and stores nothing: what is published is not compared here."""

    async def publish(self, messages: object) -> None:
        del messages


@dataclass
class Reading:
    """Workers that read what was said, in both worlds."""

    said: dict[str, NormalizeResult]

    async def normalize(self, receipts: Sequence[Receipt]) -> list[NormalizeResult]:
        return [self.said[receipt.id] for receipt in receipts]


@dataclass
class Script:
    """What happens, made by a seed."""

    seed: int
    said: dict[str, NormalizeResult] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        rng = random.Random(self.seed)  # noqa: S311  # a seed
        load = workload.make(rng, 60.0)
        sendings = [each for sender in load.senders for each in sender]
        sendings.sort(key=lambda each: each.at)
        receipts = [self._receipt(each, number) for number, each in enumerate(sendings)]
        while receipts:
            size = rng.randint(1, 3)
            batch, receipts = receipts[:size], receipts[size:]
            self.steps.append(("take", batch))
            if rng.random() < 0.2:
                self.steps.append(("take", batch))  # NATS has lost their acknowledgements
            for act in ("release", "reject"):
                if rng.random() < 0.4:
                    self.steps.append((act, rng.randrange(3)))

    def _receipt(self, sending: workload.Sending, number: int) -> Receipt:
        name = f"r-{number:03}"
        letters = enumerate(sending.letters)
        made = tuple(workload.read(letter, place, mended=False) for place, letter in letters)
        self.said[name] = NormalizeResult(made)
        at = datetime(2026, 5, 5, 8, tzinfo=UTC)
        return Receipt(name, sending.connection, name, at, sending.body)


async def play(script: Script, pipeline: Pipeline, engine: Any, read: Any) -> list[str]:
    """Play a script; return every row after each of its steps."""
    seen = []
    for what, with_it in script.steps:
        if what == "take":
            await pipeline.normalize(with_it)
        else:
            seen.append(await _decided(engine, what, with_it, read))
        seen.append(await read(_COMPARED))
    return seen


async def _decided(engine: Any, what: str, place: int, read: Any) -> str:
    rows = sorted(each for each in (await read({"hold": ("id", "state")})).split("\n"))
    opened = [row.split("'")[1] for row in rows if "'open'" in row]
    if not opened:
        return "nothing is open"
    act = Act("ann", "because", datetime(2026, 5, 5, 9, tzinfo=UTC))
    try:
        async with engine.begin() as ledger:
            if what == "release":
                await holds.release(ledger, opened[place % len(opened)], act, workload.site())
            else:
                await holds.reject(ledger, opened[place % len(opened)], act, workload.site())
    except Rejected as error:
        return error.code
    return what


@dataclass(frozen=True)
class World:
    """A pipeline with its ledger, and how its rows are read."""

    pipeline: Pipeline
    engine: Any
    read: Any


@asynccontextmanager
async def world(
    script: Script, engine: Any, archive: Archive, *, real: bool
) -> AsyncIterator[World]:
    """Open the pipeline of a script on an engine."""
    parts = Parts(
        site=workload.site(),
        engine=engine,
        workers=cast("Any", Reading(script.said)),
        relay=Relay(engine, cast("Any", NoPublisher())),
        archive=archive,
        seen=Seen(None, SystemClock()),
        clock=SystemClock(),
        tracing=cast("Tracing", NoTracing()),
    )
    read = _reader(engine) if real else _model_reader(engine.store)
    yield World(Pipeline(parts), engine, read)


def model_engine() -> Engine:
    """An engine on tables in memory, in the running loop."""
    return Engine(Store(asyncio.get_running_loop()), Silent())


def _reader(engine: AsyncEngine) -> Any:
    async def read(compared: Mapping[str, Sequence[str]]) -> str:
        lines: list[str] = []
        async with engine.connect() as conn:
            for name, columns in compared.items():
                table = tables.metadata.tables[name]
                found = await conn.execute(sa.select(*(table.c[each] for each in columns)))
                lines += sorted(f"{name} {tuple(row)!r}" for row in found)
        return "\n".join(lines)

    return read


def _model_reader(store: Store) -> Any:
    async def read(compared: Mapping[str, Sequence[str]]) -> str:
        lines: list[str] = []
        for name, columns in compared.items():
            rows = store.rows(name)
            lines += sorted(f"{name} {tuple(row[each] for each in columns)!r}" for row in rows)
        return "\n".join(lines)

    return read
