"""Kill -9 of the hub at every boundary that a document crosses: nothing lost, nothing done twice.

Rows 1 to 11 of the fault matrix: a real hub is armed to die at a named place (`hub/failpoints.py`),
a partner or the shop of the sandbox sends an order, the hub dies of it and is started again. What
took effect is read from the sandbox's journal, never from the hub's own books.
"""

from __future__ import annotations

import itertools
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from connectors.base import Receipt
from hub.ids import new_id
from hub.servers.addresses import Addresses
from sandbox.partner import open_partner
from sandbox.purchase_order import LineChange, PurchaseChange, PurchaseLine, PurchaseOrder
from tests.support.databases import drop_database, in_thread, make_database
from tests.support.hub_world import SETTLE_SECONDS, World, world
from tests.support.waiting import wait_until

ONCE = {"sales_order_created": 1, "warehouse_order_received": 1}
NEVER = {"sales_order_created": 0, "warehouse_order_received": 0}
DELIVERED = [("accept", "delivered")]
GRACE_SECONDS = 30
"""What container runtimes give a process between SIGTERM and SIGKILL."""


@pytest.fixture(scope="module")
def here(
    tmp_path_factory: pytest.TempPathFactory, template: Addresses, fresh_name: Callable[[], str]
) -> Iterator[World]:
    """A world whose hub has once seen customers, items and stock, and does not run."""
    url, name = template.database_url, fresh_name()
    database = in_thread(lambda: make_database(url, name))
    addresses = Addresses(template.nats_url, database, template.redis_url)
    with world(tmp_path_factory.mktemp("kills"), addresses) as made:
        made.books.forget_streams()
        made.hub.start()
        wait_until(lambda: made.seeded() and at_rest(made), SETTLE_SECONDS, "reference data")
        assert made.hub.terminate() == 0
        yield made
    in_thread(lambda: drop_database(url, name))


@pytest.fixture
def at(here: World) -> Iterator[World]:
    """The same world; its hubs are dead before and after every test."""
    yield here
    here.kill_hubs()


def held(at: World) -> int:
    """What some hub has in hand: claimed deliveries, and receipts that are not acknowledged."""
    claimed = "SELECT count(*) FROM delivery WHERE claimed_until IS NOT NULL"
    return at.books.count(claimed) + at.books.in_hand()


def at_rest(at: World) -> bool:
    """Whether nothing is left that could reach a failpoint of the next hub by itself."""
    outbox = at.books.count("SELECT count(*) FROM outbox")
    under_way = "SELECT count(*) FROM delivery WHERE state NOT IN ('delivered', 'dead')"
    return outbox + at.books.count(under_way) + held(at) == 0


@contextmanager
def accounted(at: World) -> Iterator[None]:
    """What came in meanwhile adds up in the end, and nothing took effect twice."""
    since = at.books.now()
    yield
    wait_until(lambda: at.books.balance(since).adds_up, SETTLE_SECONDS, "the account adds up")
    wait_until(lambda: at_rest(at), SETTLE_SECONDS, "nothing is under way")
    assert at.books.balance(since).received > 0
    assert at.double_effects() == []


def died_of_a_file(at: World, failpoint: str, number: str) -> str:
    """Arm a hub, let the partner send one order, and see the hub die of it; the file's name."""
    at.hub.start(failpoint)
    name = at.send(number)
    at.hub.wait_for_death()
    return name


def recovered(at: World, number: str, partner: str = "acme") -> None:
    """Start the hub again, with the dead one's leases run out, and wait for the order's end."""
    at.books.leases_run_out()
    at.hub.start()
    until_delivered(at, number, partner)


def until_delivered(at: World, number: str, partner: str = "acme") -> None:
    def done() -> bool:
        there = ("accept", "delivered") in at.documents(number)
        return there and at.effects(number, partner) == ONCE

    wait_until(done, SETTLE_SECONDS, f"{number} delivered once")


