"""An ORDERS in a partner's folder crosses the hub, and the partner is answered with a CONTRL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.servers.addresses import Addresses
from tests.support.databases import drop_database, in_thread, make_database
from tests.support.edifact_text import interchange, message
from tests.support.hub_world import SETTLE_SECONDS, World, world
from tests.support.waiting import wait_until

PARTNER = "euro-edi"
OPTIONS = {"our_id": "5412345000013", "partner_id": "4012345500004"}
RELEASED = "canonical.order.released"


def order(number: str, quantity: str) -> str:
    """An order that the emulated books agree to; two that say the same would be twins."""
    return (
        f"BGM+220+{number}+9'DTM+137:20261120:102'NAD+BY+4012345500004::9'"
        "NAD+DP+4012345500011::9++ACME SPRINGFIELD DC+100 MAIN ST+SPRINGFIELD+IL+62701+US'"
        f"CUX+2:USD:9'LIN+1'PIA+5+1896-S:SA'QTY+21:{quantity}:EA'PRI+AAA:1000.80'UNS+S'CNT+2:1'"
    )


def _with_partner(site: dict[str, Any]) -> None:
    site["partners"]["euro"] = {"name": "Euro Trade", "customer_number": "C10010"}
    folders = {side: f"{{data_dir}}/folders/{PARTNER}/{name}" for side, name in (("inbox", "in"), ("outbox", "out"))}  # fmt: skip
    site["connections"][PARTNER] = {
        "system": "edifact",
        "partner": "euro",
        "transport": {"kind": "folder", "stable_seconds": 0.2, **folders},
        "options": OPTIONS,
    }


@pytest.fixture(scope="module")
def at(
    tmp_path_factory: pytest.TempPathFactory, template: Addresses, fresh_name: Any
) -> Iterator[World]:
    """A hub with a partner that speaks EDIFACT, which has seen customers, items and stock."""
    folder, name = tmp_path_factory.mktemp("edifact"), fresh_name()
    database = in_thread(lambda: make_database(template.database_url, name))
    addresses = Addresses(template.nats_url, database, template.redis_url)
    for side in ("in", "out"):
        (folder / "folders" / PARTNER / side).mkdir(parents=True)
    with world(folder, addresses, _with_partner) as made:
        made.books.forget_streams()
        made.hub.start()
        wait_until(made.seeded, SETTLE_SECONDS, "reference data")
        yield made
    in_thread(lambda: drop_database(template.database_url, name))


def drop(at: World, name: str, text: str) -> None:
    """Put a file into the partner's inbox, whole."""
    inbox = at.folder_of(PARTNER)
    (inbox / ".dropped").write_text(text)
    (inbox / ".dropped").rename(inbox / name)


def answer_to(at: World, reference: str) -> str:
    """The CONTRL for an interchange, once it is there."""
    outbox = at.folder_of(PARTNER, "out")

    def found() -> list[str]:
        texts = [path.read_text() for path in sorted(outbox.glob("*.edi"))]
        return [text for text in texts if f"UCI+{reference}+" in text]

    (text,) = wait_until(found, SETTLE_SECONDS, f"a CONTRL for {reference}")
    return text


def test_an_order_reaches_the_stream_of_canonical_documents_and_is_acknowledged(at: World) -> None:
    before = at.books.published(RELEASED)
    drop(at, "orders.edi", interchange(message(order("EU-1", "3")), reference="801"))
    wait_until(lambda: at.documents("EU-1"), SETTLE_SECONDS, "the order")
    assert [verdict for verdict, _ in at.documents("EU-1")] == ["accept"]
    wait_until(lambda: at.books.published(RELEASED) == before + 1, SETTLE_SECONDS, "its event")
    said = answer_to(at, "801")
    assert "UCI+801+4012345500004:14+5412345000013:14+7'" in said
    assert "UCM" not in said


def test_one_bad_order_of_two_is_told_with_its_place_and_the_other_goes_on(at: World) -> None:
    bad = order("EU-BAD", "THREE")
    text = interchange(message(bad), message(order("EU-2", "4"), reference="2"), reference="802")
    drop(at, "half.edi", text)
    wait_until(lambda: at.documents("EU-2"), SETTLE_SECONDS, "the good order")
    assert [verdict for verdict, _ in at.documents("EU-2")] == ["accept"]
    said = answer_to(at, "802")
    assert "UCM+1+ORDERS:D:96A:UN+4'UCS+9'UCD+19+2:2'" in said
    assert "THREE" not in said


def test_the_same_file_again_changes_nothing_and_is_answered_all_the_same(at: World) -> None:
    text = interchange(message(order("EU-3", "5")), reference="803")
    drop(at, "first.edi", text)
    wait_until(lambda: at.documents("EU-3"), SETTLE_SECONDS, "the order")
    drop(at, "second.edi", text)
    wait_until(lambda: len(at.documents("EU-3")) == 2, SETTLE_SECONDS, "the order again")
    assert at.documents("EU-3")[1][0] == "duplicate"


def test_a_file_that_is_cut_short_is_rejected_as_a_whole(at: World) -> None:
    drop(at, "cut.edi", interchange(message(order("EU-CUT", "6")), reference="804")[:-12])
    said = answer_to(at, "804")
    assert "+4+13+UNZ'" in said
    assert at.documents("EU-CUT") == []
    assert Path(at.folder_of(PARTNER) / "done").exists()


def test_a_reference_used_again_for_something_else_is_refused_and_the_first_stands(
    at: World,
) -> None:
    drop(at, "once.edi", interchange(message(order("EU-5", "7")), reference="805"))
    assert "+7'" in answer_to(at, "805")
    drop(at, "again.edi", interchange(message(order("EU-6", "8")), reference="805"))
    outbox = at.folder_of(PARTNER, "out")

    def refused() -> list[str]:
        texts = [path.read_text() for path in sorted(outbox.glob("*.edi"))]
        return [text for text in texts if "UCI+805+" in text and "+4+26" in text]

    wait_until(refused, SETTLE_SECONDS, "its refusal (CONTRL, error 26)")
    assert [verdict for verdict, _ in at.documents("EU-5")] == ["accept"]
    assert at.documents("EU-6") == []
