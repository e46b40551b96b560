"""Replaying what could not be read, mapped or validated: through the pipeline, once, accounted for."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa

from hub.ledger import threads
from hub.ledger.tables import (
    dead_letter,
    delivery,
    document,
    receipt,
)
from tests.support.dead_letters import Servers, Shell, hub
from tests.support.deliveries import (
    Books,
    until,
)
from tests.support.dying import (
    BROKEN,
    REPAIRED,
    begin_all,
    failed_slips,
    slip,
)
from tests.support.paper import paper_order, paper_receipt, paper_spec
from tests.support.waiting import wait_for


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
    shown = await desk.json("show", old["id"])
    assert [(each["id"], each["state"]) for each in shown["related"]] == [(fresh["id"], "open")]
    refused = await desk.run("archive", old["id"], "--reason", "x", "--yes", "--output", "json")
    (told,) = json.loads(refused.stdout)
    assert (refused.exit_code, told["code"]) == (4, "letter_not_open")
    assert told["detail"] == (
        f"it is replayed, not open: its replay failed, see {fresh['id'][:8]} (open)"
    )
    asked = ("replay", old["id"], "--reason", "x", "--yes")
    tried = await desk.run(*asked, "--dry-run", "--output", "json")
    (would,) = json.loads(tried.stdout)
    assert (would["code"], would["detail"]) == ("letter_not_open", told["detail"])
    again = await desk.run(*asked)
    assert again.exit_code == 4
    assert told["detail"] in " ".join(again.stderr.split())


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
