"""What becomes of one delivery: one effect at the target, whatever its answer."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from canonical.errors import ConfigError, InDoubt, Rejected, Retryable
from connectors.base import Capabilities
from hub.delivery.role import DeliverRole
from hub.ledger.tables import attempt, dead_letter, delivery, document
from tests.support.deliveries import (
    LIMITS,
    QUICK,
    Books,
    PlainRenderer,
    ScriptedTarget,
    Told,
    accepts_and_loses_the_answer,
    fails_with,
    loses_the_call,
    parts,
    running,
    spec,
    until,
)
from tests.support.waiting import wait_for


async def test_a_due_delivery_is_made_and_settled(
    books: Books, role: DeliverRole, target: ScriptedTarget
) -> None:
    one = await books.order("1")
    async with running(role):
        row = await until(books, one, "delivered")
    assert target.effects == ["XD1"]
    assert row["external_id"] == "SO-XD1"
    assert row["facts"] == {"seen": "1"}
    assert row["settled_at"] is not None
    assert row["claim_token"] is row["claimed_until"] is row["next_at"] is None
    assert len(row["sent_sha256"]) == 64
    assert await books.outcomes(one) == ["delivered"]
    assert (await books.row(document))["state"] == "delivered"


async def test_a_lost_answer_is_asked_about_and_found(
    books: Books, role: DeliverRole, target: ScriptedTarget
) -> None:
    target.script.append(accepts_and_loses_the_answer)
    one = await books.order("1")
    async with running(role):
        row = await until(books, one, "delivered")
    assert target.effects == ["XD1"]
    assert row["external_id"] == "SO-XD1"
    assert await books.outcomes(one) == ["in_doubt", "asked_found"]


async def test_a_lost_call_is_asked_about_and_made_again(
    books: Books, role: DeliverRole, target: ScriptedTarget
) -> None:
    target.script.append(loses_the_call)
    one = await books.order("1")
    async with running(role):
        await until(books, one, "delivered")
    assert target.effects == ["XD1"]
    assert target.asked == ["XD1"]
    assert await books.outcomes(one) == ["in_doubt", "delivered"]


async def test_while_the_target_cannot_be_asked_now_it_stays_in_doubt(
    books: Books, role: DeliverRole, target: ScriptedTarget
) -> None:
    target.script.append(accepts_and_loses_the_answer)
    target.questions.extend([Retryable("unavailable"), ValueError("a bug")])
    one = await books.order("1")
    async with running(role):
        await until(books, one, "delivered")
    assert target.calls == ["XD1"]
    assert await books.outcomes(one) == ["in_doubt", "ask_failed", "ask_failed", "asked_found"]


async def test_a_hanging_target_is_given_up_at_the_deadline_and_asked(
    books: Books, target: ScriptedTarget
) -> None:
    target.gate = asyncio.Event()
    limits = LIMITS.model_copy(update={"timeout_seconds": 0.2})
    role = DeliverRole(spec(target, limits=limits), parts(books.engine))
    one = await books.order("1")
    async with running(role):
        await until(books, one, "delivered")
    assert target.effects == ["XD1"]
    assert (await books.row(attempt, n=1))["code"] == "deliver_timeout"


async def test_what_cannot_be_asked_goes_to_a_person(books: Books, target: ScriptedTarget) -> None:
    target.script.append(accepts_and_loses_the_answer)
    role = DeliverRole(spec(target, capabilities=Capabilities()), parts(books.engine))
    one = await books.order("1")
    async with running(role):
        row = await until(books, one, "dead")
    assert row["code"] == "in_doubt_unanswerable"
    assert target.calls == ["XD1"]


async def test_an_idempotent_target_is_simply_sent_it_again(
    books: Books, target: ScriptedTarget
) -> None:
    target.script.append(loses_the_call)
    role = DeliverRole(
        spec(target, capabilities=Capabilities(idempotent=True)), parts(books.engine)
    )
    one = await books.order("1")
    async with running(role):
        await until(books, one, "delivered")
    assert target.asked == []
    assert target.calls == ["XD1", "XD1"]


async def test_a_client_that_breaks_leaves_the_delivery_in_doubt(
    books: Books, role: DeliverRole, target: ScriptedTarget
) -> None:
    target.script.append(fails_with(KeyError("a bug")))
    one = await books.order("1")
    async with running(role):
        await until(books, one, "delivered")
    first = await books.row(attempt, n=1)
    assert (first["outcome"], first["code"], first["detail"]) == (
        "in_doubt",
        "deliver_failed",
        "KeyError",
    )


async def test_a_passing_fault_is_tried_again(
    books: Books, role: DeliverRole, target: ScriptedTarget
) -> None:
    target.script.extend([fails_with(Retryable("unavailable", "POST /orders"))] * 3)
    one = await books.order("1")
    async with running(role):
        row = await until(books, one, "delivered")
    assert await books.outcomes(one) == ["retry", "retry", "retry", "delivered"]
    assert target.asked == []
    assert row["code"] is row["place"] is row["detail"] is None


async def test_a_fault_that_does_not_pass_becomes_a_dead_letter(
    books: Books, role: DeliverRole, target: ScriptedTarget
) -> None:
    target.script.extend([fails_with(Retryable("unavailable", "POST /orders"))] * 99)
    one = await books.order("1")
    async with running(role):
        await until(books, one, "dead")
    assert len(target.calls) == 5
    assert (await books.row(dead_letter))["attempts"] == 5


async def test_throttling_is_never_counted_as_a_failure(
    books: Books, role: DeliverRole, target: ScriptedTarget
) -> None:
    busy = Retryable("too_many_requests", retry_after=0.01, throttled=True)
    target.script.extend([fails_with(busy)] * 8)
    one = await books.order("1")
    async with running(role):
        await until(books, one, "delivered")
    assert await books.outcomes(one) == ["throttled"] * 8 + ["delivered"]


async def test_retry_after_is_waited_for(
    books: Books, role: DeliverRole, target: ScriptedTarget
) -> None:
    target.script.append(fails_with(Retryable("unavailable", retry_after=600)))
    one = await books.order("1")
    before = datetime.now(UTC)

    async def tried() -> bool:
        return await books.outcomes(one) == ["deferred"]

    async with running(role):
        await wait_for(tried)
    row = await books.row(delivery, id=one)
    assert row["state"] == "pending"
    assert before + timedelta(seconds=600) <= row["next_at"]
    assert row["next_at"] <= datetime.now(UTC) + timedelta(seconds=600)


async def test_a_document_that_cannot_be_mapped_is_a_dead_letter_of_that_stage(
    books: Books, target: ScriptedTarget
) -> None:
    renderer = PlainRenderer({"XD1": deque([Rejected("code_unknown", "lines[0].unit")])})
    role = DeliverRole(spec(target), parts(books.engine, renderer=renderer))
    one = await books.order("1")
    async with running(role):
        await until(books, one, "dead")
    assert target.calls == []
    assert (await books.row(dead_letter))["stage"] == "map"


async def test_a_renderer_that_breaks_is_tried_again(books: Books, target: ScriptedTarget) -> None:
    renderer = PlainRenderer({"XD1": deque([ValueError("a bug"), Retryable("no_worker")])})
    role = DeliverRole(spec(target), parts(books.engine, renderer=renderer))
    one = await books.order("1")
    async with running(role):
        await until(books, one, "delivered")
    assert await books.outcomes(one) == ["retry", "retry", "delivered"]


async def test_what_may_have_been_delivered_is_asked_about_even_if_it_no_longer_maps(
    books: Books, target: ScriptedTarget
) -> None:
    target.effects.append("XD1")
    renderer = PlainRenderer({"XD1": deque([Rejected("mapping_broken")])})
    role = DeliverRole(spec(target), parts(books.engine, renderer=renderer))
    one = await books.order("1", state="in_doubt", attempts=1)
    async with running(role):
        await until(books, one, "delivered")
    assert target.effects == ["XD1"]


async def test_doubt_survives_a_renderer_that_is_away(books: Books, target: ScriptedTarget) -> None:
    target.effects.append("XD1")
    renderer = PlainRenderer({"XD1": deque([Retryable("no_worker")])})
    role = DeliverRole(spec(target), parts(books.engine, renderer=renderer))
    one = await books.order("1", state="in_doubt", attempts=1)
    async with running(role):
        await until(books, one, "delivered")
    assert target.calls == []


async def test_a_wrong_configuration_pauses_the_target_and_loses_nothing(
    books: Books, target: ScriptedTarget
) -> None:
    told = Told()
    target.script.extend([fails_with(ConfigError("secret_missing", "site.yaml:4"))] * 3)
    role = DeliverRole(spec(target), parts(books.engine, observer=told))
    ids = [await books.order(str(i)) for i in range(3)]
    async with running(role):
        for one in ids:
            await until(books, one, "delivered")
    assert told.named("target_halted")[0] == {
        "target": "bc",
        "code": "secret_missing",
        "where": "site.yaml:4",
    }
    assert await books.rows(dead_letter) == []
    assert len(target.effects) == 3


async def test_a_halted_target_is_not_called_for_anything_else(
    books: Books, target: ScriptedTarget
) -> None:
    told = Told()
    target.script.append(fails_with(ConfigError("secret_missing", "site.yaml:4")))
    limits = LIMITS.model_copy(update={"concurrency": 1})
    shared = parts(books.engine, observer=told, policy=replace(QUICK, halt_seconds=3600))
    role = DeliverRole(spec(target, limits=limits), shared)
    for i in range(5):
        await books.order(str(i))
    async with running(role):
        await wait_for(lambda: told.named("breaker"))
    assert told.named("breaker") == [{"target": "bc", "state": "open"}]
    assert len(target.calls) == 1
    assert await books.states() == {"pending": 5}


async def test_an_answer_that_postgresql_cannot_store_is_still_settled(
    books: Books, role: DeliverRole, target: ScriptedTarget
) -> None:
    target.script.append(fails_with(Retryable("odd", "here\0", "nul \0 and \ud800")))
    one = await books.order("1")
    async with running(role):
        await until(books, one, "delivered")
    assert await books.outcomes(one) == ["retry", "delivered"]


async def test_it_answers_doubt_by_asking_however_the_doubt_arose(
    books: Books, role: DeliverRole, target: ScriptedTarget
) -> None:
    target.effects.append("XD1")
    past = datetime.now(UTC) - timedelta(seconds=1)
    died = await books.order(
        "1",
        state="in_doubt",
        attempts=1,
        claim_token="dead",  # noqa: S106  # of a claim
        claimed_until=past,
        next_at=None,
    )
    unsent = await books.order(
        "2",
        state="in_flight",
        claim_token="dead",  # noqa: S106  # of a claim
        claimed_until=past,
        next_at=None,
    )
    async with running(role):
        await until(books, died, "delivered")
        await until(books, unsent, "delivered")
    assert target.effects == ["XD1", "XD2"]
    assert target.asked == ["XD1"]


async def test_what_is_lost_again_and_again_is_not_sent_for_ever(
    books: Books, role: DeliverRole, target: ScriptedTarget
) -> None:
    target.script.extend([loses_the_call] * 99)
    one = await books.order("1")
    async with running(role):
        row = await until(books, one, "dead")
    assert row["code"] == "tries_used_up"
    assert len(target.calls) == 5
    assert len(target.asked) == 5


async def test_a_question_is_answered_before_anything_is_sent_again(
    books: Books, role: DeliverRole, target: ScriptedTarget
) -> None:
    """Every call after a lost answer has a question of its own before it."""
    target.by_reference["XD1"] = deque([loses_the_call, loses_the_call, fails_with(InDoubt("x"))])
    one = await books.order("1")
    async with running(role):
        await until(books, one, "delivered")
    assert (len(target.calls), len(target.asked)) == (4, 3)
