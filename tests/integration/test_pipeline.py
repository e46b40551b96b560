"""The pipeline on a real ledger: verdicts, holds, releases, and doing it again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nats as nats_client
import pytest
import sqlalchemy as sa

from canonical.errors import Rejected
from connectors.base import Answer
from hub.ledger import account, audit, holds, keys, threads
from hub.ledger.tables import delivery, document, hold, outbox, receipt
from hub.release.holds import Act, reject, release
from hub.servers.addresses import Addresses
from tests.support.ledgers import SITE, Dock, change, dock, normalized, order, verdicts
from tests.support.waiting import wait_for

ACT = Act("ann", "agreed by phone", datetime(2026, 5, 5, tzinfo=UTC))


@pytest.fixture
async def at(addresses: Addresses, tmp_path: Path) -> AsyncIterator[Dock]:
    async with dock(addresses, tmp_path) as opened:
        await opened.stock()
        yield opened


async def states(at: Dock) -> list[tuple[str, str]]:
    return list(verdicts(await at.rows(document)))


async def only_hold(at: Dock) -> dict[str, Any]:
    (row,) = await at.rows(hold)
    return dict(row)


async def let_go(at: Dock) -> None:
    async with at.engine.begin() as ledger:
        await release(ledger, (await only_hold(at))["id"], ACT, SITE)


async def test_an_accepted_order_is_written_with_its_delivery_and_published(
    at: Dock, nats: str
) -> None:
    await at.take_in(normalized("order", order()))
    assert await states(at) == [("accept", "accepted")]
    assert [row["state"] for row in await at.rows(delivery)] == ["pending"]
    assert await at.rows(outbox) == []
    client = await nats_client.connect(nats)
    try:
        info = await client.jetstream().stream_info("CANONICAL", subjects_filter=">")
        assert (info.state.subjects or {})["canonical.order.released"] == 1
    finally:
        await client.close()


async def test_a_receipt_that_is_delivered_again_changes_nothing(at: Dock) -> None:
    taken = await at.take_in(normalized("order", order()))
    before = {table.name: await at.rows(table) for table in (receipt, document, delivery)}
    await at.pipeline.normalize([taken])
    assert {table.name: await at.rows(table) for table in (receipt, document, delivery)} == before


async def test_one_receipt_twice_in_one_batch_is_decided_once(at: Dock) -> None:
    taken = at.receipt(normalized("order", order()))
    await at.pipeline.normalize([taken, taken])
    assert await states(at) == [("accept", "accepted")]


async def test_two_replicas_that_decide_twins_at_once_accept_one(at: Dock) -> None:
    edi = at.receipt(normalized("order", order()))
    shop = at.receipt(
        normalized("order", order("#1001", buyer_po_number="PO-1", ship_method="UPSN"), "shop"),
        connection="shop",
    )
    await asyncio.gather(at.pipeline.normalize([edi]), at.pipeline.normalize([shop]))
    assert sorted(await states(at)) == [("accept", "accepted"), ("twin", "held")]


async def test_many_replicas_with_overlapping_keys_neither_deadlock_nor_accept_twice(
    at: Dock,
) -> None:
    batches = [
        [at.receipt(normalized("order", order(f"PO-{n}", str(n + 1)))) for n in numbers]
        for numbers in (range(20), reversed(range(20)), range(5, 25))
    ]
    async with asyncio.timeout(30):
        await asyncio.gather(*(at.pipeline.normalize(batch) for batch in batches))
    found = await states(at)
    assert found.count(("accept", "accepted")) == 25
    assert found.count(("duplicate", "duplicate")) == 35


async def test_a_held_order_is_released_with_actor_reason_and_delivery(at: Dock) -> None:
    await at.take_in(normalized("order", order(quantity="500")))
    assert await states(at) == [("accept", "held")]
    await let_go(at)
    assert await states(at) == [("accept", "accepted")]
    assert len(await at.rows(delivery)) == 1
    closed = await only_hold(at)
    assert (closed["state"], closed["actor"], closed["reason"]) == (
        "released",
        "ann",
        "agreed by phone",
    )
    async with at.engine.connect() as ledger:
        assert await audit.verify(ledger) is None


async def test_a_hold_is_released_once(at: Dock) -> None:
    await at.take_in(normalized("order", order(quantity="500")))
    await let_go(at)
    with pytest.raises(Rejected, match="hold_closed"):
        await let_go(at)
    assert len(await at.rows(delivery)) == 1


async def test_a_conflict_that_is_released_replaces_by_a_change_and_never_by_a_second_order(
    at: Dock,
) -> None:
    await at.take_in(normalized("order", order()))
    await at.take_in(normalized("order", order(quantity="7")))
    await let_go(at)
    rows = sorted(await at.rows(delivery), key=lambda row: row["version"])
    assert [(row["action"], row["version"]) for row in rows] == [
        ("create_order", 1),
        ("change_order", 2),
    ]
    replaced = next(row for row in await at.rows(document) if row["version"] == 2)
    assert replaced["canonical"]["lines"][0]["quantity"]["value"] == "7"
    assert replaced["entity"] == "order_change"


async def test_every_conflict_of_one_order_can_be_released_one_after_the_other(at: Dock) -> None:
    await at.take_in(normalized("order", order()))
    await at.take_in(normalized("order_change", change(quantity="4")))
    for quantity in ("7", "9"):
        await at.take_in(normalized("order", order(quantity=quantity)))
        (row,) = [row for row in await at.rows(hold) if row["state"] == "open"]
        async with at.engine.begin() as ledger:
            await release(ledger, row["id"], ACT, SITE)
    versions = {row["version"]: row for row in await at.rows(document) if row["version"]}
    assert [versions[n]["entity"] for n in (1, 2, 3, 4)] == ["order"] + ["order_change"] * 3
    assert versions[4]["canonical"]["lines"][0]["quantity"]["value"] == "9"
    assert versions[4]["canonical"]["kind"] == "change"


async def test_a_change_goes_on_once_the_order_before_it_is_released(at: Dock) -> None:
    await at.take_in(normalized("order", order(quantity="500")))
    await at.take_in(normalized("order_change", change()))
    assert await states(at) == [("accept", "held"), ("change", "held")]
    (row,) = [row for row in await at.rows(hold) if row["kind"] == "control_point"]
    async with at.engine.begin() as ledger:
        await release(ledger, row["id"], ACT, SITE)
    assert await states(at) == [("accept", "accepted"), ("change", "accepted")]
    rows = sorted(await at.rows(delivery), key=lambda row: row["version"])
    assert [row["action"] for row in rows] == ["create_order", "change_order"]


async def test_a_change_falls_with_the_order_that_is_rejected(at: Dock) -> None:
    await at.take_in(normalized("order", order(quantity="500")))
    await at.take_in(normalized("order_change", change()))
    (row,) = [row for row in await at.rows(hold) if row["kind"] == "control_point"]
    async with at.engine.begin() as ledger:
        await reject(ledger, row["id"], ACT, SITE)
    await at.take_in(normalized("order", order(quantity="3")))
    assert await states(at) == [
        ("accept", "rejected"),
        ("change", "rejected"),
        ("accept", "accepted"),
    ]


async def test_a_rejected_original_leaves_its_key_to_a_corrected_one(at: Dock) -> None:
    await at.take_in(normalized("order", order(quantity="500")))
    async with at.engine.begin() as ledger:
        await reject(ledger, (await only_hold(at))["id"], ACT, SITE)
    await at.take_in(normalized("order", order(quantity="3")))
    assert await states(at) == [("accept", "rejected"), ("accept", "accepted")]


async def test_an_order_sent_again_after_it_was_rejected_is_judged_anew(at: Dock) -> None:
    await at.take_in(normalized("order", order(quantity="500")))
    async with at.engine.begin() as ledger:
        await reject(ledger, (await only_hold(at))["id"], ACT, SITE)
    await at.take_in(normalized("order", order(quantity="500")))
    assert await states(at) == [("accept", "rejected"), ("accept", "held")]
    assert [row["state"] for row in await at.rows(hold)].count("open") == 1


async def test_a_conflict_that_came_again_and_was_accepted_has_no_second_effect(at: Dock) -> None:
    await at.take_in(normalized("order", order(quantity="500")))
    await at.take_in(normalized("order", order(quantity="3")))
    first, other = sorted(await at.rows(hold), key=lambda row: row["kind"] == "conflict")
    async with at.engine.begin() as ledger:
        await reject(ledger, first["id"], ACT, SITE)
    await at.take_in(normalized("order", order(quantity="3")))
    async with at.engine.begin() as ledger:
        assert await release(ledger, other["id"], ACT, SITE) == []
    assert await states(at) == [
        ("accept", "rejected"),
        ("conflict", "duplicate"),
        ("accept", "accepted"),
    ]
    assert [row["action"] for row in await at.rows(delivery)] == ["create_order"]


async def test_a_parked_change_goes_on_when_its_order_arrives_in_a_later_batch(at: Dock) -> None:
    await at.take_in(normalized("order_change", change()))
    assert await states(at) == [("orphan", "held")]
    await at.take_in(normalized("order", order()))
    assert await states(at) == [("orphan", "accepted"), ("accept", "accepted")]
    rows = sorted(await at.rows(delivery), key=lambda row: row["version"])
    assert [row["action"] for row in rows] == ["create_order", "change_order"]


async def test_a_parked_change_waits_for_an_order_that_arrives_and_is_held(at: Dock) -> None:
    await at.take_in(normalized("order_change", change()))
    await at.take_in(normalized("order", order(quantity="500")))
    assert await states(at) == [("orphan", "held"), ("accept", "held")]
    assert await at.rows(delivery) == []
    (row,) = [row for row in await at.rows(hold) if row["kind"] == "control_point"]
    async with at.engine.begin() as ledger:
        await release(ledger, row["id"], ACT, SITE)
    rows = sorted(await at.rows(delivery), key=lambda row: row["version"])
    assert [row["action"] for row in rows] == ["create_order", "change_order"]


@pytest.mark.parametrize("kind", ["conflict", "behind"])
async def test_nothing_is_released_before_the_held_version_that_it_follows(
    at: Dock, kind: str
) -> None:
    await at.take_in(normalized("order", order(quantity="500")))
    await at.take_in(normalized("order", order(quantity="7")))
    await at.take_in(normalized("order_change", change()))
    (row,) = [row for row in await at.rows(hold) if row["kind"] == kind]
    with pytest.raises(Rejected) as refused:
        async with at.engine.begin() as ledger:
            await release(ledger, row["id"], ACT, SITE)
    assert refused.value.code == "original_held"
    assert await at.rows(delivery) == []


async def test_a_parked_change_that_comes_again_is_a_duplicate_and_held_once(at: Dock) -> None:
    for _ in range(2):
        await at.take_in(normalized("order_change", change()))
    assert await states(at) == [("orphan", "held"), ("duplicate", "duplicate")]
    assert len(await at.rows(hold)) == 1
    await at.take_in(normalized("order_change", change(sequence=2, quantity="6")))
    assert len(await at.rows(hold)) == 2
    await at.take_in(normalized("order", order()))
    rows = sorted(await at.rows(delivery), key=lambda row: row["version"])
    assert [row["action"] for row in rows] == ["create_order", "change_order", "change_order"]


async def test_parked_changes_are_applied_in_the_order_of_their_sequence(at: Dock) -> None:
    for sequence in (2, 1):
        await at.take_in(normalized("order_change", change(sequence=sequence)))
    await at.take_in(normalized("order", order()))
    versions = {
        row["sequence"]: row["version"]
        for row in await at.rows(document)
        if row["entity"] == "order_change"
    }
    assert versions == {1: 2, 2: 3}


async def test_the_account_adds_up_over_everything_that_can_happen(at: Dock) -> None:
    await at.take_in(normalized("order", order()))
    await at.take_in(normalized("order", order()))
    await at.take_in(normalized("order", order(quantity="7")))
    await at.take_in(normalized("order_change", change("PO-404")))
    async with at.engine.connect() as ledger:
        total = (await account.balances(ledger))["total"]
    assert (total.received, total.held, total.duplicate, total.in_progress) == (4, 2, 1, 1)
    assert not total.adds_up


async def test_a_retransmission_owes_the_first_answer_again(at: Dock) -> None:
    answers = (Answer("997", {"x": "y"}),)
    first = await at.take_in(normalized("order", order()), answers=answers, body=b"same")
    again = await at.take_in(normalized("order", order()), answers=answers, body=b"same")
    sent = [row for row in await at.rows(delivery) if row["target"] == "acme-edi"]
    assert len({row["reference"] for row in sent}) == 1
    assert len(sent) == 2
    rows = {row["id"]: row["duplicate_of"] for row in await at.rows(receipt)}
    assert (rows[first.id], rows[again.id]) == (None, first.id)


async def test_the_thread_is_found_by_every_number_of_it(at: Dock) -> None:
    await at.take_in(normalized("order", order()))
    (row,) = [row for row in await at.rows(document) if row["entity"] == "order"]
    shipped = {
        "number": "S-1",
        "order_reference": row["reference"],
        "shipped_on": "2026-05-06",
        "packages": [{"id": "1", "sscc": "106141412345678908", "tracking_number": "1Z9"}],
        "lines": [
            {
                "number": "1",
                "item": {"seller_sku": "A"},
                "shipped": {"value": "2", "unit": "EA"},
            }
        ],
    }
    await at.take_in(normalized("shipment", shipped, "shop"))
    tracked = {
        "tracking_number": "1Z9",
        "carrier": "UPS",
        "status": "delivered",
        "updated_at": "2026-05-07T10:00:00Z",
    }
    await at.take_in(normalized("tracking", tracked, "shop"))
    async with at.engine.connect() as ledger:
        for key in ("PO-1", "S-1", "1Z9", "106141412345678908", str(row["reference"])):
            found = await threads.find(ledger, key)
            assert found is not None
            entities = {each["entity"] for each in found.documents}
            assert entities == {"order", "shipment", "tracking"}, key
        assert await threads.find(ledger, "nobody") is None


async def test_changes_without_numbers_apply_in_the_order_in_which_they_come(at: Dock) -> None:
    await at.take_in(normalized("order", order()))
    for quantity in ("5", "6", "7"):
        await at.take_in(normalized("order_change", change(sequence=None, quantity=quantity)))
    assert await states(at) == [("accept", "accepted")] + [("change", "accepted")] * 3
    assert [row["version"] for row in await at.rows(delivery) if row["target"] == "bc"] == [
        1,
        2,
        3,
        4,
    ]


async def test_a_second_change_of_one_number_is_a_persons_choice(at: Dock) -> None:
    await at.take_in(normalized("order", order()))
    await at.take_in(normalized("order_change", change(quantity="5")))
    await at.take_in(normalized("order_change", change(quantity="6")))
    assert await states(at) == [
        ("accept", "accepted"), ("change", "accepted"), ("conflict", "held"),
    ]  # fmt: skip
    held = await only_hold(at)
    assert [each["where"] for each in held["reasons"]] == ["change_sequence"]
    await let_go(at)
    await at.take_in(normalized("order_change", change(sequence=2, quantity="7")))
    versions = [row["version"] for row in await at.rows(document)]
    assert sorted(versions) == [1, 2, 3, 4]
    assert {row["state"] for row in await at.rows(document)} == {"accepted"}


async def test_a_released_conflict_uses_no_number_of_the_senders(at: Dock) -> None:
    await at.take_in(normalized("order", order()))
    await at.take_in(normalized("order", order(quantity="3")))
    await let_go(at)
    await at.take_in(normalized("order_change", change(sequence=1, quantity="4")))
    assert await states(at) == [
        ("accept", "accepted"), ("conflict", "accepted"), ("change", "accepted"),
    ]  # fmt: skip


async def refused(at: Dock) -> None:
    async with at.engine.begin() as ledger:
        opened = [row for row in await at.rows(hold) if row["state"] == "open"]
        await reject(ledger, opened[0]["id"], ACT, SITE)


async def test_a_rejected_change_leaves_the_order_as_it_was_before(at: Dock) -> None:
    first = normalized("order", order())
    await at.take_in(first)
    await at.take_in(normalized("order_change", change(quantity="500")))
    await refused(at)
    await at.take_in(normalized("order_change", change(sequence=2, quantity="3")))
    await at.take_in(normalized("order", order()))
    await at.take_in(normalized("order", order(quantity="4")))
    assert await states(at) == [
        ("accept", "accepted"),
        ("change", "rejected"),
        ("change", "accepted"),
        ("duplicate", "duplicate"),
        ("conflict", "held"),
    ]
    kinds = [(row["action"], row["version"]) for row in await at.rows(delivery)]
    assert ("change_order", 2) in kinds


async def test_a_rejected_change_that_is_sent_again_is_judged_anew(at: Dock) -> None:
    await at.take_in(normalized("order", order()))
    await at.take_in(normalized("order_change", change(quantity="500")))
    await refused(at)
    await at.take_in(normalized("order_change", change(quantity="500")))
    assert await states(at) == [
        ("accept", "accepted"), ("change", "rejected"), ("change", "held"),
    ]  # fmt: skip


async def test_what_waits_behind_a_rejected_change_goes_on(at: Dock) -> None:
    await at.take_in(normalized("order", order()))
    await at.take_in(normalized("order_change", change(quantity="500")))
    await at.take_in(normalized("order_change", change(sequence=2, quantity="3")))
    assert [row["kind"] for row in await at.rows(hold)] == ["control_point", "behind"]
    await refused(at)
    assert await states(at) == [
        ("accept", "accepted"), ("change", "rejected"), ("change", "accepted"),
    ]  # fmt: skip


async def test_of_two_parked_changes_of_one_number_the_second_stays_for_a_person(
    at: Dock,
) -> None:
    await at.take_in(normalized("order_change", change(quantity="5")))
    await at.take_in(normalized("order_change", change(quantity="6")))
    await at.take_in(normalized("order", order()))
    assert sorted(row["state"] for row in await at.rows(document) if row["entity"] != "item") == [
        "accepted", "accepted", "held",
    ]  # fmt: skip
    (left,) = [row for row in await at.rows(hold) if row["state"] == "open"]
    assert (left["kind"], left["reasons"][0]["where"]) == ("conflict", "change_sequence")


async def test_who_acts_on_a_hold_waits_for_its_key_without_holding_the_hold(at: Dock) -> None:
    await at.take_in(normalized("order", order(quantity="500")))
    held = await only_hold(at)
    async with at.engine.begin() as ledger:
        await keys.lock(ledger, [held["business_key"]], ACT.at)
        acting = asyncio.create_task(let_go(at))

        async def waits() -> bool:
            asked = "SELECT 1 FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()"
            async with at.engine.connect() as other:  # one that begins sees what is so now
                return await other.scalar(sa.text(asked)) is not None

        await wait_for(waits)
        # As the batch that decides on this key does, when it lets go what waited.
        await ledger.execute(sa.text("SET LOCAL lock_timeout = '2s'"))
        await holds.lock_open(ledger, held["id"])
    await acting
    assert (await only_hold(at))["state"] == "released"
