"""What a replay would meet, without an effect."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from canonical.errors import Rejected, Retryable
from connectors.base import Capabilities, Outbound
from hub.dead_letters import letters
from hub.dead_letters.ask import Targets
from hub.dead_letters.diff import diff
from hub.dead_letters.filters import Filters
from hub.dead_letters.plan import Planner
from hub.delivery.role import DeliverRole
from hub.ledger.tables import (
    attempt,
    control_counter,
    control_number,
    dead_letter,
    document,
    receipt,
)
from hub.render import WorkerRenderer
from hub.workers.pool import WorkerPool
from hub.workers.spec import WorkerSpec
from tests.support.dead_letters import ONE, SITE, Servers, Shell
from tests.support.deliveries import (
    Books,
    ScriptedTarget,
    fails_with,
    parts,
    running,
    spec,
    until,
)
from tests.support.dying import (
    BROKEN,
    REPAIRED,
    failed_slips,
    role,
    slip,
)
from tests.support.ledgers import order
from tests.support.paper import paper_mapping, paper_order, paper_spec


@asynccontextmanager
async def planner(at: Servers, mappings: WorkerSpec, **changes: Any) -> AsyncIterator[Planner]:
    """Plans with the paper mappings; all targets are the scripted one."""
    targets = Targets(lambda name: spec(at.target, name, **changes))
    async with WorkerPool(mappings, ONE) as workers:
        renderer = WorkerRenderer(workers, SITE.control_points)
        yield Planner(at.engine, at.archive, targets, renderer, workers)
    await targets.close()


async def forecast(
    at: Servers, mappings: WorkerSpec | None = None, **changes: Any
) -> dict[str, Any]:
    async with at.engine.connect() as ledger:
        (letter,) = await letters.listing(ledger, Filters())
    async with planner(at, mappings or paper_spec(), **changes) as plans:
        return (await plans.plan(letter)).row()


async def dead_note(at: Servers, books: Books) -> str:
    """Let a paper note to `desk` die, with a later version behind it; its delivery."""
    at.target.script.append(fails_with(Rejected("refused")))
    notes = [
        await books.document(f"{n}", business_key="k", version=n, canonical=order(f"PO-{n}"))
        for n in (1, 2)
    ]
    ids = [await books.delivery(each, "desk", flow="note") for each in notes]
    async with running(DeliverRole(spec(at.target, "desk"), parts(at.engine))):
        await until(books, ids[0], "dead")
    return ids[0]


async def test_a_plan_says_whether_the_target_has_it_and_what_waits(
    at: Servers, books: Books
) -> None:
    await dead_note(at, books)
    absent = await forecast(at)
    assert (absent["at_target"], absent["mapping"], absent["code"]) == (
        "not_there",
        "would_pass",
        "",
    )
    assert [(each["number"], each["version"]) for each in absent["waiting"]] == [("2", 2)]
    at.target.effects.append("XD1")
    there = await forecast(at)
    assert (there["at_target"], there["external_id"]) == ("there", "SO-XD1")
    assert at.target.calls == ["XD1"]


@pytest.mark.parametrize(
    ("answer", "code"),
    [(Retryable("unavailable"), "unavailable"), (ValueError("a bug"), "look_up_failed")],
)
async def test_a_plan_says_when_it_does_not_know(
    at: Servers, books: Books, answer: Exception, code: str
) -> None:
    await dead_note(at, books)
    at.target.questions.append(answer)
    row = await forecast(at)
    assert (row["at_target"], row["ask_code"], row["code"]) == ("unknown", code, "")


async def test_a_plan_says_when_nobody_can_be_asked(at: Servers, books: Books) -> None:
    await dead_note(at, books)
    row = await forecast(at, capabilities=Capabilities())
    assert (row["at_target"], row["ask_code"]) == ("unknown", "cannot_ask")
    assert at.target.asked == []


async def test_a_plan_takes_no_control_number(at: Servers, books: Books) -> None:
    await dead_note(at, books)
    row = await forecast(at, control_scope="US/THEM/P")
    assert row["mapping"] == "would_pass"
    assert await books.rows(control_number) == []
    assert await books.rows(control_counter) == []


async def test_a_plan_asks_even_about_what_no_longer_maps(at: Servers, books: Books) -> None:
    await dead_note(at, books)
    nothing = paper_spec()
    row = await forecast(at, replace(nothing, mappings=()))
    assert (row["at_target"], row["mapping"], row["code"]) == (
        "not_there",
        "would_fail",
        "mapping_missing",
    )


async def test_a_plan_tries_todays_mapping_on_the_archived_bytes(at: Servers, books: Books) -> None:
    await failed_slips(at, paper_order("PO-1"), slip("PO-2"))
    still = await forecast(at, paper_spec(slip=BROKEN))
    assert (still["mapping"], still["code"], still["where"]) == (
        "would_fail",
        "terms_unknown",
        "lines[0].unit",
    )
    fixed = await forecast(at, paper_spec(slip=REPAIRED))
    assert (fixed["mapping"], fixed["number"], fixed["at_target"]) == ("would_pass", "PO-2", "")
    assert fixed["mapping_version"] == paper_mapping("slip.order", REPAIRED).version
    assert len(await books.rows(receipt)) == 1


async def test_a_renderer_that_breaks_is_a_row_of_the_plan_like_any_other(
    at: Servers, books: Books
) -> None:
    await dead_note(at, books)
    async with at.engine.begin() as conn:
        await conn.execute(sa.update(document).values(canonical={"secret": "value"}))
    row = await forecast(at)
    assert (row["mapping"], row["code"], row["detail"]) == (
        "would_fail",
        "render_failed",
        "ValidationError",
    )
    assert row["at_target"] == "not_there"


async def test_planning_by_command_asks_the_target_and_tries_the_mapping(
    at: Servers, books: Books, desk: Shell
) -> None:
    """The target is away here, so it says that it does not know; the mapping is the shipped one."""
    at.target.script.append(fails_with(Rejected("customer_unknown")))
    made = await books.document("1", canonical=order())
    one = await books.delivery(made, flow="salesOrder")
    async with running(role(at)):
        await until(books, one, "dead")
    tried = await books.rows(attempt)
    (row,) = await desk.json("plan", "--target", "bc")
    assert (row["at_target"], row["mapping"]) == ("unknown", "would_pass")
    assert row["ask_code"]
    assert await books.rows(attempt) == tried
    assert (await books.row(dead_letter))["state"] == "open"


@dataclass
class Telling(ScriptedTarget):
    """A target that also tells what it has."""

    has: dict[str, Any] | None = None

    async def at_target(self, outbound: Outbound) -> dict[str, Any] | None:
        """What a test put there."""
        del outbound
        return self.has


async def test_a_plan_says_whether_the_target_has_the_same(at: Servers, books: Books) -> None:
    await dead_note(at, books)
    target = Telling(effects=["XD1"])
    row = await forecast(replace(at, target=target))
    assert (row["at_target"], row["same"]) == ("there", "")
    sent = await _sent_body(replace(at, target=target))
    target.has = sent | {"id": "of its own"}
    assert (await forecast(replace(at, target=target)))["same"] == "identical"
    place = sorted(sent)[0]
    target.has = sent | {place: "something else"}
    row = await forecast(replace(at, target=target))
    assert (row["same"], [each.split("[")[0] for each in row["different"]]) == (
        "different",
        [place],
    )
    assert "something else" not in str(row)


async def _sent_body(at: Servers) -> dict[str, Any]:
    """What the letter's delivery would say."""
    async with at.engine.connect() as ledger:
        (letter,) = await letters.listing(ledger, Filters())
    async with planner(at, paper_spec()) as plans:
        return dict((await plans.prepare(letter)).rendered.body)


