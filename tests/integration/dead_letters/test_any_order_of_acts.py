"""Whatever people do with dead letters, in whatever order, nothing is lost, doubled or overtaken.

Hypothesis plays people and a target: it lets calls go well, be refused, lose their answers or never
arrive, and replays, edits, gives up, restores, asks for jobs and cancels them, in any order. After
each step every promise is looked at; in the end everything that nobody gave up is delivered once.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from canonical.errors import Rejected, Retryable
from hub.archive import Archive
from hub.clock import SystemClock
from hub.dead_letters import archive as archiving
from hub.dead_letters import editing, jobs, letters, replay
from hub.dead_letters.ask import Targets
from hub.dead_letters.filters import Filters, State
from hub.dead_letters.jobs import Threshold, Wish
from hub.dead_letters.plan import Planner
from hub.dead_letters.runner import ReplayRunner
from hub.delivery.courier import Courier, Hand
from hub.delivery.health import Health
from hub.ids import new_id
from hub.ledger import deliveries
from hub.ledger.delivery_rows import Wanted
from hub.ledger.engine import open_engine
from hub.ledger.tables import dead_letter, metadata
from hub.release.holds import Act
from hub.settings.model import Workers
from hub.workers.pool import WorkerPool
from tests.support.deliveries import (
    LIMITS,
    Books,
    PlainRenderer,
    ScriptedTarget,
    Step,
    accepts,
    accepts_and_loses_the_answer,
    fails_with,
    loses_the_call,
    parts,
    spec,
)
from tests.support.hub_world import Background
from tests.support.ledgers import order
from tests.support.paper import ORDER, paper_spec

KEYS, VERSIONS = 1, 3
"""Few, so that what people do meets again and again."""
HOW: dict[str, Step] = {
    "goes well": accepts,
    "is refused": fails_with(Rejected("customer_unknown", "customerNumber")),
    "finds nobody": fails_with(Retryable("unavailable")),
    "loses its answer": accepts_and_loses_the_answer,
    "never arrives": loses_the_call,
}
QUESTIONS: dict[str, Exception | None] = {
    "is answered": None,
    "finds nobody": Retryable("unavailable"),
    "is refused": Rejected("forbidden", "GET /orders"),
}
_LONG = timedelta(days=1)
"""Every wait is over: what waits is due."""
_EMPTIED = (
    *("document", "delivery", "attempt", "outbox", "pause"),
    *("dead_letter", "letter_edit", "replay_job", "replay_item"),
)
"""Tables that every example begins without; the audit trail goes on."""


@dataclass(frozen=True)
class World:
    """What outlives an example."""

    background: Background
    engine: AsyncEngine
    archive: Archive


@pytest.fixture
def world(database: str, tmp_path: Path) -> Iterator[World]:
    """A ledger and an archive, with a loop of their own."""
    background, archive = Background(), Archive(tmp_path / "archive")

    async def opened() -> AsyncEngine:
        return open_engine(database)

    engine = background.run(opened)
    yield World(background, engine, archive)
    background.run(engine.dispose)
    archive.close()
    background.close()


class Letters(RuleBasedStateMachine):
    """The versions of some orders on their way to one target, and people who mind the letters."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.books = Books(world.engine)
        self.target = ScriptedTarget()
        shared = parts(world.engine, rng=random.Random(1))  # noqa: S311  # jitter
        # One that people mind has no breaker that opens, no limit and no budget in the way.
        generous = LIMITS.model_copy(update={"breaker_failures": 10_000, "per_second": 1e6})
        place = spec(self.target, limits=generous)
        health = Health(generous, shared.clock, 1000)
        self.courier = Courier(place, shared, health)
        self.health = health
        self.runner = ReplayRunner(world.engine, SystemClock(), frozenset(), lambda _target: None)
        targets = Targets(lambda name: spec(self.target, name))
        idle = WorkerPool(paper_spec(slip=ORDER), Workers(processes=1))
        self.plans = Planner(world.engine, world.archive, targets, PlainRenderer(), idle)
        self.edits = 0

    def run(self, act: Callable[[], Awaitable[Any]]) -> Any:
        """Do something on the loop of the ledger."""

        async def done() -> Any:
            return await act()

        return self.world.background.run(done)

    def acted(self, act: Callable[[AsyncConnection], Awaitable[Any]]) -> str:
        """Do what a person does, in one transaction; the code where it is refused."""

        async def done() -> str:
            try:
                async with self.world.engine.begin() as ledger:
                    await act(ledger)
            except Rejected as refusal:
                return refusal.code
            return ""

        return str(self.run(done))

    @initialize()
    def orders_are_due(self) -> None:
        """Begin with nothing but a few versions of an order, of which the first is refused."""

        async def begin() -> None:
            async with self.world.engine.begin() as ledger:
                await ledger.execute(sa.text(f"TRUNCATE {', '.join(_EMPTIED)}"))
            for key in range(KEYS):
                for version in range(1, VERSIONS + 1):
                    number = f"PO-{key}"
                    one = await self.books.document(
                        f"{number}.{version}",
                        business_key=f"order/acme/{number}/",
                        version=version,
                        canonical=order(number),
                    )
                    await self.books.delivery(one)

        self.run(begin)
        self.turn(HOW["is refused"])

    @rule(how=st.sampled_from(sorted(HOW)), question=st.sampled_from(sorted(QUESTIONS)))
    def a_try(self, how: str, question: str) -> None:
        """Let the hub make the next try that is due."""
        self.turn(HOW[how], QUESTIONS[question])

    def turn(self, step: Step, question: Exception | None = None) -> bool:
        """Make one try; False: nothing may go now."""
        self.target.script.clear()
        self.target.script.append(step)
        self.target.questions.clear()
        if question is not None:
            self.target.questions.append(question)

        async def carry() -> bool:
            now = datetime.now(UTC)
            later = now + _LONG
            token = new_id(int(now.timestamp() * 1000))
            wanted = Wanted("bc", token, later + _LONG, limit=1, busy=[], yielding=1)
            async with self.world.engine.begin() as ledger:
                found = await deliveries.claim(ledger, wanted, later)
            for claim in found.claims:
                leave = self.health.claimed(is_retry=False)
                await self.courier.carry(Hand(claim, leave, now))
            return bool(found.claims or found.waiting)

        return bool(self.run(carry))

    def letter(self, number: int, *states: str) -> dict[str, Any] | None:
        """One of the letters in these states, as a listing shows it."""

        async def listed() -> list[dict[str, Any]]:
            async with self.world.engine.connect() as ledger:
                return await letters.listing(ledger, Filters(state=State.ALL))

        found = sorted(self.run(listed), key=lambda row: str(row["id"]))
        found = [row for row in found if row["state"] in states]
        return found[number % len(found)] if found else None

    @rule(number=st.integers(0, 20))
    def a_replay(self, number: int) -> None:
        """Replay a letter, whatever its state: those that cannot be refuse."""
        letter = self.letter(number, "open", "replaying", "archived", "replayed")
        if letter is None:
            return
        refused = self.acted(lambda ledger: replay.begin(ledger, letter["id"], act()))
        if refused == "":
            assert letter["state"] == "open"

    @rule(number=st.integers(0, 20))
    def somebody_gives_up(self, number: int) -> None:
        """Archive a letter."""
        letter = self.letter(number, "open", "replaying")
        if letter is not None:
            refused = self.acted(lambda ledger: archiving.archive(ledger, letter["id"], act()))
            assert (refused == "") == (letter["state"] == "open")

    @rule(number=st.integers(0, 20))
    def somebody_takes_that_back(self, number: int) -> None:
        """Restore a letter; refused where a later version has gone."""
        letter = self.letter(number, "archived")
        if letter is not None:
            refused = self.acted(lambda ledger: archiving.restore(ledger, letter["id"], act()))
            assert refused in ("", "later_delivered")

    @rule(number=st.integers(0, 20))
    def an_edit(self, number: int) -> None:
        """Correct the document of a letter."""
        letter = self.letter(number, "open")
        if letter is None:
            return
        self.edits += 1

        async def corrected() -> None:
            before = await editing.original(self.plans, letter)
            said = orjson.loads(before.body)
            said["lines"][0]["quantity"]["value"] = str(self.edits + 2)
            pair = (before, orjson.dumps(said))
            await editing.edit(self.plans, letter, pair, act(), Threshold())

        self.run(corrected)

    @rule()
    def a_job(self) -> None:
        """Ask for a replay of all that is open."""
        wish = Wish(Filters(), per_second=1000)
        self.acted(lambda ledger: jobs.ask(ledger, wish, act(), Threshold()))

    @rule()
    def a_step_of_the_jobs(self) -> None:
        """Let the hub take one."""
        self.run(self.runner.run)

    @rule()
    def the_jobs_are_cancelled(self) -> None:
        """Cancel all that run."""

        async def ids() -> list[str]:
            async with self.world.engine.connect() as ledger:
                return [row["id"] for row in await jobs.listing(ledger, 100) if not row["ended_at"]]

        for job_id in self.run(ids):
            self.acted(lambda ledger, job_id=job_id: jobs.cancel(ledger, job_id, act()))  # type: ignore[misc]

    @invariant()
    def no_effect_is_doubled(self) -> None:
        """Each version takes effect once, at most."""
        assert self.target.doubled() == []

    @invariant()
    def no_version_overtakes_another(self) -> None:
        """Versions of one order take effect in their order."""
        for key in range(KEYS):
            mine = [each for each in self.target.effects if each.startswith(f"XDPO-{key}.")]
            assert mine == sorted(mine)

    @invariant()
    def everything_is_somewhere(self) -> None:
        """The ledger knows of each delivery whether it goes on, went, or waits for a person."""
        sent, found = self.run(self.rows)
        waiting = Counter(row["delivery_id"] for row in found if row["state"] == "open")
        given_up = {row["delivery_id"] for row in found if row["state"] == "archived"}
        for row in sent:
            assert waiting[row["id"]] == (row["state"] == "dead"), row
            assert row["state"] != "cancelled" or row["id"] in given_up, row
            if row["state"] == "delivered":
                assert row["reference"] in self.target.effects, row

    async def rows(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """All deliveries, and all letters."""
        return await self.books.rows(metadata.tables["delivery"]), await self.books.rows(
            dead_letter
        )

    def teardown(self) -> None:
        """Let everybody do what is left to do: then all that was not given up was delivered.

        What was given up is taken back after that, where it may be: once nothing later has gone.
        """
        self.finish()
        for number in range(KEYS * VERSIONS):
            self.somebody_takes_that_back(number)
        self.finish()
        sent, _ = self.run(self.rows)
        for row in sent:
            assert row["state"] in ("delivered", "cancelled"), row
        self.no_effect_is_doubled()
        self.no_version_overtakes_another()

    def finish(self) -> None:
        """Let all calls go well, and replay what is open."""
        for _ in range(10 * KEYS * VERSIONS):
            went = self.turn(accepts)
            self.run(self.runner.run)
            letter = self.letter(0, "open")
            if letter is not None:
                self.acted(lambda ledger, one=letter: replay.begin(ledger, one["id"], act()))  # type: ignore[misc]
            elif not went:
                break


def act() -> Act:
    """Who does it, and why."""
    return Act("ann", "because", datetime.now(UTC))


def test_nothing_is_lost_doubled_or_overtaken_whatever_people_do(world: World) -> None:
    class Here(Letters):
        """The machine in this world."""

        def __init__(self) -> None:
            super().__init__(world)

    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=30,
            phases=(Phase.generate,),  # shrinking would take minutes on a real ledger
            stateful_step_count=15,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
