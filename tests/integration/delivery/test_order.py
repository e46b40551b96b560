"""Order and exclusion: one business key in sequence, replicas never twice, stale claims refused."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from canonical.errors import Rejected, Retryable
from connectors.base import Numbers, Outbound, Settled
from hub.dead_letters import archive as archiving
from hub.delivery.parts import Rendered
from hub.delivery.role import DeliverRole
from hub.ledger import calls, deliveries
from hub.ledger.delivery_rows import Answered, DeliveryRow, DocumentRow, Ending, Wanted
from hub.ledger.tables import attempt, dead_letter, delivery, document
from hub.release.holds import Act
from tests.support.deliveries import (
    LIMITS,
    TIMING,
    Books,
    ScriptedTarget,
    Told,
    accepts_and_loses_the_answer,
    fails_with,
    parts,
    running,
    spec,
    until,
    until_all,
)
from tests.support.waiting import wait_for

KEY = "order/acme/4711/"


async def version(books: Books, n: int, **changes: Any) -> str:
    """Add version `n` of one order, and its delivery."""
    changed = await books.document(f"v{n}", business_key=KEY, version=n)
    return await books.delivery(changed, **changes)


async def parked(books: Books, delivery_id: str, code: str) -> None:
    """Wait until a delivery is seen to wait."""

    async def waits() -> bool:
        row = await books.row(delivery, id=delivery_id)
        return (row["state"], row["code"]) == ("pending", code)

    await wait_for(waits, what=code)


async def test_versions_of_one_key_arrive_in_order_from_any_number_of_replicas(
    books: Books, target: ScriptedTarget
) -> None:
    for n in (3, 1, 5, 2, 4):
        await version(books, n)
    roles = [DeliverRole(spec(target), parts(books.engine)) for _ in range(3)]
    async with running(*roles):
        await until_all(books, delivered=5)
    assert target.effects == ["XDv1", "XDv2", "XDv3", "XDv4", "XDv5"]


async def test_a_dead_original_holds_its_changes_back_and_other_keys_go_on(
    books: Books, role: DeliverRole, target: ScriptedTarget
) -> None:
    target.script.append(fails_with(Rejected("customer_unknown")))
    original = await version(books, 1)
    async with running(role):
        await until(books, original, "dead")
        change = await version(books, 2)
        others = [await books.order(str(i)) for i in range(5)]
        for one in others:
            await until(books, one, "delivered")
        await parked(books, change, "waiting_behind")
    row = await books.row(delivery, id=change)
    assert (row["state"], row["place"]) == ("pending", original)
    assert "XDv2" not in target.calls


async def test_a_replay_of_the_dead_original_lets_its_changes_follow(
    books: Books, role: DeliverRole, target: ScriptedTarget
) -> None:
    target.script.append(fails_with(Rejected("customer_unknown")))
    original, change = await version(books, 1), await version(books, 2)
    async with running(role):
        await until(books, original, "dead")
        async with books.engine.begin() as conn:
            await conn.execute(sa.update(dead_letter).values(state="replaying"))
        await books.delivery("doc-v1", occasion="replay-1")
        row = await until(books, change, "delivered")
    assert target.effects == ["XDv1", "XDv2"]
    assert row["code"] is None
    assert (await books.row(dead_letter))["state"] == "replayed"
    assert (await books.row(document, id="doc-v1"))["state"] == "delivered"


async def test_a_cancelled_original_holds_nothing_back(
    books: Books, role: DeliverRole, target: ScriptedTarget
) -> None:
    await version(books, 1, state="cancelled", next_at=None)
    change = await version(books, 2)
    async with running(role):
        await until(books, change, "delivered")
    assert target.effects == ["XDv2"]


async def test_two_occasions_of_one_delivery_are_never_under_way_together(
    books: Books, target: ScriptedTarget
) -> None:
    target.gate = asyncio.Event()
    roles = [DeliverRole(spec(target), parts(books.engine)) for _ in range(2)]
    await books.order("1")
    again = await books.delivery("doc-1", occasion="replay-1")

    async with running(*roles):
        await parked(books, again, "waiting_behind")
        target.gate.set()
        await until_all(books, delivered=2)
    assert target.most_running == 1


async def test_two_actions_on_one_order_take_turns_across_replicas(
    books: Books, target: ScriptedTarget
) -> None:
    roles = [DeliverRole(spec(target), parts(books.engine)) for _ in range(3)]
    for i in range(10):
        await books.order(str(i))
        await books.delivery(f"doc-{i}", action="print")
        for n in range(2):  # shipments of it: other keys, the same order at the target
            named = {"business_key": f"shipment/{i}-{n}", "reference": f"XD{i}"}
            shipment = await books.document(f"{i}-{n}", entity="shipment", **named)
            await books.delivery(shipment, action="post_shipment")
    busy, clashes = set[str](), list[str]()
    take = target.deliver

    async def deliver(outbound: Outbound) -> Settled:
        if outbound.reference in busy:
            clashes.append(outbound.reference)
        busy.add(outbound.reference)
        await asyncio.sleep(0)
        settled = await take(outbound)
        busy.discard(outbound.reference)
        return settled

    target.deliver = deliver  # type: ignore[method-assign]
    async with running(*roles):
        await until_all(books, delivered=40)
    assert clashes == []


async def test_a_delivery_in_doubt_holds_back_what_else_is_done_to_its_order(
    books: Books, target: ScriptedTarget
) -> None:
    target.questions.extend([Retryable("unavailable")] * 100)
    target.script.append(accepts_and_loses_the_answer)
    first = await books.order("1")
    role = DeliverRole(spec(target), parts(books.engine))
    async with running(role):
        await until(books, first, "in_doubt")
        second = await books.delivery("doc-1", action="confirm")
        await parked(books, second, "waiting_behind")
        assert (await books.row(delivery, id=second))["place"] == first
        target.questions.clear()
        await until_all(books, delivered=2)
    assert target.doubled() == ["XD1"]  # the two actions share the reference
    assert len(target.effects) == 2


async def test_a_retry_of_one_action_lets_the_next_have_its_turn_meanwhile(
    books: Books, target: ScriptedTarget
) -> None:
    target.script.append(fails_with(Retryable("busy", retry_after=3600)))
    first = await books.order("1")
    second = await books.delivery("doc-1", action="print")
    async with running(DeliverRole(spec(target), parts(books.engine))):
        await until(books, second, "delivered")
    assert await books.outcomes(first) == ["deferred"]


async def test_versions_that_wait_behind_a_dead_one_follow_in_order_once_it_is_given_up(
    books: Books, target: ScriptedTarget
) -> None:
    target.script.append(fails_with(Rejected("customer_unknown")))
    roles = [DeliverRole(spec(target), parts(books.engine)) for _ in range(3)]
    original = await version(books, 1)
    async with running(*roles):
        await until(books, original, "dead")
        later = [await version(books, n) for n in (4, 3, 2)]
        for one in later:
            await parked(books, one, "waiting_behind")
        (letter,) = await books.rows(dead_letter)
        async with books.engine.begin() as conn:
            await archiving.archive(conn, letter["id"], Act("ann", "given up", datetime.now(UTC)))
        await until_all(books, cancelled=1, delivered=3)
    assert target.effects == ["XDv2", "XDv3", "XDv4"]


async def test_what_follows_another_target_waits_for_it_and_is_then_woken(
    books: Books, target: ScriptedTarget
) -> None:
    first, second, woken = target, ScriptedTarget(), list[str]()
    first.gate = asyncio.Event()
    shared = parts(books.engine, woken=woken.append)
    await books.order("1", target="bc")
    follower = await books.delivery("doc-1", "lakeside", after_target="bc")

    async with running(
        DeliverRole(spec(first), shared), DeliverRole(spec(second, "lakeside"), shared)
    ):
        await parked(books, follower, "waiting_for_target")
        assert (await books.row(delivery, id=follower))["place"] == "bc"
        assert second.calls == []
        first.gate.set()
        await until_all(books, delivered=2)
    assert woken == ["lakeside"]
    assert (await books.row(document))["state"] == "delivered"


async def test_what_follows_a_dead_delivery_is_never_made(
    books: Books, target: ScriptedTarget
) -> None:
    second = ScriptedTarget()
    target.script.append(fails_with(Rejected("customer_unknown")))
    one = await books.order("1", target="bc")
    follower = await books.delivery("doc-1", "lakeside", after_target="bc")

    shared = parts(books.engine)
    async with running(
        DeliverRole(spec(target), shared), DeliverRole(spec(second, "lakeside"), shared)
    ):
        await until(books, one, "dead")
        await parked(books, follower, "waiting_for_target")
    assert second.calls == []
    assert (await books.row(document))["state"] == "dead"


async def test_replicas_share_the_work_and_double_nothing(
    books: Books, target: ScriptedTarget
) -> None:
    for i in range(120):
        await books.order(str(i))
    clients = [ScriptedTarget(effects=target.effects) for _ in range(3)]
    roles = [DeliverRole(spec(client), parts(books.engine)) for client in clients]
    async with running(*roles):
        await until_all(books, delivered=120)
    assert len(target.effects) == 120
    assert target.doubled() == []
    assert all(client.calls for client in clients)


async def test_whoever_comes_back_after_a_takeover_changes_nothing(
    books: Books, target: ScriptedTarget
) -> None:
    told = Told()
    target.gate = asyncio.Event()
    role = DeliverRole(spec(target), parts(books.engine, observer=told))
    one = await books.order("1")
    async with running(role):
        await wait_for(lambda: target.running)
        until_later = datetime.now(UTC) + timedelta(hours=1)
        await books.change(one, claim_token="another", claimed_until=until_later)  # noqa: S106  # of a claim
        before = await books.row(delivery, id=one)
        target.gate.set()
        await wait_for(lambda: told.named("stale_claim"))
    assert await books.row(delivery, id=one) == before
    assert await books.outcomes(one) == ["in_doubt"]


async def test_a_takeover_before_the_call_means_no_call(
    books: Books, target: ScriptedTarget
) -> None:
    told, renderer = Told(), GatedRenderer()
    role = DeliverRole(spec(target), parts(books.engine, observer=told, renderer=renderer))
    one = await books.order("1")
    async with running(role):
        await wait_for(lambda: renderer.waiting)
        await books.change(one, claim_token="another")  # noqa: S106  # of a claim
        renderer.gate.set()
        await wait_for(lambda: told.named("stale_claim"))
    assert target.calls == []


@dataclass
class GatedRenderer:
    """Renders when told."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: int = 0

    async def render(self, row: DeliveryRow, source: DocumentRow, numbers: Numbers) -> Rendered:
        """See `Renderer`."""
        del row, source, numbers
        self.waiting += 1
        await self.gate.wait()
        return Rendered({}, b"{}")


