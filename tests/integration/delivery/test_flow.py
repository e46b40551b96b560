"""How the role works: waking, pausing, limits, stopping."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError

from canonical.errors import Rejected, Retryable
from connectors.base import Capabilities
from hub.clock import SystemClock
from hub.delivery.parts import DeliverParts
from hub.delivery.persistence import Ledger
from hub.delivery.role import DeliverRole
from hub.ledger import deliveries, recovered
from hub.ledger.delivery_rows import Wanted
from hub.ledger.tables import attempt, dead_letter, delivery, document, outbox
from tests.support.deliveries import (
    ASKABLE,
    LIMITS,
    QUICK,
    TIMING,
    Books,
    PlainRenderer,
    ScriptedTarget,
    Told,
    accepts,
    fails_with,
    loses_the_call,
    parts,
    running,
    spec,
    until,
    until_all,
)
from tests.support.waiting import wait_for


async def test_a_wake_up_is_all_it_takes(books: Books, target: ScriptedTarget) -> None:
    patient = parts(books.engine, timing=replace(TIMING, tick=3600))
    role = DeliverRole(spec(target), patient)
    async with running(role):
        one = await books.order("1")
        role.wake()
        await until(books, one, "delivered")


async def test_a_storm_of_wake_ups_does_not_become_a_storm_of_looks(
    books: Books, target: ScriptedTarget
) -> None:
    looks = 0

    class Counting(SystemClock):
        def now(self) -> datetime:
            """Count, too."""
            nonlocal looks
            looks += 1
            return super().now()

    calm = parts(books.engine, clock=Counting(), timing=replace(TIMING, gap=3600.0))
    role, stop = DeliverRole(spec(target), calm), asyncio.Event()
    task = asyncio.create_task(role.run(stop))
    await wait_for(lambda: looks == 1)
    for _ in range(100):
        role.wake()
        await asyncio.sleep(0)
    assert looks == 1
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_a_bug_in_a_statement_is_no_outage_of_the_ledger(books: Books) -> None:
    ledger = Ledger("bc", parts(books.engine))
    with pytest.raises(ProgrammingError):
        await ledger.surely(lambda conn: conn.execute(sa.text("SELECT no_such_column")))


async def test_what_is_not_due_is_left_alone(
    books: Books, role: DeliverRole, target: ScriptedTarget
) -> None:
    later = await books.order("1", next_at=datetime.now(UTC) + timedelta(hours=1))
    elsewhere = await books.order("2", target="lakeside")
    due = await books.order("3")
    async with running(role):
        await until(books, due, "delivered")
    assert target.effects == ["XD3"]
    assert await books.state(later) == await books.state(elsewhere) == "pending"


async def test_a_refusal_is_a_dead_letter_at_once_with_all_that_a_person_needs(
    books: Books, role: DeliverRole, target: ScriptedTarget
) -> None:
    target.script.append(fails_with(Rejected("unit_unknown", "lines[3].unit", "expected a unit")))
    one = await books.order("1")
    async with running(role):
        row = await until(books, one, "dead")
    letter = await books.row(dead_letter)
    assert (letter["code"], letter["place"]) == ("unit_unknown", "lines[3].unit")
    assert (letter["stage"], letter["target"], letter["state"]) == ("deliver", "bc", "open")
    assert letter["delivery_id"] == one
    assert letter["document_id"] == row["document_id"]
    assert letter["business_key"] == "order/acme/1/"
    assert (letter["amount"], letter["currency"]) == (120, "USD")
    assert (letter["partner"], letter["entity"]) == ("acme", "order")
    assert letter["mapping_version"] == "v1"
    assert (await books.row(document))["state"] == "dead"
    event = await books.row(outbox)
    assert event["subject"] == "dead.deliver.bc"
    told = orjson.loads(event["payload"])["data"]
    assert told["dead_letter"] == letter["id"]
    assert told["code"] == "unit_unknown"
    assert b"expected a unit" not in event["payload"]


async def test_a_delivery_without_its_document_is_a_dead_letter(
    books: Books, role: DeliverRole, target: ScriptedTarget
) -> None:
    one = await books.order("1")
    await books.change(one, document_id="gone")
    async with running(role):
        row = await until(books, one, "dead")
    assert row["code"] == "document_missing"
    assert target.calls == []


async def test_an_open_breaker_stops_calling_and_another_target_goes_on(
    books: Books, target: ScriptedTarget
) -> None:
    told, healthy = Told(), ScriptedTarget()
    target.script.extend([fails_with(Retryable("unavailable"))] * 1000)
    limits = LIMITS.model_copy(update={"breaker_failures": 3, "breaker_seconds": 3600})
    sick_role = DeliverRole(spec(target, limits=limits), parts(books.engine, observer=told))
    healthy_role = DeliverRole(spec(healthy, "lakeside"), parts(books.engine))
    for i in range(20):
        await books.delivery(await books.document(str(i)))
        await books.delivery(f"doc-{i}", "lakeside")
    async with running(sick_role, healthy_role):
        await wait_for(lambda: len(healthy.effects) == 20)
        await wait_for(lambda: told.named("breaker"))
    assert told.named("breaker") == [{"target": "bc", "state": "open"}]
    assert len(target.calls) <= 3 + LIMITS.concurrency
    assert (await books.states())["delivered"] == 20
    assert await books.rows(dead_letter) == []


async def test_at_a_target_that_fails_all_retries_are_a_tenth_of_the_first_calls(
    books: Books, target: ScriptedTarget
) -> None:
    target.script.extend([fails_with(Retryable("unavailable"))] * 10_000)
    limits = LIMITS.model_copy(update={"breaker_failures": 10_000, "per_second": 10_000})
    eager = replace(QUICK, delays_seconds=(0.001,) * 50)
    role = DeliverRole(spec(target, limits=limits), parts(books.engine, policy=eager))
    orders = 200
    for i in range(orders):
        await books.order(str(i))
    async with running(role):
        await wait_for(lambda: len(target.calls) == orders + orders // 10, deadline=60)
        target.by_reference["XDnew"] = deque([accepts])
        await until(books, await books.order("new"), "delivered")  # a first call still may
    assert len(set(target.calls)) == orders + 1
    assert len(target.calls) == orders + orders // 10 + 1


async def test_after_an_outage_all_is_delivered_once(books: Books, target: ScriptedTarget) -> None:
    target.script.extend([fails_with(Retryable("unavailable"))] * 8)
    limits = LIMITS.model_copy(update={"breaker_failures": 2, "breaker_seconds": 0.05})
    role = DeliverRole(spec(target, limits=limits), parts(books.engine))
    for i in range(10):
        await books.order(str(i))
    async with running(role):
        await until_all(books, delivered=10)
    assert sorted(target.effects) == sorted(f"XD{i}" for i in range(10))


async def test_once_the_target_is_back_what_waited_for_it_goes_on_at_once(
    books: Books, target: ScriptedTarget
) -> None:
    target.script.extend([fails_with(Retryable("unavailable"))] * 5)
    limits = LIMITS.model_copy(update={"breaker_failures": 3, "breaker_seconds": 0.05})
    patient = replace(QUICK, delays_seconds=(3600.0,) * 5)
    role = DeliverRole(
        spec(target, limits=limits), parts(books.engine, policy=patient, rng=Certain())
    )
    for i in range(8):
        await books.order(str(i))
    async with running(role):
        await until_all(books, delivered=8)
    assert sorted(target.effects) == sorted(f"XD{i}" for i in range(8))


async def test_a_quiet_target_is_asked_whether_it_is_back(
    books: Books, target: ScriptedTarget
) -> None:
    target.script.append(fails_with(Retryable("unavailable")))
    target.questions.extend([Retryable("unavailable")] * 3)
    role = DeliverRole(spec(target), knocking(books))
    one = await books.order("1")
    async with running(role):
        await until(books, one, "delivered")
    assert await books.outcomes(one) == ["retry", "delivered"]
    assert target.effects == ["XD1"]


async def test_a_target_for_which_the_ledger_may_answer_is_tried_and_not_asked(
    books: Books, target: ScriptedTarget
) -> None:
    target.script.append(fails_with(Retryable("unavailable")))
    can = replace(ASKABLE, looks_up_itself=True)
    role = DeliverRole(spec(target, capabilities=can), knocking(books, after=0.5))
    one = await books.order("1")
    async with running(role):
        await until(books, one, "delivered")
    assert await books.outcomes(one) == ["retry", "delivered"]
    assert target.asked == []


class KnockedAt(ScriptedTarget):
    """A target that cannot be asked for documents, and at which one may knock."""

    def __init__(self, answers: Sequence[bool | Exception]) -> None:
        super().__init__(script=deque([fails_with(Retryable("unavailable"))]))
        self.answers = deque(answers)
        self.knocks = 0

    async def knock(self) -> bool:
        """Answer in turn; the last answer stays."""
        self.knocks += 1
        answer = self.answers.popleft() if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.mark.parametrize(
    "can", [Capabilities(idempotent=True), replace(ASKABLE, looks_up_itself=True)]
)
async def test_a_target_that_cannot_be_asked_is_knocked_at(books: Books, can: Capabilities) -> None:
    target = KnockedAt([*[Retryable("unavailable")] * 3, True])
    role = DeliverRole(spec(target, capabilities=can), knocking(books))
    one = await books.order("1")
    async with running(role):
        await until(books, one, "delivered")
    assert await books.outcomes(one) == ["retry", "delivered"]
    assert (target.knocks, target.asked) == (4, [])


async def test_a_target_that_answers_and_may_refuse_all_the_same_keeps_its_waits(
    books: Books,
) -> None:
    target = KnockedAt([Retryable("unavailable"), False])
    role = DeliverRole(spec(target, capabilities=Capabilities()), knocking(books))
    one = await books.order("1")
    async with running(role):
        await wait_for(lambda: target.knocks > 5)
    assert await books.outcomes(one) == ["retry"]
    assert len(target.calls) == 1


async def test_a_document_that_a_healthy_target_cannot_take_keeps_its_waits(
    books: Books, target: ScriptedTarget
) -> None:
    target.script.extend([fails_with(Retryable("unavailable"))] * 2)
    role = DeliverRole(spec(target), knocking(books))
    one = await books.order("1")
    async with running(role):
        await wait_for(lambda: target.asked)
        await until(books, await books.order("2"), "pending")
        await wait_for(lambda: len(target.calls) == 2)
    assert await books.outcomes(one) == ["retry"]


async def test_what_is_in_doubt_since_long_is_asked_about_at_once_however_young_the_last_question(
    books: Books, target: ScriptedTarget
) -> None:
    old = await in_doubt_and_asked(books, target, "1")
    async with books.engine.begin() as conn:
        long_ago = datetime.now(UTC) - timedelta(minutes=10)
        await conn.execute(
            sa.update(attempt).where(attempt.c.outcome == "in_doubt").values(ended_at=long_ago)
        )
    target.script.append(fails_with(Retryable("unavailable")))
    target.questions.append(Retryable("unavailable"))
    another = await books.order("2")
    async with running(DeliverRole(spec(target), knocking(books))):
        await until(books, old, "delivered")
        await until(books, another, "delivered")
    assert target.doubled() == []
    assert await books.outcomes(old) == ["in_doubt", "ask_failed", "delivered"]


async def test_what_may_still_be_at_work_is_asked_about_as_soon_as_it_cannot_be(
    books: Books, target: ScriptedTarget
) -> None:
    young = await in_doubt_and_asked(books, target, "1")
    now = datetime.now(UTC)
    async with books.engine.begin() as conn:
        assert await recovered.hasten(conn, "bc", now) == 1
    waits = await books.row(delivery, id=young)
    assert timedelta(seconds=20) < waits["next_at"] - now <= timedelta(seconds=30)


async def in_doubt_and_asked(books: Books, target: ScriptedTarget, number: str) -> str:
    """Lose a call, and then a question: the next is due in an hour, the target is at peace."""
    target.script.append(loses_the_call)
    target.questions.append(Retryable("unavailable"))
    patient = replace(QUICK, ask_delays_seconds=(0.02, 3600))
    calm = parts(books.engine, policy=patient, timing=replace(TIMING, knock=3600))
    one = await books.order(number)
    async with running(DeliverRole(spec(target), calm)):
        await wait_for(lambda: len(target.asked) == 1)
        await until(books, one, "in_doubt")
    assert await books.outcomes(one) == ["in_doubt", "ask_failed"]
    return one


async def test_a_target_in_which_every_lane_hangs_is_asked_whether_it_is_back(
    books: Books, target: ScriptedTarget
) -> None:
    class Hurried(SystemClock):
        def monotonic(self) -> float:
            """Let a minute pass in half a second: the lanes hang for many a probe's time."""
            return super().monotonic() * 120

    hangs, told = asyncio.Event(), Told()
    target.script.append(fails_with(Retryable("unavailable")))
    target.questions.append(Retryable("unavailable"))
    target.gate = hangs
    limits = LIMITS.model_copy(
        update={"concurrency": 2, "timeout_seconds": 20.0, "breaker_failures": 1}
    )
    timing = replace(TIMING, knock=5.0, margin=120.0)  # in that clock's seconds
    eager = replace(knocking(books), clock=Hurried(), observer=told, timing=timing)
    for number in range(4):
        await books.order(str(number))
    async with running(DeliverRole(spec(target, limits=limits), eager)):
        await wait_for(lambda: target.running == 2, what="both lanes hang")
        await wait_for(lambda: {"target": "bc", "state": "closed"} in told.named("breaker"))
        assert target.running == 2  # nobody waited for them to end
        hangs.set()
        await until_all(books, delivered=4)
    assert target.doubled() == []


