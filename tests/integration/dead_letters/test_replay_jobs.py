"""Replay jobs: oldest first, order kept, canaries first, at a rate, cancelled, resumed, once."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from canonical.errors import Rejected
from hub.dead_letters import jobs
from hub.dead_letters.filters import Filters, Stage
from hub.dead_letters.jobs import Threshold, Wish
from hub.dead_letters.runner import ReplayRunner
from hub.ledger import audit
from hub.ledger.plans import by_index
from hub.ledger.tables import audit as trail
from hub.ledger.tables import dead_letter, delivery, document, replay_item
from hub.release.holds import Act
from tests.support.dead_letters import Servers, Shell, replaying
from tests.support.deliveries import LIMITS, Books, JournalTarget, fails_with, running
from tests.support.dying import act, begin, role
from tests.support.many_letters import many_dead
from tests.support.processes import Spawner, kill
from tests.support.waiting import wait_for

FAST = Wish(Filters(), per_second=500)
NO_LIMIT = Threshold()
LANES = LIMITS.concurrency // 2
"""What replays may use of a target."""


@dataclass
class Hands:
    """A clock that a test moves by hand."""

    at: datetime = datetime(2026, 5, 5, tzinfo=UTC)

    def now(self) -> datetime:
        """Where the hands stand."""
        return self.at

    def monotonic(self) -> float:
        """The same, as seconds."""
        return self.at.timestamp()


async def ask(at: Servers, wish: Wish = FAST, by: str = "ann", **rest: Any) -> dict[str, Any]:
    """Ask for a job."""
    threshold = rest.get("threshold", NO_LIMIT)
    async with at.engine.begin() as ledger:
        return await jobs.ask(ledger, wish, rest.get("act", act(by)), threshold)


async def status(at: Servers, job: dict[str, Any]) -> dict[str, Any]:
    async with at.engine.connect() as ledger:
        return await jobs.status(ledger, job["id"])


async def until_ended(at: Servers, job: dict[str, Any]) -> dict[str, Any]:
    async def there() -> bool:
        return (await status(at, job))["ended_at"] is not None

    await wait_for(there, deadline=60, what="the end of the job")
    return await status(at, job)


async def replayed(at: Servers, wish: Wish = FAST) -> dict[str, Any]:
    """Ask for a job and let it run to its end."""
    async with running(role(at)), replaying(at):
        return await until_ended(at, await ask(at, wish))


async def outcomes(at: Servers, job: dict[str, Any]) -> list[tuple[str, str]]:
    async with at.engine.connect() as ledger:
        rows = await jobs.items(ledger, job["id"], None, 1000)
    return [(row["number"], row["outcome"]) for row in rows]


async def test_letters_go_the_oldest_first_and_each_has_its_outcome(
    at: Servers, books: Books
) -> None:
    await many_dead(at.engine, 6)
    at.target.by_reference["XD3"] = _refusals(1)
    job = await replayed(at, Wish(Filters(), per_second=500))
    assert (job["state"], job["counts"]) == ("done", {"replayed": 5, "failed_again": 1})
    assert job["money"] == {"USD": "720"}
    assert at.target.doubled() == []
    found = dict(await outcomes(at, job))
    assert found.pop("3") == "failed_again"
    assert set(found.values()) == {"replayed"}
    fresh = await books.row(dead_letter, state="open")
    item = await books.row(replay_item, outcome="failed_again")
    assert item["new_letter"] == fresh["id"]


def _refusals(count: int) -> Any:
    return deque([fails_with(Rejected("customer_blocked"))] * count)


async def test_a_refused_letter_stops_no_other(at: Servers, books: Books) -> None:
    await many_dead(at.engine, 3)
    job = await ask(at)
    second = await books.row(dead_letter, id="letter-0000002")
    await begin(at, second, "bob")
    async with running(role(at)), replaying(at):
        ended = await until_ended(at, job)
    assert ended["counts"] == {"replayed": 2, "refused": 1}
    assert (await books.row(replay_item, outcome="refused"))["code"] == "letter_not_open"


async def test_the_order_of_a_business_key_is_kept(at: Servers) -> None:
    await many_dead(at.engine, 12, versions=4)
    job = await replayed(at)
    assert job["counts"] == {"replayed": 12}
    numbers = [int(each.removeprefix("XD")) for each in at.target.effects]
    for key in range(3):
        mine = [number for number in numbers if (number - 1) // 4 == key]
        assert mine == sorted(mine)


async def test_what_follows_a_failure_of_its_key_stays_open(at: Servers, books: Books) -> None:
    await many_dead(at.engine, 6, versions=3)
    at.target.by_reference["XD1"] = _refusals(1)
    job = await replayed(at)
    assert job["counts"] == {"failed_again": 1, "skipped": 2, "replayed": 3}
    assert (await books.row(dead_letter, id="letter-0000002"))["state"] == "open"
    assert {"XD2", "XD3"} & set(at.target.calls) == set()


async def test_a_canary_that_fails_keeps_all_others_at_home(at: Servers, books: Books) -> None:
    await many_dead(at.engine, 5)
    at.target.by_reference["XD1"] = _refusals(1)
    job = await replayed(at, Wish(Filters(), per_second=500, canary=1))
    assert (job["state"], job["code"]) == ("stopped", "canary_failed")
    assert job["counts"] == {"failed_again": 1, "not_begun": 4}
    assert at.target.calls == ["XD1"]
    assert len(await books.rows(dead_letter, state="open")) == 5  # four, and the one that is new
    async with at.engine.connect() as ledger:
        assert await jobs.arrived(ledger, job) == 0


async def test_canaries_that_go_well_are_followed_by_the_rest(at: Servers) -> None:
    await many_dead(at.engine, 5)
    job = await replayed(at, Wish(Filters(), per_second=500, canary=2))
    assert (job["state"], job["counts"]) == ("done", {"replayed": 5})
    assert set(at.target.calls[:2]) == {"XD1", "XD2"}


async def test_no_more_letters_begin_than_the_rate_allows(at: Servers) -> None:
    await many_dead(at.engine, 50)
    clock = Hands()
    job = await ask(at, Wish(Filters(), per_second=10), act=Act("ann", "x", clock.at))
    runner = ReplayRunner(at.engine, clock, frozenset(), lambda _target: None)
    assert await runner.run() == 1
    assert await runner.run() == 0
    begun = 1
    for _ in range(3):
        clock.at += timedelta(milliseconds=200)
        begun += await runner.run()
    assert begun == 7
    clock.at += timedelta(seconds=20)
    assert await runner.run() <= 5  # what was not used is not saved up
    assert (await status(at, job))["counts"]["begun"] <= 10  # nor more than a window at the target


async def test_the_rest_waits_while_a_window_is_at_the_target(at: Servers) -> None:
    await many_dead(at.engine, 50)
    clock = Hands()
    job = await ask(at, Wish(Filters(), per_second=4), act=Act("ann", "x", clock.at))
    runner = ReplayRunner(at.engine, clock, frozenset(), lambda _target: None)
    for _ in range(20):  # nobody delivers: the target is down
        clock.at += timedelta(seconds=1)
        await runner.run()
    assert (await status(at, job))["counts"] == {"begun": 4, "waiting": 46}


async def test_a_cancelled_job_begins_nothing_and_takes_back_what_rests(
    at: Servers, books: Books
) -> None:
    await many_dead(at.engine, 20)
    job = await ask(at)
    runner = at.runner()
    assert await runner.run() > 0  # due at a target that nobody works for
    async with at.engine.begin() as ledger:
        ended = await jobs.cancel(ledger, job["id"], act("bob"))
    assert (ended["state"], ended["counts"]) == ("cancelled", {"cancelled": 20})
    assert ended["ended_at"] is not None
    assert await runner.run() == 0
    assert {row["state"] for row in await books.rows(dead_letter)} == {"open"}
    assert {row["state"] for row in await books.rows(delivery)} == {"dead"}
    assert {row["state"] for row in await books.rows(document)} == {"dead"}
    with pytest.raises(Rejected, match="job_ended"):
        async with at.engine.begin() as ledger:
            await jobs.cancel(ledger, job["id"], act("bob"))
    again = await replayed(at)
    assert again["counts"] == {"replayed": 20}


async def test_what_is_on_its_way_when_a_job_is_cancelled_ends_by_itself(at: Servers) -> None:
    await many_dead(at.engine, 10)
    at.target.gate = asyncio.Event()
    job = await ask(at)
    async with running(role(at)):
        await at.runner().run()
        await wait_for(lambda: at.target.running == LANES, what="calls under way")
        async with at.engine.begin() as ledger:
            await jobs.cancel(ledger, job["id"], act())
        at.target.gate.set()
        async with replaying(at):
            ended = await until_ended(at, job)
    assert ended["state"] == "cancelled"
    assert ended["counts"] == {"replayed": LANES, "cancelled": 10 - LANES}


async def test_the_same_replay_twice_has_one_effect(at: Servers) -> None:
    await many_dead(at.engine, 8)
    async with running(role(at)), replaying(at):
        first = await ask(at)
        with pytest.raises(Rejected, match=r"already_queued|nothing_chosen"):
            await ask(at, by="bob")
        await until_ended(at, first)
    with pytest.raises(Rejected, match="nothing_chosen"):
        await ask(at)
    assert len(at.target.effects) == 8
    assert at.target.doubled() == []


async def test_operators_who_ask_at_once_share_the_letters(at: Servers, books: Books) -> None:
    await many_dead(at.engine, 40)
    found = await asyncio.gather(
        *(ask(at, by=name) for name in ("ann", "bob", "eve")), return_exceptions=True
    )
    got = [each for each in found if isinstance(each, dict)]
    assert sum(each["total"] for each in got) == 40
    assert all(isinstance(each, dict | Rejected) for each in found)
    async with running(role(at)), replaying(at):
        for each in got:
            await until_ended(at, each)
    assert Counter(at.target.effects) == Counter(f"XD{n}" for n in range(1, 41))
    async with at.engine.connect() as ledger:
        assert await audit.verify(ledger) is None
    actors = {row["actor"] for row in await books.rows(trail, action="dead_letter.replay")}
    assert actors <= {"ann", "bob", "eve"}


async def test_a_job_goes_on_where_it_was_when_its_process_was_killed(
    at: Servers, database: str, tmp_path: Path, spawn: Spawner
) -> None:
    await many_dead(at.engine, 150)
    journal = JournalTarget(tmp_path / "effects")
    job = await ask(at, Wish(Filters(), per_second=200))
    program = ["-m", "tests.support.replay_process", database, str(tmp_path)]
    for killed_at in (20, 60):
        process = spawn.python(program, log=tmp_path / "log")
        await wait_for(lambda n=killed_at: len(journal.effects()) >= n, 60, "effects")  # type: ignore[misc]
        kill(process)
    spawn.python(program, log=tmp_path / "log")
    ended = await until_ended(at, job)
    assert ended["counts"] == {"replayed": 150}
    assert Counter(journal.effects()) == Counter(f"XD{n}" for n in range(1, 151))


async def test_above_the_threshold_a_second_person_must_approve(at: Servers) -> None:
    await many_dead(at.engine, 3)
    job = await ask(at, threshold=Threshold(letters=2))
    assert job["state"] == "awaiting_approval"
    assert await at.runner().run() == 0
    with pytest.raises(Rejected, match="second_person_needed"):
        async with at.engine.begin() as ledger:
            await jobs.approve(ledger, job["id"], act("ann"))
    async with at.engine.begin() as ledger:
        approved = await jobs.approve(ledger, job["id"], act("bob"))
    assert (approved["state"], approved["approved_by"]) == ("running", "bob")
    async with running(role(at)), replaying(at):
        assert (await until_ended(at, job))["counts"] == {"replayed": 3}


async def test_value_counts_too_and_a_refused_job_leaves_its_letters_open(
    at: Servers, books: Books
) -> None:
    await many_dead(at.engine, 3)
    job = await ask(at, threshold=Threshold(value=Decimal(300)))
    assert job["state"] == "awaiting_approval"
    async with at.engine.begin() as ledger:
        refused = await jobs.approve(ledger, job["id"], act("bob"), yes=False)
    assert (refused["state"], refused["counts"]) == ("refused", {"not_begun": 3})
    assert len(await books.rows(dead_letter, state="open")) == 3
    assert (await ask(at, threshold=Threshold(value=Decimal(360))))["state"] == "running"


async def test_a_job_stops_where_the_hub_runs_no_mapping_of_the_version(at: Servers) -> None:
    await many_dead(at.engine, 2)
    wish = Wish(Filters(), per_second=500, map_version="abc123")
    async with running(role(at)), replaying(at, frozenset({"def456"})):
        stopped = await until_ended(at, await ask(at, wish))
    assert (stopped["state"], stopped["code"]) == ("stopped", "mapping_version_unknown")
    assert at.target.calls == []
    async with running(role(at)), replaying(at, frozenset({"abc1234567"})):
        assert (await until_ended(at, await ask(at, wish)))["counts"] == {"replayed": 2}


async def test_a_guard_refuses_more_letters_than_were_expected(at: Servers) -> None:
    await many_dead(at.engine, 5)
    with pytest.raises(Rejected, match="too_many"):
        await ask(at, Wish(Filters(), 500, most=4))
    assert (await ask(at, Wish(Filters(limit=4), 500, most=4)))["total"] == 4


async def test_a_job_is_in_the_audit_trail_from_asking_to_its_end(
    at: Servers, books: Books
) -> None:
    await many_dead(at.engine, 2)
    job = await replayed(at)
    rows = sorted(await books.rows(trail), key=lambda row: row["seq"])
    assert [row["action"] for row in rows] == [
        "replay_job.ask",
        "dead_letter.replay",
        "dead_letter.replay",
        "replay_job.end",
    ]
    assert (rows[0]["subject"], rows[0]["actor"]) == (job["id"], "ann")
    assert rows[0]["after"]["total"] == 2
    assert rows[3]["after"]["counts"] == {"replayed": 2}


async def test_jobs_by_command(at: Servers, desk: Shell) -> None:
    await many_dead(at.engine, 3)
    job = await desk.json("replay", "--target", "bc", "--reason", "x", "--yes", "--no-wait")
    assert (job["state"], job["counts"]) == ("running", {"waiting": 3})
    (listed,) = await desk.json("status")
    assert listed["id"] == job["id"]
    shown = await desk.json("status", job["id"][:13], "--outcome", "waiting")
    assert [row["number"] for row in shown["items"]] == ["1", "2", "3"]
    twice = await desk.run("replay", "--target", "bc", "--reason", "x", "--yes", "--no-wait")
    assert twice.exit_code == 4
    ended = await desk.json("cancel", job["id"], "--reason", "wrong ones")
    assert ended["state"] == "cancelled"
    assert (await desk.run("status", "ffffffff")).exit_code == 3
    table = await desk.run("status", job["id"])
    assert "cancelled" in table.stdout


async def test_a_job_tells_what_has_come_since_that_its_filters_would_choose(
    at: Servers, books: Books
) -> None:
    await many_dead(at.engine, 2)
    job = await ask(at, Wish(Filters(target="bc", stage=Stage.DELIVER), 500))
    assert job["total"] == 2
    later = {"id": "letter-later", "opened_at": datetime.now(UTC) + timedelta(minutes=1)}
    first = await books.row(dead_letter, id="letter-0000001")
    async with at.engine.begin() as ledger:
        await ledger.execute(sa.insert(dead_letter).values(**first | later))
        elsewhere = {"id": "letter-elsewhere", "target": "lakeside"}
        await ledger.execute(sa.insert(dead_letter).values(**first | later | elsewhere))
        assert await jobs.arrived(ledger, job) == 1


async def test_no_step_of_a_job_reads_a_table_whole(at: Servers) -> None:
    await many_dead(at.engine, 3000)
    clock = Hands()
    job = await ask(at, Wish(Filters(), per_second=20), act=Act("ann", "x", clock.at))
    clock.at += timedelta(seconds=1)
    plans = await _plans(at, job, clock)
    assert plans
    assert [plan for plan in plans if "Seq Scan" in plan and "audit_head" not in plan] == []


async def _plans(at: Servers, job: dict[str, Any], clock: Hands) -> Sequence[str]:
    """The plans of every statement of two steps, as PostgreSQL made them while they ran."""
    plans: list[str] = []
    asked: list[tuple[str, Any]] = []

    def remember(*given: Any) -> None:
        if given[2].startswith(("SELECT", "UPDATE")) and "pg_advisory" not in given[2]:
            asked.append((given[2], given[3]))

    sa.event.listen(at.engine.sync_engine, "before_cursor_execute", remember)
    runner = ReplayRunner(at.engine, clock, frozenset(), lambda _target: None)
    assert await runner.run() > 0
    clock.at += timedelta(seconds=1)
    await runner.run()
    async with at.engine.begin() as ledger:
        await jobs.status(ledger, job["id"])
    sa.event.remove(at.engine.sync_engine, "before_cursor_execute", remember)
    async with at.engine.begin() as ledger:
        await by_index(ledger)
        for statement, given in asked:
            found = await ledger.exec_driver_sql(f"EXPLAIN {statement}", given)
            plans.append("\n".join(found.scalars()))
    return plans