def resent_as_a_duplicate(at: World, number: str, file: str) -> None:
    """The sender's retransmission changes nothing and is answered."""
    known = at.documents(number)
    at.send_again(file)
    again = [*known, ("duplicate", "duplicate")]
    wait_until(lambda: at.documents(number) == again, SETTLE_SECONDS, "a duplicate")
    assert at.effects(number) == ONCE


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file())


# Row 1: after reading, before storing.


def test_1_killed_with_a_file_read_it_stays_in_the_inbox_and_is_taken_once(at: World) -> None:
    before = at.books.stored()
    with accounted(at):
        name = died_of_a_file(at, "intake.read", "K1-FILE")
        assert files(at.folder_of("acme-edi")) == [name]
        assert at.books.stored() == before
        recovered(at, "K1-FILE")
        wait_until(lambda: files(at.folder_of("acme-edi")) == [], what="the file is moved")
        resent_as_a_duplicate(at, "K1-FILE", name)


def test_1_killed_with_a_call_read_the_sender_hears_no_yes_and_is_taken_once_when_it_comes_again(
    at: World,
) -> None:
    before = at.books.stored()
    with accounted(at):
        at.hub.start("intake.read")
        delivery = at.shop_order("#K1")
        at.hub.wait_for_death()
        assert at.books.stored() == before
        recovered(at, "#K1", "webshop")
        assert at.documents("#K1") == DELIVERED
        assert at.shop_again(delivery) == 200
    assert at.effects("#K1", "webshop") == ONCE


# Row 2: stored, but the sender has heard nothing.


def test_2_killed_with_a_file_stored_and_not_moved_it_is_one_document(at: World) -> None:
    with accounted(at):
        name = died_of_a_file(at, "intake.stored", "K2-FILE")
        assert files(at.folder_of("acme-edi")) == [name]
        recovered(at, "K2-FILE")
        wait_until(lambda: files(at.folder_of("acme-edi")) == [], what="the file is moved")
        assert at.documents("K2-FILE") == DELIVERED
        resent_as_a_duplicate(at, "K2-FILE", name)


def test_2_killed_with_a_call_stored_and_not_answered_its_repeat_is_a_duplicate(at: World) -> None:
    before = at.books.stored()
    with accounted(at):
        at.hub.start("intake.stored")
        at.shop_order("#K2")
        at.hub.wait_for_death()
        assert at.books.stored() == before + 1
        since = at.books.now()
        recovered(at, "#K2", "webshop")
        wait_until(
            lambda: at.books.balance(since).duplicate == 1, SETTLE_SECONDS, "the shop's repeat"
        )
    assert at.effects("#K2", "webshop") == ONCE


# Rows 3 and 4: between the ledger and NATS.


def test_3_killed_between_commit_and_publish_the_event_is_published_after_the_restart(
    at: World,
) -> None:
    before = at.books.published("canonical.order.released")
    with accounted(at):
        name = died_of_a_file(at, "normalize.after_commit", "K3")
        assert at.documents("K3") == [("accept", "accepted")]
        assert at.books.published("canonical.order.released") == before
        recovered(at, "K3")
        wait_until(lambda: at.books.published("canonical.order.released") == before + 1)
        resent_as_a_duplicate(at, "K3", name)
    assert at.books.published("canonical.order.released") == before + 1


def test_4_killed_between_publish_and_forgetting_the_event_is_there_once(at: World) -> None:
    before = at.books.published("canonical.order.released")
    with accounted(at):
        name = died_of_a_file(at, "relay.published", "K4")
        assert at.books.published("canonical.order.released") == before + 1
        assert at.books.count("SELECT count(*) FROM outbox") > 0
        recovered(at, "K4")
        resent_as_a_duplicate(at, "K4", name)
    assert at.books.published("canonical.order.released") == before + 1


# Rows 5, 6 and 7: around the call of a target. The shop is owed no 997: the only target is the ERP.


def died_of_a_call(at: World, failpoint: str, number: str) -> str:
    """Arm a hub, let the shop send one order, and see the hub die of it; the delivery's id."""
    at.hub.start(failpoint)
    delivery = at.shop_order(number)
    at.hub.wait_for_death()
    return delivery


