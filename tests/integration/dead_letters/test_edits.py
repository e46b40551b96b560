"""Corrections: valid, still the same document, the original kept, approved where it matters."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import sqlalchemy as sa

from canonical.errors import Rejected
from hub.api.access import Access
from hub.api.app import http_app
from hub.api.dead_letters import DeadLettersApi, Desk
from hub.clock import SystemClock
from hub.dead_letters import editing, letters
from hub.dead_letters.ask import Targets
from hub.dead_letters.diff import diff
from hub.dead_letters.filters import Filters
from hub.dead_letters.jobs import Threshold
from hub.dead_letters.plan import Planner
from hub.ledger.tables import audit, dead_letter, delivery, document, letter_edit, receipt
from hub.render import WorkerRenderer
from hub.settings.model import DeadLetters
from hub.workers.pool import WorkerPool
from tests.support.dead_letters import ONE, SITE, Servers, Shell, hub
from tests.support.deliveries import Books, spec
from tests.support.dying import act, begin, dead
from tests.support.ledgers import order
from tests.support.paper import ORDER, paper_order, paper_receipt, paper_spec
from tests.support.waiting import wait_for

FREE = Threshold()
SPEC = paper_spec(slip=ORDER)


@asynccontextmanager
async def planner(at: Servers) -> AsyncIterator[Planner]:
    targets = Targets(lambda name: spec(at.target, name))
    async with WorkerPool(SPEC, ONE) as workers:
        renderer = WorkerRenderer(workers, SITE.control_points)
        yield Planner(at.engine, at.archive, targets, renderer, workers)


def slip(po: str, **changes: str) -> dict[str, Any]:
    return paper_order(po, 2, **changes) | {"flow": "slip"}


async def one_letter(at: Servers) -> dict[str, Any]:
    async with at.engine.connect() as ledger:
        (letter,) = await letters.listing(ledger, Filters())
    return letter


def allow_edits(desk: Shell) -> None:
    """Let the role of the site's shells edit."""
    with Path(desk.environment["CROSSDOCK_CONFIG"]).open("a") as site:
        site.write("dead_letters: {shell_role: operator, edit_roles: [operator]}\n")


async def unreadable(at: Servers) -> dict[str, Any]:
    """A receipt of a good order and one with a unit that nobody knows; the letter."""
    await at.take_in(paper_receipt(paper_order("PO-1"), slip("PO-2", uom="XX")))
    async with hub(at, SPEC):
        await at.until_letters(1, state="open", stage="map")
    return await one_letter(at)


def with_unit(body: bytes, unit: str = "EA", **changes: str) -> bytes:
    """The receipt with another unit (and more) on the slip."""
    found = json.loads(body)
    found["documents"][1]["body"]["lines"][0]["uom"] = unit
    found["documents"][1]["body"] |= changes
    return json.dumps(found).encode()


async def test_a_receipt_is_corrected_replayed_and_linked_to_the_original(
    at: Servers, books: Books
) -> None:
    letter = await unreadable(at)
    async with planner(at) as plans:
        before = await editing.original(plans, letter)
        made = await editing.edit(plans, letter, (before, with_unit(before.body)), act(), FREE)
        rows = await diff(plans, letter)
    assert (made["state"], made["changed"]) == (
        "accepted",
        ["documents[1].body.lines[0].uom"],
    )
    assert [(row["left"], row["right"]) for row in rows] == [("XX", "EA")]
    await begin(at, letter)
    async with hub(at, SPEC):
        await at.until_letters(1, state="replayed")

        async def done() -> bool:
            return (await at.balance()).adds_up

        await wait_for(done, what="the delivery of what was corrected")
    again = await books.row(document, number="PO-2")
    assert again["receipt_id"] != letter["receipt_id"]
    came = await books.row(receipt, id=again["receipt_id"])
    assert came["facts"]["letter"] == letter["id"]
    assert came["sha256"] == made["edited_sha256"]
    first = await books.row(receipt, id=letter["receipt_id"])
    assert first["sha256"] == made["original_sha256"]
    assert at.archive.read(first["archive"], first["sha256"]) == before.body