async def test_a_claim_is_kept_alive_while_its_holder_works(
    books: Books, target: ScriptedTarget
) -> None:
    renderer = GatedRenderer()
    slow = parts(books.engine, renderer=renderer, timing=replace(TIMING, lease=0.5))
    roles = [DeliverRole(spec(target), slow) for _ in range(2)]
    one = await books.order("1")
    async with running(*roles):
        await wait_for(lambda: renderer.waiting)
        first = (await books.row(delivery, id=one))["claimed_until"]

        async def renewed_for_long() -> bool:
            row = await books.row(delivery, id=one)
            return bool(row["claimed_until"] > first + timedelta(seconds=1.5))

        await wait_for(renewed_for_long)
        assert renderer.waiting == 1
        renderer.gate.set()
        await until(books, one, "delivered")
    assert target.calls == ["XD1"]


async def test_nobody_else_may_ask_before_the_deadline_of_a_call(
    books: Books, role: DeliverRole, target: ScriptedTarget
) -> None:
    target.gate = asyncio.Event()
    one = await books.order("1")
    async with running(role):
        await wait_for(lambda: target.running)
        row, tried = await books.row(delivery, id=one), await books.row(attempt)
        target.gate.set()
    deadline = timedelta(seconds=LIMITS.timeout_seconds)
    assert row["claimed_until"] >= tried["started_at"] + deadline


