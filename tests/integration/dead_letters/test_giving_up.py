"""Giving dead letters up, and taking that back."""

from __future__ import annotations

from typing import Any

import pytest

from canonical.errors import Rejected
from hub.dead_letters import archive as archiving
from hub.delivery.role import DeliverRole
from hub.ledger.tables import (
    dead_letter,
    delivery,
    document,
)
from tests.support.dead_letters import Servers, Shell
from tests.support.deliveries import (
    Books,
    fails_with,
    parts,
    running,
    spec,
    until,
)
from tests.support.dying import (
    act,
    begin,
    dead,
    letter_now,
    role,
)
from tests.support.waiting import wait_for


async def version(books: Books, n: int, target: str = "bc", **changes: Any) -> str:
    one = await books.document(f"v{n}", business_key="order/acme/4711/", version=n)
    return await books.delivery(one, target, **changes)


async def test_giving_up_lets_what_waited_behind_it_go(at: Servers, books: Books) -> None:
    at.target.script.append(fails_with(Rejected("customer_unknown")))
    first, second = await version(books, 1), await version(books, 2)
    async with running(role(at)):
        await until(books, first, "dead")

        async def waits() -> bool:
            return bool((await books.row(delivery, id=second))["code"] == "waiting_behind")

        await wait_for(waits)
        async with at.engine.begin() as ledger:
            letter = await books.row(dead_letter)
            await archiving.archive(ledger, letter["id"], act())
        await until(books, second, "delivered")
    assert at.target.effects == ["XDv2"]
    archived = await letter_now(books, letter)
    assert (archived["state"], archived["reason"]) == ("archived", "the customer was created")
    assert (await books.row(document, id="doc-v1"))["state"] == "dead"
    async with at.engine.begin() as ledger:
        with pytest.raises(Rejected, match="later_delivered"):
            await archiving.restore(ledger, letter["id"], act())


async def test_giving_up_takes_what_was_to_follow_with_it_and_restoring_brings_it_back(
    at: Servers, books: Books
) -> None:
    letter = await dead(at, books)
    follower = await books.delivery("doc-1", "lakeside", after_target="bc")
    async with at.engine.begin() as ledger:
        await archiving.archive(ledger, letter["id"], act())
    assert await books.states() == {"cancelled": 2}
    async with at.engine.begin() as ledger:
        await archiving.restore(ledger, letter["id"], act())
    assert await books.state(follower) == "pending"
    assert await books.state(letter["delivery_id"]) == "dead"
    async with running(role(at), DeliverRole(spec(at.target, "lakeside"), parts(at.engine))):
        await begin(at, letter)
        await until(books, follower, "delivered")
    assert at.target.effects == ["XD1", "XD1"]  # one at each target
    assert (await books.row(document))["state"] == "delivered"


async def test_a_document_of_which_a_part_was_given_up_is_never_called_delivered(
    at: Servers, books: Books
) -> None:
    letter = await dead(at, books)
    other = await books.delivery("doc-1", "lakeside")
    async with at.engine.begin() as ledger:
        await archiving.archive(ledger, letter["id"], act())
    async with running(DeliverRole(spec(at.target, "lakeside"), parts(at.engine))):
        await until(books, other, "delivered")
    assert (await books.row(document))["state"] == "dead"


async def test_more_letters_than_expected_are_refused(
    at: Servers, books: Books, desk: Shell
) -> None:
    for number in "12":
        await dead(at, books, number)
    result = await desk.run("archive", "--target", "bc", "--reason", "x", "--yes", "--max", "1")
    assert result.exit_code == 4
    assert "too_many" in result.output
    assert {row["state"] for row in await at.letters()} == {"open"}


async def test_archive_and_restore_by_command(at: Servers, books: Books, desk: Shell) -> None:
    letter = await dead(at, books)
    (row,) = await desk.json("archive", "--error", "customer_unknown", "--reason", "x", "--yes")
    assert row["outcome"] == "archived"
    assert (await desk.run("list")).exit_code == 3
    refused = await desk.run("replay", letter["id"], "--reason", "x", "--yes")
    assert refused.exit_code == 4
    (row,) = await desk.json("restore", "--partner", "acme", "--reason", "x", "--yes")
    assert row["outcome"] == "restored"
    assert (await letter_now(books, letter))["state"] == "open"