async def test_a_correction_is_in_the_audit_trail_without_values(at: Servers, books: Books) -> None:
    letter = await unreadable(at)
    async with planner(at) as plans:
        before = await editing.original(plans, letter)
        await editing.edit(plans, letter, (before, with_unit(before.body)), act(), FREE)
    (entry,) = await books.rows(audit, action="dead_letter.edit")
    assert (entry["subject"], entry["actor"]) == (letter["id"], "ann")
    assert entry["before"]["sha256"] != entry["after"]["sha256"]
    assert entry["after"]["changed"] == ["documents[1].body.lines[0].uom"]
    async with at.engine.connect() as ledger:
        (shown,) = (await letters.show(ledger, letter["id"]))["edits"]
    assert (shown["state"], shown["actor"]) == ("accepted", "ann")
    assert "XX" not in str(shown)


@pytest.mark.parametrize(
    ("edited", "code"),
    [
        (lambda body: body, "edit_empty"),
        (lambda body: with_unit(body, "YY"), "code_unknown"),
        (lambda body: with_unit(body, po="PO-INVENTED"), "identity_locked"),
        (lambda body: body.replace(b"PO-1", b"PO-9").replace(b"XX", b"EA"), "edit_elsewhere"),
        (lambda _body: b"not json", "edit_elsewhere"),
    ],
)
async def test_what_is_not_valid_or_not_the_same_document_is_refused(
    at: Servers, books: Books, edited: Any, code: str
) -> None:
    letter = await unreadable(at)
    async with planner(at) as plans:
        before = await editing.original(plans, letter)
        with pytest.raises(Rejected) as raised:
            await editing.edit(plans, letter, (before, edited(before.body)), act(), FREE)
    assert raised.value.code == code
    assert await books.rows(letter_edit) == []
    assert (await books.row(dead_letter))["edit_id"] is None


async def test_a_correction_of_great_value_waits_for_a_second_person(
    at: Servers, books: Books
) -> None:
    letter = await unreadable(at)
    async with planner(at) as plans:
        before = await editing.original(plans, letter)
        limit = Threshold(value=Decimal(1))
        made = await editing.edit(plans, letter, (before, with_unit(before.body)), act(), limit)
        assert made["state"] == "awaiting_approval"
        assert (await books.row(dead_letter))["edit_id"] is None
        with pytest.raises(Rejected, match="edit_waiting"):
            await editing.edit(
                plans, letter, (before, with_unit(before.body, "PC")), act("bob"), FREE
            )
        with pytest.raises(Rejected, match="second_person_needed"):
            await editing.approve(plans, made["id"], act("ann"))
        found = await asyncio.gather(
            *(editing.approve(plans, made["id"], act(name)) for name in ("bob", "eve")),
            return_exceptions=True,
        )
    assert sorted(type(each).__name__ for each in found) == ["Rejected", "dict"]
    assert (await books.row(dead_letter))["edit_id"] == made["id"]


async def test_a_refused_correction_never_counts(at: Servers, books: Books) -> None:
    letter = await unreadable(at)
    async with planner(at) as plans:
        before = await editing.original(plans, letter)
        limit = Threshold(value=Decimal(1))
        made = await editing.edit(plans, letter, (before, with_unit(before.body)), act(), limit)
        refused = await editing.approve(plans, made["id"], act("bob"), yes=False)
    assert refused["state"] == "refused"
    assert (await books.row(dead_letter))["edit_id"] is None


async def test_a_document_that_no_target_has_is_corrected_in_place(
    at: Servers, books: Books
) -> None:
    letter = await dead(at, books, "PO-1")
    async with at.engine.begin() as ledger:
        await ledger.execute(sa.update(document).values(canonical=order("PO-1")))
    async with planner(at) as plans:
        before = await editing.original(plans, letter)
        right = orjson.dumps(orjson.loads(before.body) | {"notes": ["call first"]})
        await editing.edit(plans, letter, (before, right), act(), FREE)
        other = orjson.dumps(orjson.loads(before.body) | {"po_number": "PO-2"})
        with pytest.raises(Rejected, match="identity_locked"):
            await editing.edit(plans, letter, (before, other), act(), FREE)
        with pytest.raises(Rejected, match="canonical_invalid"):
            await editing.edit(plans, letter, (before, b"{}"), act(), FREE)
        row = await books.row(document)
        assert row["canonical"]["notes"] == ["call first"]
        assert row["content_id"] != "content-PO-1"
        await books.delivery(row["id"], "lakeside", state="delivered", next_at=None)
        before = await editing.original(plans, letter)
        late = orjson.dumps(orjson.loads(before.body) | {"notes": ["too late"]})
        with pytest.raises(Rejected, match="edit_too_late"):
            await editing.edit(plans, letter, (before, late), act(), FREE)
    assert (await books.row(document))["canonical"]["notes"] == ["call first"]