async def test_a_wait_that_the_target_asked_for_is_kept_when_it_is_back(
    books: Books, target: ScriptedTarget
) -> None:
    told = Told()
    asked_to_wait = fails_with(Retryable("unavailable", retry_after=3000))
    target.script.extend([asked_to_wait, *[fails_with(Retryable("unavailable"))] * 3])
    limits = LIMITS.model_copy(update={"breaker_failures": 2, "breaker_seconds": 0.05})
    role = DeliverRole(spec(target, limits=limits), parts(books.engine, observer=told))
    for i in range(6):
        await books.order(str(i))
    async with running(role):
        await until_all(books, delivered=5, pending=1)
    (waits,) = await books.rows(delivery, state="pending")
    assert await books.outcomes(waits["id"]) == ["deferred"]
    assert waits["next_at"] > datetime.now(UTC) + timedelta(seconds=2900)
    assert {"target": "bc", "state": "closed"} in told.named("breaker")


def knocking(books: Books, *, after: float = 3600) -> DeliverParts:
    """Parts that retry after an hour, and ask a target in trouble again and again."""
    patient = replace(QUICK, delays_seconds=(after,) * 5)
    timing = replace(TIMING, knock=0.05)
    return parts(books.engine, policy=patient, rng=Certain(), timing=timing)