async def test_a_plain_refusal_is_not_there_though_a_new_client_cannot_know_it(
    at: Servers, books: Books
) -> None:
    await dead_note(at, books)
    at.target.questions.append(Retryable("answer_still_open", retry_after=60))
    assert (await forecast(at))["at_target"] == "not_there"


async def test_a_lost_request_that_may_be_at_work_stays_unknown_until_its_time_is_over(
    at: Servers, books: Books
) -> None:
    one = await dead_note(at, books)
    async with at.engine.begin() as ledger:
        await ledger.execute(sa.update(attempt).values(outcome="in_doubt"))
    still = Retryable("answer_still_open", retry_after=3600)
    at.target.questions.append(still)
    row = await forecast(at)
    assert (row["at_target"], row["ask_code"]) == ("unknown", "answer_still_open")
    past = datetime.now(UTC) - timedelta(hours=2)
    async with at.engine.begin() as ledger:
        mine = attempt.c.delivery_id == one
        await ledger.execute(sa.update(attempt).where(mine).values(started_at=past, ended_at=past))
    at.target.questions.append(still)
    assert (await forecast(at))["at_target"] == "not_there"


async def test_a_plan_warns_of_a_change_to_an_order_that_was_shipped(
    at: Servers, books: Books
) -> None:
    await dead_note(at, books)
    async with at.engine.begin() as ledger:
        await ledger.execute(sa.update(document).values(entity="order_change", po_key="C1|1"))
    assert tuple((await forecast(at))["warnings"]) == ()
    await books.document("s-1", entity="shipment", po_key="C1|1", business_key="shipment/s-1")
    assert tuple((await forecast(at))["warnings"]) == ("order_shipped",)


async def test_a_diff_shows_values_of_what_was_sent_and_what_would_be_sent_now(
    at: Servers, books: Books
) -> None:
    one = await dead_note(at, books)
    sent = await _sent_body(at)
    before = orjson.dumps(sent | {"extra": "of then"})
    (place,) = at.archive.keep([before], datetime.now(UTC))
    await books.change(one, archive=place, sent_sha256=hashlib.sha256(before).hexdigest())
    async with at.engine.connect() as ledger:
        (letter,) = await letters.listing(ledger, Filters())
    async with planner(at, paper_spec()) as plans:
        (row,) = await diff(plans, letter)
        assert row["of"] == "sent"
        assert "of then" in row["left"]
        assert "of then" not in row["right"]
        await books.change(one, archive=None)
        with pytest.raises(Rejected, match="nothing_to_compare"):
            await diff(plans, letter)