def noted(before: editing.Original, note: str) -> tuple[editing.Original, bytes]:
    """A correction that begins with `before`."""
    return before, orjson.dumps(orjson.loads(before.body) | {"notes": [note]})


async def real_order(at: Servers, books: Books, **values: Any) -> dict[str, Any]:
    """The letter of a delivery whose document is a real order."""
    letter = await dead(at, books, "PO-1")
    async with at.engine.begin() as ledger:
        await ledger.execute(sa.update(document).values(canonical=order("PO-1"), **values))
    return letter


async def test_of_two_editors_the_second_one_overwrites_nothing(at: Servers, books: Books) -> None:
    letter = await unreadable(at)
    async with planner(at) as plans:
        before = await editing.original(plans, letter)
        first = await editing.edit(plans, letter, (before, with_unit(before.body)), act(), FREE)
        late = before, with_unit(before.body, "PC")
        with pytest.raises(Rejected, match="edit_conflict"):
            await editing.edit(plans, letter, late, act("bob"), FREE)
        assert (await books.row(dead_letter))["edit_id"] == first["id"]
        letter = await one_letter(at)
        again = await editing.original(plans, letter)
        pair = again, with_unit(again.body, "PC")
        second = await editing.edit(plans, letter, pair, act("bob"), FREE)
    assert (await books.row(dead_letter))["edit_id"] == second["id"]


async def test_a_document_that_was_corrected_meanwhile_is_not_overwritten_even_if_approved(
    at: Servers, books: Books
) -> None:
    letter = await real_order(at, books)
    limit = Threshold(value=Decimal(1))
    async with planner(at) as plans:
        before = await editing.original(plans, letter)
        waiting = await editing.edit(plans, letter, noted(before, "ann's"), act(), limit)
        async with at.engine.begin() as ledger:  # as by another letter of the same document
            await ledger.execute(
                sa.update(document).values(canonical=order("PO-1", notes=["bob's"]))
            )
        with pytest.raises(Rejected, match="edit_conflict"):
            await editing.approve(plans, waiting["id"], act("bob"))
        assert (await books.row(letter_edit))["state"] == "awaiting_approval"
        refused = await editing.approve(plans, waiting["id"], act("bob"), yes=False)
    assert refused["state"] == "refused"
    assert (await books.row(document))["canonical"]["notes"] == ["bob's"]


async def test_no_target_claims_the_document_while_it_is_being_corrected(
    at: Servers, books: Books
) -> None:
    letter = await real_order(at, books)
    other = await books.delivery((await books.row(document))["id"], "lakeside")
    claimed = sa.select(delivery).where(delivery.c.id == other).with_for_update()
    taken = sa.update(delivery).where(delivery.c.id == other).values(state="in_flight")
    async with planner(at) as plans, at.engine.connect() as claiming:
        before = await editing.original(plans, letter)
        await claiming.execute(claimed)
        edit = editing.edit(plans, letter, noted(before, "late"), act(), FREE)
        waiting = asyncio.create_task(edit)
        await blocked(at, waiting)
        await claiming.execute(taken)
        await claiming.commit()
        with pytest.raises(Rejected, match="edit_too_late"):
            await waiting
    assert "notes" not in (await books.row(document))["canonical"]