def called_again_as_a_duplicate(at: World, number: str, delivery: str) -> None:
    known = at.books.balance().duplicate
    assert at.shop_again(delivery) == 200
    wait_until(lambda: at.books.balance().duplicate == known + 1, SETTLE_SECONDS, "a duplicate")
    assert at.effects(number, "webshop") == ONCE


@pytest.mark.parametrize("place", ["deliver.claimed", "deliver.before_call"])
def test_5_killed_before_the_target_is_called_it_is_called_once(at: World, place: str) -> None:
    number = f"#K5-{place[8:]}"
    with accounted(at):
        delivery = died_of_a_call(at, place, number)
        assert at.effects(number, "webshop") == NEVER
        recovered(at, number, "webshop")
        called_again_as_a_duplicate(at, number, delivery)


def test_6_killed_after_the_call_the_target_is_asked_and_not_called_again(at: World) -> None:
    with accounted(at):
        delivery = died_of_a_call(at, "deliver.after_call", "#K6")
        assert at.effects("#K6", "webshop") == {**NEVER, "sales_order_created": 1}
        assert at.deliveries("#K6")["bc"] == "in_doubt"
        recovered(at, "#K6", "webshop")
        assert at.outcomes("#K6") == ["in_doubt", "asked_found"]
        called_again_as_a_duplicate(at, "#K6", delivery)


def test_7_killed_after_the_outcome_is_recorded_nothing_is_done_again(at: World) -> None:
    with accounted(at):
        delivery = died_of_a_call(at, "deliver.settled", "#K7")
        assert at.deliveries("#K7")["bc"] == "delivered"
        recovered(at, "#K7", "webshop")
        assert at.outcomes("#K7") == ["delivered"]
        called_again_as_a_duplicate(at, "#K7", delivery)


@pytest.mark.parametrize("place", ["normalize.committed", "normalize.acked"])
def test_7_killed_around_the_acknowledgement_the_receipt_comes_back_without_effect(
    at: World, place: str
) -> None:
    number = f"K7-{place[10:]}"
    with accounted(at):
        name = died_of_a_file(at, place, number)
        assert len(at.documents(number)) == 1
        recovered(at, number)
        wait_until(lambda: at.books.in_hand() == 0, SETTLE_SECONDS, "the receipt is acknowledged")
        assert at.documents(number) == DELIVERED
        resent_as_a_duplicate(at, number, name)


# Row 8: a full batch in hand.

KEYS = [f"K8-{number:02d}" for number in range(20)]
BATCH = 200


def batch(folder: Path) -> list[Receipt]:
    """An 850 and an 860 for each key, and retransmissions of both until a batch is full."""
    now = datetime.now(UTC)
    inbox, outbox = folder / "in", folder / "out"
    with open_partner("acme", folder / "journal", inbox, outbox, lambda: now) as partner:
        day = now.date()
        for price, key in enumerate(KEYS, start=1):
            line = PurchaseLine(sku="1896-S", quantity=str(price), price="1000.80")
            partner.send_orders([PurchaseOrder(number=key, lines=(line,), ordered_on=day)])
        for price, key in enumerate(KEYS, start=1):
            quantity = str(100 + price)
            more = LineChange(
                line="1", action="QI", sku="1896-S", quantity=quantity, price="1000.80"
            )
            change = PurchaseChange(number=key, lines=(more,), ordered_on=day, requested_on=day)
            partner.send_changes([change])
    # Interchange numbers that this partner's other journal will never come to.
    numbered = re.compile(rb"\b0(\d{8})\b")
    bodies = [numbered.sub(rb"9\1", path.read_bytes()) for path in sorted(inbox.iterdir())]
    return [
        Receipt(new_id(int(now.timestamp() * 1000)), "acme-edi", f"k8-{n}", now, body)
        for n, body in zip(range(BATCH), itertools.cycle(bodies), strict=False)
    ]