class Certain(random.Random):
    """Jitter that takes nothing off a wait."""

    def random(self) -> float:
        return 0.999


async def test_a_target_that_asks_for_peace_is_left_alone_by_all_replicas_and_after_a_restart(
    books: Books, target: ScriptedTarget
) -> None:
    target.script.append(fails_with(Retryable("throttled", retry_after=600, throttled=True)))
    one = await books.order("1")
    async with running(DeliverRole(spec(target), parts(books.engine))):
        await wait_for(lambda: target.calls)
        await until(books, one, "pending")
    await books.order("2")
    await books.order("3", target="lakeside")

    async def claimable(name: str, seconds: float) -> int:
        now = datetime.now(UTC) + timedelta(seconds=seconds)
        wanted = Wanted(name, "t", now, limit=9)
        async with books.engine.connect() as conn:  # and nothing is committed
            return len((await deliveries.claim(conn, wanted, now)).claims)

    assert await claimable("bc", 590) == 0
    assert await claimable("bc", 601) == 2
    assert await claimable("lakeside", 1) == 1


async def test_no_more_calls_run_at_once_than_allowed(books: Books, target: ScriptedTarget) -> None:
    target.gate = asyncio.Event()
    role = DeliverRole(spec(target), parts(books.engine))
    for i in range(12):
        await books.order(str(i))
    async with running(role):
        await wait_for(lambda: target.running == LIMITS.concurrency)
        target.gate.set()
        await until_all(books, delivered=12)
    assert target.most_running == LIMITS.concurrency