async def blocked(at: Servers, task: asyncio.Task[Any]) -> None:
    """Return once a statement waits for the lock of another, or the task ended."""
    query = (
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
        " AND wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(20), at.engine.connect() as ledger:
        while not task.done() and not (await ledger.exec_driver_sql(query)).first():
            await ledger.rollback()
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("amount", "state"),
    [
        pytest.param(Decimal(50_000), "awaiting_approval", id="much before"),
        pytest.param(None, "awaiting_approval", id="unknown before"),
        pytest.param(Decimal(900), "accepted", id="little before and after"),
    ],
)
async def test_what_the_document_was_worth_before_counts_too(
    at: Servers, books: Books, amount: Decimal | None, state: str
) -> None:
    letter = await real_order(at, books, amount=amount)
    limit = Threshold(value=Decimal(1000))
    async with planner(at) as plans:
        before = await editing.original(plans, letter)
        made = await editing.edit(plans, letter, noted(before, "cheap"), act(), limit)
    assert made["state"] == state


async def test_nobody_edits_unless_the_site_lets_the_role(
    at: Servers, desk: Shell, tmp_path: Path
) -> None:
    letter = await unreadable(at)
    result = await desk.run("edit", letter["id"], "--reason", "x")
    assert result.exit_code == 2  # nobody to open an editor for
    patch = tmp_path / "patch.json"
    patch.write_text('[{"op": "replace", "path": "/x", "value": 1}]')
    result = await desk.run("edit", letter["id"], "--reason", "x", "--patch", str(patch))
    assert result.exit_code == 4
    assert "edit_off" in result.output


async def test_a_patch_that_is_not_json_is_refused_by_its_name(
    at: Servers, desk: Shell, tmp_path: Path
) -> None:
    letter = await unreadable(at)
    patch = tmp_path / "patch.json"
    patch.write_text("")
    correct = ("edit", letter["id"], "--reason", "x", "--patch", str(patch))
    assert "edit_off" in (await desk.run(*correct)).output
    allow_edits(desk)
    result = await desk.run(*correct)
    assert (result.exit_code, "Traceback" in result.output) == (4, False)
    assert f"patch_invalid at {patch}: the file is not JSON" in result.output


async def test_a_dry_run_says_what_would_change_and_refuses_what_an_edit_does(
    at: Servers, books: Books
) -> None:
    letter = await unreadable(at)
    async with planner(at) as plans:
        before = await editing.original(plans, letter)
        pair = (before, with_unit(before.body))
        told = await editing.would_edit(plans, letter, pair)
        assert (told["state"], len(told["changed"])) == ("would_edit", 1)
        async with at.engine.begin() as ledger:
            await ledger.execute(sa.update(dead_letter).values(state="replayed"))
        with pytest.raises(Rejected, match="letter_not_open"):
            await editing.would_edit(plans, letter, pair)
    assert await books.rows(letter_edit) == []


async def test_corrections_over_http(at: Servers, books: Books) -> None:
    letter = await unreadable(at)
    site = SITE.model_copy(update={"dead_letters": DeadLetters(edit_roles=("approver",))})
    tokens = {name: f"token-of-{name}-{'x' * 9}" for name in ("olga", "adam")}
    access = Access(tokens, {"olga": "operator", "adam": "approver"})
    path = f"http://hub/v1/dead-letters/{letter['id']}/edit"
    change = {"op": "replace", "path": "/documents/1/body/lines/0/uom", "value": "EA"}
    async with WorkerPool(SPEC, ONE) as workers:
        api = DeadLettersApi(Desk(site, at.engine, at.archive, SystemClock(), workers), access)
        transport = httpx.ASGITransport(http_app([api.routes()]))
        async with httpx.AsyncClient(transport=transport) as http:

            async def post(name: str, **body: Any) -> httpx.Response:
                headers = {"authorization": f"Bearer {tokens[name]}"}
                return await http.post(path, json={"reason": "x"} | body, headers=headers)

            assert (await post("olga", patch=[change])).json()["error"]["code"] == "edit_off"
            missing = await post("adam")
            assert missing.json()["error"]["code"] == "correction_missing"
            dry = await post("adam", patch=[change], dry_run=True)
            assert dry.json()["state"] == "would_edit"
            assert dry.json()["changed"] == ["documents[1].body.lines[0].uom"]
            assert await books.rows(letter_edit) == []
            done = await post("adam", patch=[change])
    assert (done.status_code, done.json()["state"]) == (200, "accepted")
    assert (await books.row(letter_edit))["actor"] == "adam"