def test_8_killed_with_a_full_batch_in_hand_all_of_it_comes_back_and_order_per_key_is_kept(
    at: World, tmp_path: Path
) -> None:
    with accounted(at):
        at.books.store(batch(tmp_path))
        at.hub.start("normalize.before_commit")
        at.hub.wait_for_death()
        assert at.books.in_hand() >= BATCH
        assert [at.documents(key) for key in KEYS] == [[]] * len(KEYS)
        at.books.leases_run_out()
        at.hub.start()
        for position, key in enumerate(KEYS, start=1):
            wait_until(partial(changed_once, at, key, str(100 + position)), SETTLE_SECONDS, key)
        wait_until(lambda: at.books.in_hand() == 0, SETTLE_SECONDS, "all is acknowledged")
    for key in KEYS:
        verdicts = Counter(verdict for verdict, _ in at.documents(key))
        assert verdicts == {"accept": 1, "change": 1, "duplicate": BATCH // len(KEYS) - 2}


def changed_once(at: World, number: str, quantity: str) -> bool:
    """Whether the ERP has created the order, then changed it, and nothing else."""
    entries = [e for e in at.journal(number) if e["effect"].startswith("sales_order")]
    return [e["effect"] for e in entries] == ["sales_order_created", "sales_order_changed"] and (
        Decimal(entries[-1]["lines"][0]["quantity"]) == Decimal(quantity)
    )


# Rows 9 and 10: two replicas, and one of them is too slow.


def waiting_for_a_lock(at: World) -> int:
    return at.books.count(
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )


def test_9_of_two_replicas_one_decides_and_one_delivers_however_slow(at: World) -> None:
    at.misbehave("K9", kind="slow", delay_seconds=2)
    at.hub.start()
    at.replica().start()
    with accounted(at):
        with at.books.locked("receipt"):
            at.books.acks_run_out()  # the batch now takes longer than its acknowledgement may
            name = at.send("K9")
            wait_until(lambda: waiting_for_a_lock(at) >= 2, SETTLE_SECONDS, "both have it in hand")
        until_delivered(at, "K9")
        assert at.documents("K9") == DELIVERED
        assert at.outcomes("K9") == ["delivered"]
        resent_as_a_duplicate(at, "K9", name)


def test_10_a_hub_that_was_stopped_beyond_its_lease_changes_nothing_when_it_goes_on(
    at: World,
) -> None:
    at.misbehave("#K10", "webshop", kind="slow", delay_seconds=1)
    at.hub.start()
    with accounted(at):
        at.shop_order("#K10")
        wait_until(lambda: at.plays("#K10", "webshop"), SETTLE_SECONDS, "the call is under way")
        at.hub.freeze()
        assert at.effects("#K10", "webshop") == NEVER
        replica = at.replica().start()
        until_delivered(at, "#K10", "webshop")
        assert at.outcomes("#K10") == ["in_doubt", "asked_found"]
        at.hub.thaw()
        wait_until(lambda: at.hub.events("stale_claim"), SETTLE_SECONDS, "its commit is refused")
        assert at.outcomes("#K10") == ["in_doubt", "asked_found"]
        assert at.effects("#K10", "webshop") == ONCE
        assert at.hub.ready()
        assert replica.ready()


# Row 11: an orderly stop.


def test_11_stopped_under_load_it_gives_back_what_it_holds_and_loses_nothing(at: World) -> None:
    numbers = [f"K11-{n:02d}" for n in range(40)]
    at.hub.start()
    with accounted(at):
        for start in range(0, len(numbers), 4):
            at.send(*numbers[start : start + 4])
        wait_until(lambda: at.deliveries(numbers[0]).get("bc") == "delivered", SETTLE_SECONDS)
        asked = time.monotonic()
        assert at.hub.terminate() == 0
        assert time.monotonic() - asked < GRACE_SECONDS
        assert held(at) == 0
        assert any(at.effects(number) != ONCE for number in numbers), "there was nothing left to do"
        at.hub.start()  # and no lease has to run out first
        for number in numbers:
            until_delivered(at, number)
