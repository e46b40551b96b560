"""Dead letters on a real ledger and a real NATS: replayed once, in order, and accounted for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from canonical.errors import InDoubt, Rejected, Retryable
from connectors.base import Capabilities, Receipt
from dlq_tools import archive as archiving
from dlq_tools import letters
from dlq_tools import replay as replaying
from dlq_tools.ask import Targets
from dlq_tools.commands import app
from dlq_tools.filters import Filters
from dlq_tools.plan import Planner
from hub.delivery.role import DeliverRole
from hub.ledger import audit, threads
from hub.ledger.tables import (
    attempt,
    control_counter,
    control_number,
    dead_letter,
    delivery,
    document,
    receipt,
)
from hub.ledger.tables import audit as trail
from hub.release.holds import Act
from hub.render import WorkerRenderer
from hub.servers.addresses import Addresses
from hub.workers.pool import WorkerPool
from hub.workers.spec import WorkerSpec
from tests.support.dead_letters import ONE, SITE, Servers, Shell, hub, servers, shell
from tests.support.deliveries import (
    Books,
    fails_with,
    loses_the_call,
    parts,
    running,
    spec,
    until,
)
from tests.support.ledgers import order
from tests.support.paper import ORDER, paper_mapping, paper_order, paper_receipt, paper_spec
from tests.support.waiting import wait_for

BROKEN = '$fail("terms_unknown", "lines[0].unit", "the unit is in no list")'
REPAIRED = ORDER


@pytest.fixture
async def at(addresses: Addresses, tmp_path: Path) -> AsyncIterator[Servers]:
    async with servers(addresses, tmp_path) as opened:
        yield opened


@pytest.fixture
def books(at: Servers) -> Books:
    return Books(at.engine)


@pytest.fixture
def desk(addresses: Addresses, tmp_path: Path) -> Shell:
    return shell(app, tmp_path, addresses)


def act(actor: str = "ann") -> Act:
    return Act(actor, "the customer was created", datetime.now(UTC))


def role(at: Servers, **changes: Any) -> DeliverRole:
    return DeliverRole(spec(at.target, **changes), parts(at.engine))


async def dead(at: Servers, books: Books, number: str = "1", **changes: Any) -> dict[str, Any]:
    """Let an order die of a refusal; its letter."""
    at.target.script.append(fails_with(Rejected("customer_unknown", "customerNumber")))
    one = await books.order(number)
    async with running(role(at, **changes)):
        await until(books, one, "dead")
    return await books.row(dead_letter, delivery_id=one)


async def begin(at: Servers, letter: dict[str, Any], by: str = "ann") -> None:
    async with at.engine.begin() as ledger:
        await replaying.begin(ledger, letter["id"], act(by))


async def letter_now(books: Books, letter: dict[str, Any]) -> dict[str, Any]:
    return await books.row(dead_letter, id=letter["id"])


def slip(po: str) -> dict[str, Any]:
    """A document of the flow whose mapping is broken."""
    return paper_order(po) | {"flow": "slip"}


# Deliveries


async def test_a_delivery_is_replayed_by_command_and_its_outcome_waited_for(
    at: Servers, books: Books, desk: Shell
) -> None:
    letter = await dead(at, books)
    async with running(role(at)):
        rows = await desk.json(
            "replay", letter["id"][:8], "--reason", "fixed", "--by", "ann", "--yes", "--wait"
        )
    assert [(row["outcome"], row["number"], row["detail"]) for row in rows] == [
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
    async with running(role(at)):
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


async def test_a_batch_goes_oldest_first_and_one_refusal_does_not_stop_it(
    at: Servers, books: Books, desk: Shell
) -> None:
    first, second = await dead(at, books, "1"), await dead(at, books, "2")
    await begin(at, second)
    result = await desk.run(
        "replay", first["id"], second["id"], "--reason", "x", "--yes", "--no-wait"
    )
    assert result.exit_code == 5
    assert "letter_not_open" in result.stdout
    states = [(await letter_now(books, each))["state"] for each in (first, second)]
    assert states == ["replaying", "replaying"]


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


# Giving up


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


# Documents that could not be read, mapped or validated


async def failed_slips(at: Servers, *documents: dict[str, Any], **rest: Any) -> Receipt:
    """Take in a receipt with the mapping of `slip` broken; wait until its slips are dead."""
    taken = paper_receipt(*documents, **rest)
    await at.take_in(taken)
    slips = sum(each["flow"] == "slip" for each in documents)
    async with hub(at, paper_spec(slip=BROKEN)):
        await at.until_letters(slips, state="open", stage="map")
    return taken


async def begin_all(at: Servers) -> list[dict[str, Any]]:
    found = await at.letters(state="open")
    for letter in found:
        await begin(at, letter)
    return found


async def test_a_repaired_mapping_lets_the_failed_document_through_and_no_other(
    at: Servers, books: Books
) -> None:
    answers = [{"flow": "receipt", "body": {"ok": True}}]
    taken = await failed_slips(at, paper_order("PO-1"), slip("PO-2"), answers=answers)
    assert (await at.balance()).dead == 1
    (letter,) = await begin_all(at)
    async with hub(at, paper_spec(slip=REPAIRED)):
        await at.until_letters(1, state="replayed")
        await until(
            books, (await books.row(delivery, reference=await ref(books)))["id"], "delivered"
        )
    rows = await books.rows(document, direction="in")
    assert sorted((row["number"] or "", row["state"]) for row in rows) == [
        ("", "superseded"),
        ("PO-1", "delivered"),
        ("PO-2", "delivered"),
    ]
    assert len(await books.rows(document, direction="out")) == 1  # answered once
    balance = await at.balance()
    assert (balance.received, balance.delivered, balance.dead) == (2, 2, 0)
    again = next(row for row in await books.rows(receipt) if row["id"] != taken.id)
    assert again["facts"]["replay_of"] == taken.id
    assert (again["facts"]["letter"], again["facts"]["position"]) == (letter["id"], "1")
    assert again["received_at"] == taken.received_at
    assert again["duplicate_of"] is None


async def ref(books: Books) -> str:
    """Our reference of the order PO-2."""
    return str((await books.row(document, number="PO-2"))["reference"])


async def test_the_thread_of_a_replayed_order_tells_of_its_dead_letter(at: Servers) -> None:
    await failed_slips(at, slip("PO-2"))
    await begin_all(at)
    async with hub(at, paper_spec(slip=REPAIRED)):
        await at.until_letters(1, state="replayed")
    async with at.engine.connect() as ledger:
        thread = await threads.find(ledger, "PO-2")
    assert thread is not None
    told = [entry.what for entry in thread.timeline if "dead letter" in entry.about]
    assert told == ["dead", "replayed"]


async def test_what_fails_again_opens_a_new_letter_that_knows_where_it_comes_from(
    at: Servers, desk: Shell
) -> None:
    await failed_slips(at, slip("PO-2"))
    (old,) = await at.letters()
    async with hub(at, paper_spec(slip=BROKEN.replace("terms", "units"))):
        result = await desk.run(
            "replay", "--stage", "map", "--reason", "x", "--yes", "--wait", "--output", "json"
        )
        assert result.exit_code == 1
    (fresh,) = await at.letters(state="open")
    assert (fresh["code"], fresh["attempts"]) == ("units_unknown", 2)
    assert fresh["id"] in result.stdout
    balance = await at.balance()
    assert (balance.received, balance.dead, balance.adds_up) == (1, 1, True)
    shown = await desk.json("show", fresh["id"])
    assert [(each["id"], each["state"]) for each in shown["related"]] == [(old["id"], "replayed")]


async def test_a_receipt_that_could_not_be_read_as_a_whole_is_decided_and_answered_as_a_whole(
    at: Servers, books: Books
) -> None:
    answers = [{"flow": "receipt", "body": {"ok": True}}]
    await at.take_in(paper_receipt(paper_order("PO-1"), paper_order("PO-2"), answers=answers))
    nobody = paper_spec()
    async with hub(at, replace(nobody, connections={})):
        (letter,) = await at.until_letters(1)
    assert (letter["stage"], letter["code"]) == ("decode", "connection_unknown")
    await begin_all(at)
    async with hub(at, paper_spec()):
        await at.until_letters(1, state="replayed")
    rows = await books.rows(document, direction="in")
    assert sorted((row["number"] or "", row["verdict"]) for row in rows) == [
        ("", "unreadable"),
        ("PO-1", "accept"),
        ("PO-2", "accept"),
    ]
    assert len(await books.rows(document, direction="out")) == 1


async def test_one_position_of_a_replayed_receipt_is_replayed_alone_again(
    at: Servers, books: Books
) -> None:
    """The second replay knows what the first receipt, not only the replay, has settled."""
    await failed_slips(at, paper_order("PO-1"), slip("PO-2"))
    async with at.engine.begin() as ledger:
        await ledger.execute(sa.update(dead_letter).values(stage="decode", entity=None))
    await begin_all(at)
    async with hub(at, paper_spec(slip=BROKEN)):
        await at.until_letters(1, state="open", attempts=2)
    async with at.engine.begin() as ledger:
        await ledger.execute(sa.update(dead_letter).values(stage="decode", entity=None))
    await begin_all(at)
    async with hub(at, paper_spec(slip=REPAIRED)):
        await at.until_letters(2, state="replayed")
    verdicts = sorted(row["verdict"] for row in await books.rows(document, direction="in"))
    assert verdicts == ["accept", "accept", "unreadable", "unreadable"]


async def test_a_replay_that_is_stored_twice_is_decided_once(at: Servers, books: Books) -> None:
    await failed_slips(at, slip("PO-2"))
    await begin_all(at)
    stored = [await at.resubmitter().run() for _ in range(2)]  # a hub died after the first
    assert stored == [1, 1]
    async with hub(at, paper_spec(slip=REPAIRED)):
        await at.until_letters(1, state="replayed")
    assert len(await books.rows(document, number="PO-2")) == 1
    assert len(await books.rows(receipt)) == 2


async def test_a_replay_that_was_withdrawn_before_it_was_decided_has_no_effect(
    at: Servers, books: Books
) -> None:
    await failed_slips(at, slip("PO-2"))
    await begin_all(at)
    await at.resubmitter().run()
    async with at.engine.begin() as ledger:
        await ledger.execute(sa.update(dead_letter).values(state="open"))
    async with hub(at, paper_spec(slip=REPAIRED)):

        async def decided() -> bool:
            return len(await books.rows(receipt)) == 2

        await wait_for(decided)
    (letter,) = await at.letters()
    assert letter["state"] == "open"
    assert [row["state"] for row in await books.rows(document)] == ["dead"]


async def test_a_letter_whose_bytes_are_lost_is_opened_again(
    at: Servers, tmp_path: Path, desk: Shell
) -> None:
    await failed_slips(at, slip("PO-2"))
    for pack in (tmp_path / "archive").iterdir():
        pack.unlink()
    async with hub(at, paper_spec(slip=REPAIRED)):
        result = await desk.run("replay", "--doc", "order", "--reason", "x", "--yes", "--wait")
    assert result.exit_code == 1
    assert "archive_damaged" in result.stdout
    (letter,) = await at.letters()
    assert letter["state"] == "open"


# Looking


async def test_failures_of_one_cause_are_counted_together(
    at: Servers, books: Books, desk: Shell
) -> None:
    for number in "123":
        await dead(at, books, number)
    await failed_slips(at, slip("PO-2"))
    groups = await desk.json("stats")
    assert [(group["count"], group["stage"], group["code"]) for group in groups] == [
        (3, "deliver", "customer_unknown"),
        (1, "map", "terms_unknown"),
    ]
    assert groups[0]["money"] == {"USD": "360"}
    assert groups[0]["partners"] == ["acme"]
    assert groups[0]["first_seen"] < groups[0]["last_seen"]
    only = await desk.json("list", "--group", groups[0]["group"])
    assert [row["number"] for row in only] == ["1", "2", "3"]


async def test_a_letter_is_shown_with_its_attempts_and_never_its_payload(
    at: Servers, desk: Shell
) -> None:
    await failed_slips(at, slip("PO-SECRET"))
    (letter,) = await at.letters()
    shown = await desk.json("show", letter["id"])
    assert shown["code"] == "terms_unknown"
    assert len(shown["receipt"]["sha256"]) == 64
    plain = await desk.run("show", letter["id"][:8])
    assert plain.exit_code == 0
    assert "PO-SECRET" not in plain.stdout + str(shown)
    asked = await desk.run("show", letter["id"], "--payload")
    assert "PO-SECRET" in asked.stdout


async def test_a_delivery_is_shown_with_every_attempt_and_what_waits(
    at: Servers, books: Books, desk: Shell
) -> None:
    letter = await dead(at, books)
    await books.delivery("doc-1", "lakeside", after_target="bc")
    shown = await desk.json("show", letter["id"])
    assert [(row["n"], row["outcome"], row["code"]) for row in shown["attempts"]] == [
        (1, "dead", "customer_unknown")
    ]
    assert [row["target"] for row in shown["waiting"]] == ["lakeside"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("list", "--error", "no_such_code"), 3),
        (("show", "00000000"), 3),
        (("show", "0"), 2),
        (("list", "--since", "yesterday"), 2),
        (("replay", "--reason", "x"), 4),  # all of them? say so
        (("replay", "--target", "bc", "--reason", "x"), 4),  # nobody to ask
        (("replay", "--target", "bc", "--yes"), 2),  # no reason
        (("replay", "--target", "bc", "--reason", " ", "--yes"), 2),
        (("restore", "--target", "bc", "--reason", "x", "--yes"), 3),
        (("list", "--since", "1h", "--target", "bc", "--partner", "acme"), 0),
        (("list", "--until", "1h"), 3),
        (("list", "--key", "order/acme/1/"), 0),
        (("list", "--key", "XD1", "--state", "all"), 0),
        (("list", "--state", "archived"), 3),
        (("stats", "--stage", "map"), 3),
    ],
)
async def test_exit_codes(
    at: Servers, books: Books, desk: Shell, arguments: tuple[str, ...], code: int
) -> None:
    await dead(at, books)
    result = await desk.run(*arguments)
    assert result.exit_code == code, result.output


async def test_a_ledger_that_is_away_is_one_line_and_a_failure(at: Servers, desk: Shell) -> None:
    del at
    away = desk.environment | {"DEAD_LETTERS_DATABASE": "postgresql://nobody@127.0.0.1:1/none"}
    result = await Shell(desk.app, away).run("list")
    assert result.exit_code == 1
    assert "Traceback" not in result.output


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
    assert row["code"]
    assert await books.rows(attempt) == tried
    assert (await books.row(dead_letter))["state"] == "open"


# Planning


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
    assert (row["at_target"], row["code"]) == ("unknown", code)


async def test_a_plan_says_when_nobody_can_be_asked(at: Servers, books: Books) -> None:
    await dead_note(at, books)
    row = await forecast(at, capabilities=Capabilities())
    assert (row["at_target"], row["code"]) == ("unknown", "cannot_ask")
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
