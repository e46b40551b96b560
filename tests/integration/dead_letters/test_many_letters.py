"""Many thousand letters: what is listed is read from an index, what is cancelled is so at once."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from hub.dead_letters import jobs, letters
from hub.dead_letters.filters import Filters, State
from hub.dead_letters.jobs import Threshold, Wish
from hub.ledger import replays
from hub.ledger.tables import replay_item
from tests.support.dead_letters import Servers
from tests.support.dying import act
from tests.support.many_letters import many_dead

MANY = 2 * replays.MOST_ENDED + 1000


async def ask(at: Servers) -> dict[str, Any]:
    async with at.engine.begin() as ledger:
        return await jobs.ask(ledger, Wish(Filters(), 20), act(), Threshold())


async def plan_of(at: Servers, filters: Filters) -> str:
    """The plan of a listing, of the very statement that the driver was given."""
    asked: list[tuple[str, Any]] = []

    def remember(*given: Any) -> None:
        asked.append((given[2], given[3]))

    async with at.engine.connect() as ledger:
        sa.event.listen(at.engine.sync_engine, "before_cursor_execute", remember)
        await letters.listing(ledger, filters)
        sa.event.remove(at.engine.sync_engine, "before_cursor_execute", remember)
        statement, given = asked[-1]
        return "\n".join((await ledger.exec_driver_sql(f"EXPLAIN {statement}", given)).scalars())


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        (Filters(limit=101), "ix_dead_letter_waiting"),
        (Filters(limit=101, state=State.OPEN), "ix_dead_letter_waiting"),
        (Filters(limit=101, target="bc", error="customer_unknown"), "ix_dead_letter_waiting"),
        (Filters(limit=101, state=State.ALL), "ix_dead_letter_opened_at"),
    ],
    ids=["usual", "open", "of_a_target", "all"],
)
async def test_the_oldest_of_many_letters_are_found_without_sorting_them(
    at: Servers, filters: Filters, index: str
) -> None:
    await many_dead(at.engine, MANY)
    plan = await plan_of(at, filters)
    assert index in plan
    assert "Sort" not in plan
    assert "Seq Scan" not in plan


async def test_a_job_of_many_letters_is_cancelled_by_a_few_rows(at: Servers) -> None:
    await many_dead(at.engine, MANY)
    job = await ask(at)
    async with at.engine.begin() as ledger:
        ended = await jobs.cancel(ledger, job["id"], act("bob"))
        rows = await jobs.items(ledger, job["id"], "cancelled", MANY)
        count = sa.select(sa.func.count()).select_from(replay_item)
        written = await ledger.scalar(count.where(replay_item.c.state == "ended"))
    assert (ended["state"], ended["counts"]) == ("cancelled", {"cancelled": MANY})
    assert ended["ended_at"] is None
    assert [row["seq"] for row in rows] == list(range(1, MANY + 1))
    assert written == replays.MOST_ENDED
    runner = at.runner()
    for _ in range(2):
        assert await runner.run() == 0  # nothing begins; what is left is tidied up
    async with at.engine.connect() as ledger:
        now = await jobs.status(ledger, job["id"])
    assert now["ended_at"] is not None
    assert now["counts"] == {"cancelled": MANY}


async def test_letters_of_a_cancelled_job_may_be_asked_for_again_at_once(at: Servers) -> None:
    await many_dead(at.engine, MANY)
    job = await ask(at)
    async with at.engine.begin() as ledger:
        await jobs.cancel(ledger, job["id"], act())
    again = await ask(at)
    assert (again["total"], again["left_out"]) == (MANY, 0)