async def test_the_archive_keeps_what_is_sent_before_it_is_sent(
    books: Books, target: ScriptedTarget
) -> None:
    kept: list[bytes] = []

    async def archive(body: bytes) -> str:
        if not kept:
            kept.append(b"")
            raise OSError(28, "No space left on device")
        kept.append(body)
        return "pack:0:9"

    role = DeliverRole(spec(target), parts(books.engine, archive=archive))
    one = await books.order("1")
    async with running(role):
        row = await until(books, one, "delivered")
    assert row["archive"] == "pack:0:9"
    assert kept[1:] == [b'{"number": "1"}']
    assert (await books.row(attempt, n=1))["code"] == "archive_unavailable"


async def test_control_numbers_stay_the_same_over_all_attempts(
    books: Books, target: ScriptedTarget
) -> None:
    renderer = PlainRenderer()
    target.by_reference["XD1"] = deque([loses_the_call, fails_with(Retryable("busy")), accepts])
    role = DeliverRole(
        spec(target, control_scope="CROSSDOCK/LAKESIDE3PL/P"),
        parts(books.engine, renderer=renderer),
    )
    await books.order("1")
    async with running(role):
        await until_all(books, delivered=1)
        await books.order("2")
        await until_all(books, delivered=2)
    first = renderer.numbers[0]
    assert renderer.numbers[:-1] == [first] * (len(renderer.numbers) - 1)
    assert len(renderer.numbers) >= 4
    assert (first.interchange, renderer.numbers[-1].interchange) == (1, 2)


