"""Replaying deliveries: once, asked about where in doubt, with fresh tries."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from canonical.errors import InDoubt, Rejected, Retryable
from hub.ledger import audit
from hub.ledger.tables import audit as trail
from hub.ledger.tables import (
    dead_letter,
    delivery,
    document,
)
from tests.support.dead_letters import Servers, Shell, replaying
from tests.support.deliveries import (
    Books,
    fails_with,
    loses_the_call,
    running,
    until,
)
from tests.support.dying import (
    begin,
    dead,
    letter_now,
    role,
)


async def test_a_delivery_is_replayed_by_command_and_its_outcome_waited_for(
    at: Servers, books: Books, desk: Shell
) -> None:
    letter = await dead(at, books)
    async with running(role(at)), replaying(at):
        job = await desk.json(
            "replay", letter["id"][:8], "--reason", "fixed", "--by", "ann", "--yes", "--wait"
        )
    assert (job["state"], job["counts"]) == ("done", {"replayed": 1})
    assert [(row["outcome"], row["number"], row["detail"]) for row in job["items"]] == [
        ("replayed", "1", "SO-XD1")
    ]
    assert at.target.effects == ["XD1"]
    closed = await letter_now(books, letter)
    assert (closed["state"], closed["replays"], closed["actor"]) == ("replayed", 1, "ann")
    assert closed["closed_at"] is not None
    assert (await books.row(document))["state"] == "delivered"


async def test_a_replay_is_in_the_audit_trail_with_before_and_after(
    at: Servers, books: Books
) -> None:
    letter = await dead(at, books)
    await begin(at, letter)
    (entry,) = await books.rows(trail)
    assert (entry["actor"], entry["action"], entry["subject"]) == (
        "ann",
        "dead_letter.replay",
        letter["id"],
    )
    assert entry["reason"] == "the customer was created"
    assert entry["before"] == {"state": "open", "delivery": "dead", "document": "dead"}
    assert entry["after"]["delivery"] == "pending"
    assert entry["after"]["document"] == "accepted"
    async with at.engine.connect() as ledger:
        assert await audit.verify(ledger) is None


async def test_a_replay_that_fails_again_opens_a_new_letter(
    at: Servers, books: Books, desk: Shell
) -> None:
    letter = await dead(at, books)
    at.target.script.append(fails_with(Rejected("customer_blocked")))
    async with running(role(at)), replaying(at):
        result = await desk.run(
            "replay", "--key", "1", "--reason", "x", "--yes", "--wait", "--output", "json"
        )
    assert result.exit_code == 1
    fresh = await books.row(dead_letter, state="open")
    assert (fresh["code"], fresh["attempts"]) == ("customer_blocked", 2)
    assert f'"new_letter": "{fresh["id"]}"' in result.stdout
    assert (await letter_now(books, letter))["state"] == "replayed"


async def test_what_may_have_taken_effect_is_asked_about_before_it_is_sent_again(
    at: Servers, books: Books
) -> None:
    at.target.script.append(fails_with(InDoubt("connection_reset")))
    at.target.questions.append(Rejected("not_allowed"))
    one = await books.order("1")
    async with running(role(at)):
        await until(books, one, "dead")
        at.target.effects.append("XD1")  # it had arrived all the same
        await begin(at, await books.row(dead_letter))
        await until(books, one, "delivered")
    assert at.target.calls == ["XD1"]
    assert at.target.effects == ["XD1"]


async def test_a_delivery_whose_tries_were_used_up_gets_all_its_tries_again(
    at: Servers, books: Books
) -> None:
    at.target.script.extend([fails_with(Retryable("unavailable"))] * 7)
    one = await books.order("1")
    async with running(role(at)):
        await until(books, one, "dead")
        assert len(at.target.calls) == 5
        await begin(at, await books.row(dead_letter))
        await until(books, one, "delivered")
    assert len(at.target.calls) == 8


async def test_lost_calls_are_counted_anew_too(at: Servers, books: Books) -> None:
    at.target.script.extend([loses_the_call] * 5)
    one = await books.order("1")
    async with running(role(at)):
        await until(books, one, "dead")
        await begin(at, await books.row(dead_letter))
        await until(books, one, "delivered")
    assert at.target.effects == ["XD1"]


async def test_a_replay_ends_with_its_own_delivery_and_no_other_of_the_document(
    at: Servers, books: Books
) -> None:
    post = await dead(at, books)
    at.target.script.append(fails_with(Rejected("not_yet")))
    other = await books.delivery("doc-1", action="invoice")
    async with running(role(at)):
        await until(books, other, "dead")
    invoice = await books.row(dead_letter, delivery_id=other)
    await begin(at, post)
    await begin(at, invoice)
    await books.change(other, next_at=datetime.now(UTC) + timedelta(hours=1))
    async with running(role(at)):
        await until(books, post["delivery_id"], "delivered")
    assert (await letter_now(books, post))["state"] == "replayed"
    assert (await letter_now(books, invoice))["state"] == "replaying"


async def test_two_operators_at_once_have_one_effect(at: Servers, books: Books) -> None:
    letter = await dead(at, books)
    results = await asyncio.gather(
        begin(at, letter, "ann"), begin(at, letter, "bob"), return_exceptions=True
    )
    (refused,) = [each for each in results if each is not None]
    assert isinstance(refused, Rejected)
    assert refused.code == "letter_not_open"
    async with running(role(at)):
        await until(books, letter["delivery_id"], "delivered")
    assert at.target.effects == ["XD1"]
    assert len(await books.rows(trail)) == 1


async def test_what_was_delivered_on_another_occasion_is_not_replayed(
    at: Servers, books: Books
) -> None:
    letter = await dead(at, books)
    again = await books.delivery("doc-1", occasion="redrive-1", next_at=None, state="in_doubt")
    with pytest.raises(Rejected, match="already_under_way"):
        await begin(at, letter)
    await books.change(again, state="delivered")
    with pytest.raises(Rejected, match="already_delivered"):
        await begin(at, letter)
    assert (await letter_now(books, letter))["state"] == "open"


async def test_a_document_with_another_dead_delivery_stays_dead_in_the_account(
    at: Servers, books: Books
) -> None:
    letter = await dead(at, books)
    other = await books.delivery("doc-1", "lakeside", state="dead", next_at=None)
    async with running(role(at)):
        await begin(at, letter)
        await until(books, letter["delivery_id"], "delivered")
    assert (await books.row(document))["state"] == "dead"
    await books.change(other, state="delivered")


async def test_a_dry_run_says_what_would_happen_and_changes_nothing(
    at: Servers, books: Books, desk: Shell
) -> None:
    letter = await dead(at, books)
    before = await books.rows(delivery)
    rows = await desk.json("replay", "--target", "bc", "--reason", "x", "--dry-run")
    assert [row["outcome"] for row in rows] == ["would_replay"]
    assert await letter_now(books, letter) == letter
    assert await books.rows(delivery) == before
    assert await books.rows(trail) == []
