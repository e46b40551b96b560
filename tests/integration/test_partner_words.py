"""What partners say of what we sent, and which numbers they use: on a real ledger."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from canonical.errors import Rejected
from connectors.base import Answer, Confirmation, Interchange, Reason
from hub.cli.edi import app
from hub.ledger import audit, interchanges, threads, unmatched
from hub.ledger.control_numbers import allocate, key_of
from hub.ledger.resend import again
from hub.ledger.sent import Asked, Sent, sent
from hub.ledger.tables import (
    attempt,
    confirmation,
    dead_letter,
    delivery,
    document,
    interchange,
)
from hub.servers.addresses import Addresses
from hub.workers.jobs import Acknowledged
from tests.support.dead_letters import shell
from tests.support.ledgers import Dock, dock, normalized, order

NOW = datetime.now(UTC)
SCOPE = "ZZ:US/ZZ:BC/P"
COUNTED = """
  acme-edi:
    system: x12
    partner: acme
    transport: {kind: folder, inbox: in, outbox: out}
    options: {our_id: CROSSDOCK, partner_id: ACMEDIST, gap_after_hours: 24}
"""
REASON = Reason("code_invalid", "IT1 segment 3 element 2", "code 7")


@pytest.fixture
async def at(addresses: Addresses, tmp_path: Path) -> AsyncIterator[Dock]:
    async with dock(addresses, tmp_path) as opened:
        await opened.stock()
        yield opened


async def deliver(at: Dock, number: str = "PO-1") -> tuple[int, str]:
    """Send an order to the target that acknowledges; return its control number and its delivery."""
    await at.take_in(normalized("order", order(number)))
    row = max(await at.rows(delivery), key=lambda each: each["created_at"])
    key = key_of(row["reference"], row["action"], row["version"])
    async with at.engine.begin() as ledger:
        numbers = await allocate(ledger, SCOPE, key, "bc", NOW)
        await ledger.execute(
            sa.update(delivery)
            .where(delivery.c.id == row["id"])
            .values(state="delivered", settled_at=NOW, attempts=1)
        )
    return numbers.group, row["id"]


def word(
    number: int, state: str, *reasons: Reason, scope: str = SCOPE, flows: tuple[str, ...] = ()
) -> Acknowledged:
    said = (Confirmation(number, state, reasons, scope=scope, flows=flows),)
    return Acknowledged(0, "ISA 1 GS 1 ST 0001", "997", {"st02": "0001"}, {"heading": {}}, said)


async def board(at: Dock, now: datetime = NOW) -> list[Sent]:
    asked = {"bc": Asked(SCOPE, timedelta(hours=4), ("create_order",))}
    async with at.engine.connect() as ledger:
        return await sent(ledger, asked, now, NOW - timedelta(days=1))


async def states(at: Dock, table: sa.Table) -> list[str]:
    return [row["state"] for row in await at.rows(table)]


@pytest.mark.parametrize("state", ["accepted", "accepted_with_errors"])
async def test_a_yes_is_matched_with_the_delivery_of_that_number(at: Dock, state: str) -> None:
    number, sent_as = await deliver(at)
    await at.take_in(word(number, state), connection="bc")
    (row,) = await at.rows(confirmation)
    assert (row["delivery_id"], row["state"]) == (sent_as, state)
    assert await states(at, delivery) == ["delivered"]
    assert await at.rows(dead_letter) == []
    assert [(each.number, each.state) for each in await board(at)] == [(number, state)]


async def test_a_no_brings_the_document_back_as_a_dead_letter_with_the_reasons(at: Dock) -> None:
    number, sent_as = await deliver(at)
    await at.take_in(word(number, "rejected", REASON), connection="bc")
    (letter,) = await at.rows(dead_letter)
    assert (letter["code"], letter["place"], letter["detail"]) == (
        "partner_rejected", "IT1 segment 3 element 2", "997: code_invalid code 7",
    )  # fmt: skip
    assert (letter["delivery_id"], letter["target"], letter["state"]) == (sent_as, "bc", "open")
    assert await states(at, delivery) == ["dead"]
    orders = [row for row in await at.rows(document) if row["entity"] == "order"]
    assert [row["state"] for row in orders] == ["dead"]
    (shown,) = await board(at)
    assert (shown.state, shown.reasons[0]["code"]) == ("rejected", "code_invalid")


async def test_what_was_rejected_goes_out_under_a_number_of_its_own(at: Dock) -> None:
    number, sent_as = await deliver(at)
    await at.take_in(word(number, "rejected"), connection="bc")
    (row,) = await at.rows(delivery)
    key = key_of(row["reference"], row["action"], row["version"])
    async with at.engine.begin() as ledger:
        assert (await allocate(ledger, SCOPE, key, "bc", NOW)).group == number + 1
    await at.take_in(word(number, "rejected"), connection="bc")
    rows = await at.rows(confirmation)
    assert [each["delivery_id"] for each in rows] == [sent_as, sent_as]
    assert len(await at.rows(dead_letter)) == 1


async def test_an_answer_may_come_by_another_connection_than_it_was_sent_on(at: Dock) -> None:
    number, sent_as = await deliver(at)
    await at.take_in(word(number, "rejected", REASON), connection="acme-edi")
    (row,) = await at.rows(confirmation)
    assert (row["connection"], row["delivery_id"]) == ("acme-edi", sent_as)
    (letter,) = await at.rows(dead_letter)
    assert (letter["code"], letter["target"]) == ("partner_rejected", "bc")
    assert [each.state for each in await board(at)] == ["rejected"]


async def strange(at: Dock, connection: str | None = None) -> list[tuple[str, str, int, str, str]]:
    """(connection, state, number, named, why) of what fits nothing."""
    async with at.engine.connect() as ledger:
        found = await unmatched.unmatched(ledger, NOW - timedelta(days=1), connection)
    return [(each.connection, each.state, each.number, each.named, each.why) for each in found]


async def test_a_number_that_we_never_sent_there_matches_nothing_and_is_listed(at: Dock) -> None:
    number, _ = await deliver(at)
    await at.take_in(
        word(number, "rejected", REASON, scope="ZZ:US/ZZ:ACME/P"), connection="acme-edi"
    )
    await at.take_in(word(number + 5, "rejected"), connection="bc")
    assert [row["delivery_id"] for row in await at.rows(confirmation)] == [None, None]
    assert await states(at, delivery) == ["delivered"]
    mine, other = ("acme-edi", "rejected", number), ("bc", "rejected", number + 5)
    assert await strange(at) == [(*mine, "", "number_unknown"), (*other, "", "number_unknown")]
    assert await strange(at, "bc") == [(*other, "", "number_unknown")]
    async with at.engine.connect() as ledger:
        (first, _) = await unmatched.unmatched(ledger, NOW - timedelta(days=1))
        assert await unmatched.count(ledger) == {"acme-edi": 1, "bc": 1}
        assert await unmatched.unmatched(ledger, datetime.now(UTC)) == []
    assert (first.flow, first.place, first.partner) == ("997", "ISA 1 GS 1 ST 0001", "acme")
    assert [each["code"] for each in first.reasons] == ["code_invalid"]


async def test_an_answer_to_a_group_of_another_kind_is_about_nothing_of_that_number(
    at: Dock,
) -> None:
    number, sent_as = await deliver(at)
    (row,) = await at.rows(delivery)
    await at.take_in(word(number, "rejected", flows=("810",)), connection="bc")
    assert [each["delivery_id"] for each in await at.rows(confirmation)] == [None]
    assert await strange(at) == [("bc", "rejected", number, "", "other_document")]
    await at.take_in(word(number, "accepted", flows=("855", row["flow"])), connection="bc")
    assert {each["delivery_id"] for each in await at.rows(confirmation)} == {None, sent_as}
    assert len(await strange(at)) == 1


async def test_an_answer_that_names_nothing_is_listed_too(at: Dock) -> None:
    await at.take_in(
        Acknowledged(0, "UNB 7 UNH 1", "APERAK", {}, {"heading": {}}, ()), connection="bc"
    )
    assert await strange(at) == [("bc", "unclear", 0, "", "nothing_named")]


async def test_an_answer_that_names_a_document_of_nobody_is_listed_with_its_name(at: Dock) -> None:
    await deliver(at)
    said = (Confirmation(0, "accepted", scope=SCOPE, document="PO-9"),)
    await at.take_in(
        Acknowledged(0, "UNB 7 UNH 1", "APERAK", {}, {"heading": {}}, said), connection="bc"
    )
    assert await strange(at) == [("bc", "accepted", 0, "PO-9", "document_unknown")]


async def test_what_nobody_confirmed_is_sent_and_after_the_partners_clock_overdue(at: Dock) -> None:
    number, _ = await deliver(at)
    assert [each.state for each in await board(at)] == ["sent"]
    assert [each.state for each in await board(at, NOW + timedelta(hours=5))] == ["overdue"]
    await at.take_in(word(number, "accepted"), connection="bc")
    assert [each.state for each in await board(at, NOW + timedelta(hours=5))] == ["accepted"]


async def test_the_thread_shows_what_the_partner_said(at: Dock) -> None:
    number, _ = await deliver(at)
    await at.take_in(word(number, "rejected", REASON), connection="bc")
    async with at.engine.connect() as ledger:
        thread = await threads.find(ledger, "PO-1")
    assert thread is not None
    found = [(e.what, e.why) for e in thread.timeline if e.about.startswith("997 of bc")]
    assert found == [("rejected", "code_invalid at IT1 segment 3 element 2")]


def used(number: int, mark: str = "a", *, scope: str = "") -> dict[str, Any]:
    ta1 = Answer("TA1", {"TA1": {"TA105": "025"}})
    return {
        "interchanges": (Interchange(number, mark * 64, range(1), range(1), ta1, scope=scope),),
        "answers": (Answer("997", {"heading": {}}),),
    }


async def flows(at: Dock) -> list[str]:
    rows = [row for row in await at.rows(document) if row["direction"] == "out"]
    return [row["flow"] for row in sorted(rows, key=lambda row: row["created_at"])]


async def test_a_number_with_other_bytes_is_held_for_a_person_and_told_025(at: Dock) -> None:
    await at.take_in(normalized("order", order("PO-1")), **used(7))
    await at.take_in(normalized("order", order("PO-2")), **used(7, "b"))
    orders = [row["number"] for row in await at.rows(document) if row["entity"] == "order"]
    assert orders == ["PO-1"]
    (letter,) = await at.rows(dead_letter)
    assert (letter["code"], letter["place"]) == ("interchange_number_conflict", "ISA13")
    assert await flows(at) == ["997", "TA1"]


async def test_a_conflict_takes_no_answer_from_the_interchange_behind_it(at: Dock) -> None:
    await at.take_in(normalized("order", order("PO-1")), **used(7))
    ta1 = Answer("TA1", {"TA1": {"TA105": "025"}})
    unanswered = Interchange(7, "b" * 64, range(1), range(0), ta1)
    next_one = Interchange(8, "c" * 64, range(1, 2), range(1), ta1)
    second = normalized("order", order("PO-3"))._replace(position=1)
    receipt = at.receipt(
        normalized("order", order("PO-2")),
        second,
        interchanges=(unanswered, next_one),
        answers=(Answer("997", {"heading": {}}),),
    )
    await at.pipeline.normalize([receipt])
    assert sorted(await flows(at)) == ["997", "997", "TA1"]


async def test_the_same_number_with_the_same_bytes_is_answered_again(at: Dock) -> None:
    for _ in range(2):
        await at.take_in(normalized("order", order()), body=b"same", **used(7))
    assert await at.rows(dead_letter) == []
    assert await flows(at) == ["997", "997"]
    rows = [row for row in await at.rows(delivery) if row["flow"] == "997"]
    assert len({row["reference"] for row in rows}) == 1


async def test_two_conflicting_interchanges_of_one_batch_are_told_apart(at: Dock) -> None:
    first = at.receipt(normalized("order", order("PO-1")), **used(7))
    second = at.receipt(normalized("order", order("PO-2")), **used(7, "b"))
    await at.pipeline.normalize([first, second])
    assert len([row for row in await at.rows(document) if row["entity"] == "order"]) == 1
    assert [row["code"] for row in await at.rows(dead_letter)] == ["interchange_number_conflict"]


async def test_a_number_is_free_again_after_a_year(at: Dock) -> None:
    await at.take_in(normalized("order", order("PO-1")), **used(7))
    async with at.engine.begin() as ledger:
        await ledger.execute(sa.update(interchange).values(received_at=NOW - timedelta(days=400)))
    await at.take_in(normalized("order", order("PO-2")), **used(7, "b"))
    assert await at.rows(dead_letter) == []
    assert [row["sha256"][0] for row in await at.rows(interchange)] == ["b"]


async def missing(at: Dock, until: datetime, scope: str = "acme-edi") -> list[tuple[int, int]]:
    span = interchanges.Span(NOW - timedelta(days=400), until)
    async with at.engine.connect() as ledger:
        found, _ = await interchanges.gaps(ledger, scope, span)
    return [(gap.first, gap.last) for gap in found]


async def test_gaps_are_shown_once_the_grace_period_is_over(at: Dock) -> None:
    for number in (3, 4, 8):
        await at.take_in(normalized("order", order(f"PO-{number}")), **used(number, str(number)))
    assert await missing(at, NOW - timedelta(hours=1)) == []
    assert await missing(at, NOW + timedelta(hours=1)) == [(5, 7)]


async def test_a_gap_is_filled_from_either_side_by_what_comes_late(at: Dock) -> None:
    for number in (3, 8, 6):
        await at.take_in(normalized("order", order(f"PO-{number}")), **used(number, str(number)))
    later = NOW + timedelta(hours=1)
    assert sorted(await missing(at, later)) == [(4, 5), (7, 7)]
    for number in (4, 5, 7):
        await at.take_in(normalized("order", order(f"PO-{number}")), **used(number, str(number)))
    assert await missing(at, later) == []


async def test_a_counter_that_wraps_around_leaves_no_gap_and_shows_one_across_its_end(
    at: Dock,
) -> None:
    for at_, number in enumerate((999_999_997, 999_999_998, 999_999_999, 1, 2)):
        await at.take_in(normalized("order", order(f"PO-{at_}")), **used(number, str(at_)))
    later = NOW + timedelta(hours=1)
    assert await missing(at, later) == []
    await at.take_in(normalized("order", order("PO-9")), **used(99_997, scope="north"))
    await at.take_in(normalized("order", order("PO-10")), **used(2, scope="north"))
    assert await missing(at, later, "north") == [(99_998, 1)]


async def test_what_was_refused_as_a_whole_leaves_no_gap_and_may_come_again(at: Dock) -> None:
    refused = Interchange(4, "", range(1), range(0))
    await at.take_in(normalized("order", order("PO-3")), **used(3))
    await at.take_in(normalized("order", order("PO-X")), interchanges=(refused,))
    await at.take_in(normalized("order", order("PO-5")), **used(5, "c"))
    assert await missing(at, NOW + timedelta(hours=1)) == []
    await at.take_in(normalized("order", order("PO-4")), **used(4, "d"))
    assert await at.rows(dead_letter) == []
    await at.take_in(normalized("order", order("PO-Y")), interchanges=(refused,))
    await at.take_in(normalized("order", order("PO-6")), **used(4, "e"))
    assert [row["code"] for row in await at.rows(dead_letter)] == ["interchange_number_conflict"]


async def test_one_sender_on_two_connections_counts_its_numbers_once(at: Dock) -> None:
    await at.take_in(normalized("order", order("PO-1")), **used(7, scope="ZZ:US/ZZ:ACME/P"))
    by_as2 = used(7, "b", scope="ZZ:US/ZZ:ACME/P")
    await at.take_in(normalized("order", order("PO-2")), connection="shop", **by_as2)
    assert [row["code"] for row in await at.rows(dead_letter)] == ["interchange_number_conflict"]


async def test_references_that_are_text_are_told_apart_and_leave_no_gaps(at: Dock) -> None:
    for mark, reference in (("a", "A-1"), ("b", "B-9"), ("c", "A-1")):
        one = Interchange(0, mark * 64, range(1), range(0), None, reference, "UNB05", "euro")
        await at.take_in(normalized("order", order(f"PO-{mark}")), interchanges=(one,))
    (letter,) = await at.rows(dead_letter)
    assert (letter["code"], letter["place"]) == ("interchange_number_conflict", "UNB05")
    assert await missing(at, NOW + timedelta(hours=1), "euro") == []


def aperak(number: int, state: str, of: str) -> Acknowledged:
    said = (Confirmation(number, state, (REASON,), of, scope=SCOPE),)
    return Acknowledged(0, "UNB 1 UNH 1", "APERAK", {}, {"heading": {}}, said)


async def test_an_answer_that_names_our_document_finds_its_delivery(at: Dock) -> None:
    _, sent_as = await deliver(at, "PO-1")
    await at.take_in(aperak(0, "rejected", "PO-1"), connection="bc")
    (row,) = await at.rows(confirmation)
    assert row["delivery_id"] == sent_as
    assert [each["code"] for each in await at.rows(dead_letter)] == ["partner_rejected"]
    (row,) = await at.rows(delivery)
    key = key_of(row["reference"], row["action"], row["version"])
    async with at.engine.begin() as ledger:  # what was refused has no number any more
        assert (await allocate(ledger, SCOPE, key, "bc", NOW)).group == 2


async def test_a_number_that_fits_another_document_than_the_one_named_is_not_believed(
    at: Dock,
) -> None:
    number, _ = await deliver(at, "PO-1")
    await at.take_in(aperak(number, "rejected", "PO-OTHER"), connection="bc")
    assert [row["delivery_id"] for row in await at.rows(confirmation)] == [None]
    assert await at.rows(dead_letter) == []


async def test_received_is_shown_until_something_is_said_of_the_content(at: Dock) -> None:
    number, _ = await deliver(at)
    await at.take_in(word(number, "received"), connection="bc")
    assert [each.state for each in await board(at)] == ["received"]
    assert [each.state for each in await board(at, NOW + timedelta(hours=5))] == ["overdue"]
    await at.take_in(word(number, "accepted"), connection="bc")
    await at.take_in(word(number, "received"), connection="bc")
    assert [each.state for each in await board(at)] == ["accepted"]


async def test_a_person_sends_again_under_the_same_reference_and_only_once_at_a_time(
    at: Dock,
) -> None:
    number, sent_as = await deliver(at)
    async with at.engine.begin() as ledger:
        await ledger.execute(sa.update(delivery).values(archive="pack:0:9", sent_sha256="5"))
        owed = await again(ledger, sent_as[:20], ("ann", "they lost it"), NOW, {"bc"})
    first, second = sorted(await at.rows(delivery), key=lambda row: row["occasion"])
    assert (second["id"], second["state"], second["occasion"]) == (owed.delivery, "pending", "resend-by-hand-1")  # fmt: skip
    assert (second["archive"], second["sent_sha256"]) == owed.kept == ("pack:0:9", "5")
    key = key_of(second["reference"], second["action"], second["version"])
    assert (first["reference"], first["version"]) == (second["reference"], second["version"])
    async with at.engine.begin() as ledger:
        assert (await allocate(ledger, SCOPE, key, "bc", NOW)).group == number
        with pytest.raises(Rejected, match="delivery_busy"):
            await again(ledger, sent_as, ("ann", "again"), NOW, {"bc"})
    async with at.engine.begin() as ledger:
        assert await audit.verify(ledger) is None


async def replayed(at: Dock, number: int, sent_as: str) -> datetime:
    """What goes out again two hours later, under a number and a name of its own."""
    later = NOW + timedelta(hours=2)
    async with at.engine.begin() as ledger:
        row = (await ledger.execute(sa.select(delivery).where(delivery.c.id == sent_as))).one()
        key = key_of(row.reference, row.action, row.version)
        assert (await allocate(ledger, SCOPE, key, "bc", later)).group == number + 1
        await ledger.execute(sa.update(delivery).where(delivery.c.id == sent_as).values(
            state="delivered", settled_at=later, attempts=2, external_id="second.x12"))  # fmt: skip
        await ledger.execute(sa.insert(attempt).values(tried(sent_as, 2, later)))
    return later


def tried(sent_as: str, n: int, ended: datetime) -> dict[str, Any]:
    moments = {"started_at": ended - timedelta(seconds=1), "ended_at": ended}
    return {"delivery_id": sent_as, "n": n, "outcome": "delivered", **moments}


async def refused_after_a_while(at: Dock) -> tuple[int, str, datetime]:
    """A number that was refused, what was sent under it, and when that was."""
    number, sent_as = await deliver(at)
    went = NOW - timedelta(hours=1)
    async with at.engine.begin() as ledger:
        await ledger.execute(sa.insert(attempt).values(tried(sent_as, 1, went)))
        await ledger.execute(sa.update(delivery).values(settled_at=went, external_id="first.x12"))
    await at.take_in(word(number, "rejected", REASON), connection="bc")
    return number, sent_as, went


async def test_what_was_refused_was_sent_when_it_was_sent(at: Dock) -> None:
    number, _, went = await refused_after_a_while(at)
    (shown,) = await board(at, NOW + timedelta(hours=1))
    assert (shown.number, shown.state, shown.sent_at) == (number, "rejected", went)
    assert shown.said_at is not None
    assert shown.said_at > went


async def test_what_went_out_again_awaits_a_word_of_its_own(at: Dock) -> None:
    number, sent_as, _ = await refused_after_a_while(at)
    later = await replayed(at, number, sent_as)
    (shown,) = await board(at, later)
    assert (shown.number, shown.state, shown.sent_at) == (number + 1, "sent", later)
    assert (shown.said_at, shown.reasons) == (None, ())
    await at.take_in(word(number + 1, "accepted"), connection="bc")
    assert [(each.number, each.state) for each in await board(at, later)] == [(number + 1, "accepted")]  # fmt: skip


async def test_each_try_keeps_the_name_that_it_went_out_with(at: Dock) -> None:
    number, sent_as, _ = await refused_after_a_while(at)
    await replayed(at, number, sent_as)
    async with at.engine.connect() as ledger:
        thread = await threads.find(ledger, "PO-1")
    assert thread is not None
    sent_ = [(each.about, each.why) for each in thread.timeline if each.what == "delivered"]
    assert [(about[-9:], why) for about, why in sent_] == [
        ("attempt 1", "first.x12"), ("attempt 2", "second.x12"),
    ]  # fmt: skip


async def test_the_thread_says_which_of_our_documents_was_refused(at: Dock) -> None:
    number, _ = await deliver(at)
    async with at.engine.begin() as ledger:
        await ledger.execute(sa.update(delivery).values(flow="856"))
    await at.take_in(word(number, "rejected", REASON), connection="bc")
    async with at.engine.connect() as ledger:
        thread = await threads.find(ledger, "PO-1")
    assert thread is not None
    about = {each.about for each in thread.timeline if each.what in {"rejected", "dead"}}
    assert about == {"997 of bc on 856", "dead letter, deliver 856 bc"}


async def test_a_gap_that_is_not_late_yet_is_not_denied(
    at: Dock, addresses: Addresses, tmp_path: Path
) -> None:
    scope = "ZZ:CROSSDOCK/ZZ:ACMEDIST/P"
    for number in (3, 4, 8):
        await at.take_in(normalized("order", order(f"PO-{number}")), **used(number, str(number), scope=scope))  # fmt: skip
    (tmp_path / "desk").mkdir()
    at_desk = shell(app, tmp_path / "desk", addresses)
    with (tmp_path / "desk" / "site.yaml").open("a") as site:
        site.write(COUNTED)
    young = await at_desk.run("gaps")
    assert (young.exit_code, young.stderr) == (
        3, "none is late; 3 numbers are missing for less than gap_after_hours (--grace 0 shows them)\n",
    )  # fmt: skip
    (shown,) = await at_desk.json("gaps", "--grace", "0")
    assert (shown["connection"], shown["first"], shown["last"]) == ("acme-edi", 5, 7)
    later = await at_desk.run("gaps", "--days", "1", "--grace", "5", "--output", "json")
    assert (later.exit_code, later.stdout.strip()) == (3, "[]")