async def test_a_stopping_role_finishes_what_is_in_hand(
    books: Books, role: DeliverRole, target: ScriptedTarget
) -> None:
    target.gate = asyncio.Event()
    one = await books.order("1")
    stop = asyncio.Event()
    task = asyncio.create_task(role.run(stop))
    await wait_for(lambda: target.running)
    stop.set()
    target.gate.set()
    await asyncio.wait_for(task, 10)
    assert await books.state(one) == "delivered"


async def test_a_stopping_role_gives_back_what_it_cannot_finish(
    books: Books, target: ScriptedTarget
) -> None:
    target.gate = asyncio.Event()
    role = DeliverRole(spec(target), parts(books.engine, timing=replace(TIMING, grace=0.05)))
    one = await books.order("1")
    stop = asyncio.Event()
    task = asyncio.create_task(role.run(stop))
    await wait_for(lambda: target.running)
    stop.set()
    await asyncio.wait_for(task, 10)
    row = await books.row(delivery, id=one)
    assert row["state"] == "in_doubt"
    assert row["claim_token"] is None
    assert row["next_at"] is not None
    assert (await books.row(attempt))["ended_at"] is not None
    target.gate.set()
    async with running(DeliverRole(spec(target), parts(books.engine))):
        await until(books, one, "delivered")
    assert target.effects == ["XD1"]


async def test_a_delivery_that_kills_every_process_is_set_aside(
    books: Books, target: ScriptedTarget
) -> None:
    role = DeliverRole(spec(target), parts(books.engine, max_deaths=3))
    one = await books.order("1", state="in_doubt", attempts=3)
    async with books.engine.begin() as conn:
        for n in (1, 2, 3):
            await conn.execute(
                attempt.insert().values(
                    delivery_id=one, n=n, outcome="in_doubt", started_at=datetime.now(UTC)
                )
            )
    async with running(role):
        row = await until(books, one, "dead")
    assert row["code"] == "process_died"
    assert target.asked == ["XD1"]
    assert target.calls == []
