"""Whose refusal it is: two partners with counters of their own, and every try under one number."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.base import Confirmation, Reason
from hub.ledger.control_numbers import allocate, key_of
from hub.ledger.tables import attempt, confirmation, control_number, dead_letter, delivery, document
from hub.servers.addresses import Addresses
from hub.workers.jobs import Acknowledged
from tests.support.ledgers import Dock, dock, normalized, order

NOW = datetime.now(UTC)
A, B = "ZZ:US/ZZ:BC/P", "ZZ:US/ZZ:SHOP/P"
TARGETS = {"bc": A, "shop": B}
REASON = Reason("code_invalid", "IT1 segment 3 element 2", "code 7")


@pytest.fixture
async def at(addresses: Addresses, tmp_path: Path) -> AsyncIterator[Dock]:
    async with dock(addresses, tmp_path) as opened:
        await opened.stock()
        yield opened


async def change(at: Dock, delivery_id: str, **values: Any) -> None:
    async with at.engine.begin() as ledger:
        found = sa.update(delivery).where(delivery.c.id == delivery_id)
        await ledger.execute(found.values(**values))


async def owed(at: Dock, number: str = "PO-1") -> dict[str, Any]:
    """Take an order in; return its delivery, which has been sent."""
    await at.take_in(normalized("order", order(number, number[-1])))
    row = max(await at.rows(delivery), key=lambda each: each["created_at"])
    sent = {"state": "delivered", "settled_at": NOW, "attempts": 1}
    await change(at, row["id"], **sent)
    return {**row, **sent}


async def copied(at: Dock, row: dict[str, Any], **values: Any) -> dict[str, Any]:
    """The same document once more: at another target, or on another occasion."""
    new = {**row, "id": f"{row['id']}-2", **values}
    async with at.engine.begin() as ledger:
        await ledger.execute(sa.insert(delivery).values(**new))
    return new


async def numbered(at: Dock, row: dict[str, Any]) -> int:
    """The control number under which it goes to its target."""
    key = key_of(row["reference"], row["action"], row["version"])
    async with at.engine.begin() as ledger:
        return (await allocate(ledger, TARGETS[row["target"]], key, row["target"], NOW)).interchange


async def says(at: Dock, connection: str, number: int, state: str, **about: Any) -> None:
    word = Confirmation(number, state, (REASON,), scope=TARGETS[connection], **about)
    flow = "APERAK" if about else "997"
    await at.take_in(Acknowledged(0, "", flow, {}, {}, (word,)), connection=connection)


async def states(at: Dock) -> dict[str, str]:
    return {row["id"]: row["state"] for row in await at.rows(delivery)}


async def matched(at: Dock) -> list[str | None]:
    rows = sorted(await at.rows(confirmation), key=lambda row: row["at"])
    return [row["delivery_id"] for row in rows]


async def test_a_no_is_about_the_document_that_has_the_number_at_the_partner_who_says_it(
    at: Dock,
) -> None:
    first = await owed(at, "PO-1")
    await numbered(at, first)
    second = await owed(at, "PO-2")
    await numbered(at, second)
    behind = await copied(at, second, target="shop")
    assert await numbered(at, behind) == 1  # the number that PO-1 has at the other partner
    await says(at, "bc", 1, "rejected")
    assert await matched(at) == [first["id"]]
    assert await states(at) == {
        first["id"]: "dead", second["id"]: "delivered", behind["id"]: "delivered",
    }  # fmt: skip


async def test_what_one_partner_refused_keeps_its_number_at_the_other(at: Dock) -> None:
    row = await owed(at)
    other = await copied(at, row, target="shop")
    assert (await numbered(at, row), await numbered(at, other)) == (1, 1)
    await says(at, "bc", 1, "rejected")
    assert (await numbered(at, row), await numbered(at, other)) == (2, 1)


@pytest.mark.parametrize("state", ["pending", "in_doubt", "in_flight"])
async def test_a_no_ends_what_is_to_be_tried_again_for_want_of_an_answer(
    at: Dock, state: str
) -> None:
    row = await owed(at)
    number = await numbered(at, row)
    await change(at, row["id"], state=state, settled_at=None, next_at=NOW)
    await says(at, "bc", number, "rejected")
    assert await states(at) == {row["id"]: "dead"}
    assert [letter["code"] for letter in await at.rows(dead_letter)] == ["partner_rejected"]


@pytest.mark.parametrize(("state", "attempts"), [("pending", 0), ("delivered", 1)])
async def test_a_no_ends_every_occasion_of_its_number_and_leaves_one_letter_of_the_first(
    at: Dock, state: str, attempts: int
) -> None:
    row = await owed(at)
    number = await numbered(at, row)
    later = {"created_at": datetime.now(UTC), "state": state, "attempts": attempts}
    again = await copied(at, row, occasion="resend-1", **later)
    await says(at, "bc", number, "rejected")
    assert await states(at) == {row["id"]: "dead", again["id"]: "dead"}
    assert [letter["delivery_id"] for letter in await at.rows(dead_letter)] == [row["id"]]


async def test_a_no_that_is_repeated_does_not_end_the_replay_of_what_it_refused(at: Dock) -> None:
    row = await owed(at)
    number = await numbered(at, row)
    await says(at, "bc", number, "rejected")
    for state in ("pending", "delivered"):
        await change(at, row["id"], state=state)
        await says(at, "bc", number, "rejected")
        assert await states(at) == {row["id"]: state}
    assert await numbered(at, row) == number + 1
    await says(at, "bc", number + 1, "rejected")
    assert await states(at) == {row["id"]: "dead"}
    assert len(await at.rows(dead_letter)) == 2


async def test_what_was_sent_again_as_it_was_refused_is_refused_again(at: Dock) -> None:
    row = await owed(at)
    number = await numbered(at, row)
    await says(at, "bc", number, "rejected")
    again = await copied(at, row, occasion="resend-1", created_at=datetime.now(UTC))
    await says(at, "bc", number, "rejected")
    assert await states(at) == {row["id"]: "dead", again["id"]: "dead"}


async def test_what_we_had_given_up_does_not_go_out_again_under_the_number_that_was_refused(
    at: Dock,
) -> None:
    row = await owed(at)
    number = await numbered(at, row)
    await change(at, row["id"], state="dead")
    await says(at, "bc", number, "rejected")
    assert await at.rows(dead_letter) == []  # it has its own already
    assert await numbered(at, row) == number + 1


async def test_a_no_to_a_replay_in_doubt_closes_its_letter_and_wakes_what_waits(at: Dock) -> None:
    row = await owed(at)
    number = await numbered(at, row)
    await says(at, "bc", number, "rejected")
    number = await numbered(at, row)
    await change(at, row["id"], state="in_doubt", attempts=2, next_at=NOW)
    behind = {"code": "waiting_behind", "place": row["id"], "next_at": NOW.replace(year=2099)}
    waiting = await copied(
        at, row, action="post_shipment", state="pending", settled_at=None, attempts=0, **behind
    )
    async with at.engine.begin() as ledger:
        await ledger.execute(sa.update(dead_letter).values(state="replaying"))
    await says(at, "bc", number, "rejected")
    letters = sorted(await at.rows(dead_letter), key=lambda each: each["opened_at"])
    assert [letter["state"] for letter in letters] == ["replayed", "open"]
    (woken,) = [each for each in await at.rows(delivery) if each["id"] == waiting["id"]]
    assert woken["next_at"].year < 2099


async def test_a_name_is_that_of_a_document_of_its_kind(at: Dock) -> None:
    row = await owed(at, "PO-1")
    await numbered(at, row)
    await says(at, "bc", 0, "rejected", document="PO-1", entities=("invoice",))
    assert (await matched(at), await states(at)) == ([None], {row["id"]: "delivered"})
    await says(at, "bc", 0, "rejected", document="PO-1", entities=("order", "order_change"))
    assert await states(at) == {row["id"]: "dead"}


async def test_a_name_that_two_documents_have_is_believed_of_neither(at: Dock) -> None:
    await owed(at, "PO-1")
    await owed(at, "PO-2")
    async with at.engine.begin() as ledger:
        await ledger.execute(sa.update(document).values(number="PO-1"))
    await says(at, "bc", 0, "rejected", document="PO-1")
    assert await matched(at) == [None]
    (said,) = await at.rows(confirmation)
    assert (said["named"], said["unmatched"]) == ("PO-1", "document_ambiguous")
    assert set((await states(at)).values()) == {"delivered"}


async def test_a_name_of_another_kind_than_what_has_the_number_says_nothing_of_it(
    at: Dock,
) -> None:
    row = await owed(at, "PO-1")
    number = await numbered(at, row)
    await says(at, "bc", number, "accepted", document="INV-7", entities=("invoice",))
    assert await matched(at) == [row["id"]]


async def test_a_number_and_a_name_that_belong_to_two_documents_are_believed_of_neither(
    at: Dock,
) -> None:
    number = await numbered(at, await owed(at, "PO-1"))
    await numbered(at, await owed(at, "PO-2"))
    await says(at, "bc", number, "rejected", document="PO-2", entities=("order",))
    assert await matched(at) == [None]
    (said,) = await at.rows(confirmation)
    assert (said["named"], said["unmatched"]) == ("PO-2", "other_document")
    assert [row["key"] for row in await at.rows(control_number) if "#" in row["key"]] == []


async def tried(at: Dock, row: dict[str, Any], *outcomes: str) -> None:
    """How the tries of a delivery ended."""
    async with at.engine.begin() as ledger:
        for n, outcome in enumerate(outcomes, start=1):
            what = {"delivery_id": row["id"], "n": n, "outcome": outcome, "started_at": NOW}
            await ledger.execute(sa.insert(attempt).values(**what))


async def told(at: Dock) -> list[str]:
    rows = sorted(await at.rows(confirmation), key=lambda row: row["at"])
    return [row["state"] for row in rows]


@pytest.mark.parametrize("first", ["accepted", "accepted_with_errors", "received"])
async def test_a_duplicate_of_what_the_partner_has_taken_is_received_and_keeps_its_number(
    at: Dock, first: str
) -> None:
    row = await owed(at)
    number = await numbered(at, row)
    await says(at, "bc", number, first)
    await says(at, "bc", number, "duplicate")
    assert await states(at) == {row["id"]: "delivered"}
    assert (await told(at), await at.rows(dead_letter)) == ([first, "received"], [])
    assert await numbered(at, row) == number


async def test_a_duplicate_of_what_went_out_twice_is_received(at: Dock) -> None:
    row = await owed(at)
    number = await numbered(at, row)
    await tried(at, row, "in_doubt", "delivered")
    await says(at, "bc", number, "duplicate")
    assert (await states(at), await told(at)) == ({row["id"]: "delivered"}, ["received"])
    assert await numbered(at, row) == number


async def test_a_duplicate_of_what_was_sent_again_by_hand_is_received(at: Dock) -> None:
    row = await owed(at)
    number = await numbered(at, row)
    again = await copied(at, row, occasion="resend-1", created_at=datetime.now(UTC))
    for each in (row, again):
        await tried(at, each, "delivered")
    await says(at, "bc", number, "duplicate")
    assert await states(at) == {row["id"]: "delivered", again["id"]: "delivered"}
    assert await at.rows(dead_letter) == []


async def test_a_duplicate_of_what_went_out_once_is_a_number_that_somebody_else_had(
    at: Dock,
) -> None:
    row = await owed(at)
    number = await numbered(at, row)
    await tried(at, row, "retry", "delivered")  # nothing left us the first time
    await says(at, "bc", number, "duplicate")
    assert (await states(at), await told(at)) == ({row["id"]: "dead"}, ["rejected"])
    assert await numbered(at, row) == number + 1


async def test_a_duplicate_in_one_file_with_the_yes_is_received_in_either_order(at: Dock) -> None:
    row = await owed(at)
    number = await numbered(at, row)
    both = [Confirmation(number, state, (REASON,), scope=A) for state in ("duplicate", "accepted")]
    await at.take_in(
        *(Acknowledged(n, "", "997", {}, {}, (word,)) for n, word in enumerate(both)),
        connection="bc",
    )
    assert await states(at) == {row["id"]: "delivered"}


async def test_a_duplicate_of_nothing_is_listed_as_a_refusal(at: Dock) -> None:
    await says(at, "bc", 77, "duplicate")
    assert (await matched(at), await told(at)) == ([None], ["rejected"])


async def test_a_no_after_a_yes_of_the_same_kind_says_so_in_its_letter(at: Dock) -> None:
    row = await owed(at)
    number = await numbered(at, row)
    await says(at, "bc", number, "accepted")
    await says(at, "bc", number, "rejected")
    (letter,) = await at.rows(dead_letter)
    assert letter["detail"] == "997: code_invalid code 7, though accepted before"