async def test_concurrent_claims_never_share_a_delivery(books: Books) -> None:
    for i in range(40):
        await books.order(str(i))
    now = datetime.now(UTC)

    async def claim(token: str) -> list[str]:
        wanted = Wanted("bc", token, now + timedelta(minutes=1), limit=4)
        async with books.engine.begin() as conn:
            found = await deliveries.claim(conn, wanted, now)
        return [one.delivery.id for one in found.claims]

    claimed = [
        one for _ in range(4) for many in await asyncio.gather(*map(claim, "abc")) for one in many
    ]
    assert len(claimed) == len(set(claimed)) > 0


async def test_a_claim_takes_the_oldest_first_and_leaves_busy_keys_and_retries_alone(
    books: Books,
) -> None:
    now = datetime.now(UTC)
    for i in range(6):
        await books.order(str(i), next_at=now - timedelta(seconds=60 - i), attempts=i % 2)
    wanted = Wanted("bc", "t", now, limit=2, busy=["order/acme/0/"], fresh_only=True)
    async with books.engine.begin() as conn:
        found = await deliveries.claim(conn, wanted, now)
    assert [one.delivery.reference for one in found.claims] == ["XD2", "XD4"]


async def test_targets_that_settle_at_the_same_moment_settle_the_document(books: Books) -> None:
    targets = ("bc", "lakeside", "tracking")
    now = datetime.now(UTC)
    for i in range(10):
        await books.document(str(i))
        for name in targets:
            await books.delivery(f"doc-{i}", name)

    async def deliver_all(name: str) -> None:
        wanted = Wanted(name, name, now + timedelta(minutes=1), limit=10)
        async with books.engine.begin() as conn:
            held = (await deliveries.claim(conn, wanted, datetime.now(UTC))).claims
        ending = Ending(1, "delivered", now, now)
        answers = [Answered(one, ending, Settled()) for one in held]
        for some in (answers[:1], answers[1:]):  # alone, and many at once
            async with books.engine.begin() as conn:
                assert None not in await calls.answered(conn, some)

    await asyncio.gather(*map(deliver_all, targets))
    assert {row["state"] for row in await books.rows(document)} == {"delivered"}


async def test_quick_documents_pass_one_that_hangs(books: Books) -> None:
    target = HangsForOne("XDslow")
    role = DeliverRole(spec(target), parts(books.engine))
    await books.order("slow")
    for i in range(30):
        await books.order(str(i))
    async with running(role):
        await until_all(books, delivered=30, in_doubt=1)
        target.let_go.set()
        await until_all(books, delivered=31)
    assert target.doubled() == []


@dataclass
class HangsForOne(ScriptedTarget):
    """Answers at once, but for one document."""

    def __init__(self, reference: str) -> None:
        super().__init__()
        self._reference = reference
        self.let_go = asyncio.Event()

    async def deliver(self, outbound: Outbound) -> Settled:
        """Hang for the one."""
        if outbound.reference == self._reference:
            await self.let_go.wait()
        return await super().deliver(outbound)
