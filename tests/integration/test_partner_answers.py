"""What a partner refuses comes back: documents out of a running hub, and the partner's no to each.

Each set that we send, X12 and EDIFACT, goes out by its route, is refused by the partner's 997 or
CONTRL, becomes a dead letter that blocks its document, and goes out again under a new number.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from hub.servers.addresses import Addresses
from tests.support.databases import drop_database, in_thread, make_database
from tests.support.edifact_text import message
from tests.support.hub_process import PROGRAM
from tests.support.hub_world import SETTLE_SECONDS, World, world
from tests.support.processes import ROOT
from tests.support.waiting import wait_until
from tests.support.x12_text import as_bytes, group, interchange, isa

EURO, HAMBURG = "euro-edi", "hamburg-edi"
MAILBOX = "acme-mailbox"
"""Where acme leaves what it does not send by the connection that it is sent to."""
SAMPLES = ROOT / "connectors"
US, THEM = "5412345000013:14", "4012345500066:14"
ROUTES = [
    ("order", "acme-edi", "855", "acme-edi"),
    ("shipment", "acme-edi", "856", "northside-edi"),
    ("invoice", "acme-edi", "810", "northside-edi"),
    ("shipment", EURO, "DESADV", HAMBURG),
    ("invoice", EURO, "INVOIC", HAMBURG),
]


def _change(site: dict[str, Any]) -> None:
    for name, partner in ((EURO, "northside"), (HAMBURG, "northside")):
        folders = {side: f"{{data_dir}}/folders/{name}/{side[:-3]}" for side in ("inbox", "outbox")}
        site["connections"][name] = {
            "system": "edifact",
            "partner": partner,
            "transport": {"kind": "folder", "stable_seconds": 0.2, **folders},
        }
    site["connections"][MAILBOX] = {
        "system": "x12",
        "partner": "acme",
        "options": dict(site["connections"]["acme-edi"]["options"]),
        "transport": {
            "kind": "folder",
            "stable_seconds": 0.2,
            "inbox": f"{{data_dir}}/folders/{MAILBOX}/in",
        },
    }
    options = yaml.safe_load((SAMPLES / "edifact" / "samples" / "options.yaml").read_text())
    site["connections"][HAMBURG]["options"] = options
    site["connections"][EURO]["options"] = {
        "our_id": US.split(":", maxsplit=1)[0],
        "our_qualifier": "14",
        "partner_id": THEM.split(":", maxsplit=1)[0],
        "partner_qualifier": "14",
    }
    site["routes"] = [
        {"entity": entity, "to": to, "action": "send", "flow": flow,
         "when": {"connection": of, "customer": "*"}}  # samples are of no order of ours
        for entity, to, flow, of in ROUTES
    ]  # fmt: skip


@pytest.fixture(scope="module")
def at(
    tmp_path_factory: pytest.TempPathFactory, template: Addresses, fresh_name: Any
) -> Iterator[World]:
    """A hub that sends by X12 and by EDIFACT what others send it."""
    folder, name = tmp_path_factory.mktemp("answers"), fresh_name()
    database = in_thread(lambda: make_database(template.database_url, name))
    addresses = Addresses(template.nats_url, database, template.redis_url)
    for connection in (EURO, HAMBURG, MAILBOX):
        for side in ("in", "out"):
            (folder / "folders" / connection / side).mkdir(parents=True)
    with world(folder, addresses, _change) as made:
        made.books.forget_streams()
        made.hub.start()
        wait_until(made.seeded, SETTLE_SECONDS, "reference data")
        made.send("ANSWERED-1")
        sample(made, "northside-edi", "x12/samples/856/cartons_and_items.edi", "901")
        sample(made, "northside-edi", "x12/samples/810/supplier_invoice.edi", "902")
        sample(made, HAMBURG, "edifact/samples/DESADV/two_cartons.edi", "903")
        sample(made, HAMBURG, "edifact/samples/INVOIC/two_lines.edi", "904")
        yield made
    in_thread(lambda: drop_database(template.database_url, name))


def drop(at: World, connection: str, name: str, body: bytes) -> None:
    """Put a file into a partner's inbox, whole."""
    inbox = at.folder_of(connection)
    (inbox / ".dropped").write_bytes(body)
    (inbox / ".dropped").rename(inbox / name)


def sample(at: World, connection: str, path: str, reference: str) -> None:
    """A partner sends a sample as its own; X12 ids keep their length."""
    body = (SAMPLES / path).read_bytes()
    body = body.replace(b"ACMEDIST ", b"NORTHSIDE").replace(b"ACMEDIST", b"NORTHSIDE")
    drop(at, connection, path.replace("/", "-"), body.replace(b"905", reference.encode()))


class Trade(NamedTuple):
    """A document that is sent to a partner."""

    flow: str
    to: str


TRADES = [Trade(flow, to) for _, to, flow, _ in ROUTES]
every_trade = pytest.mark.parametrize("trade", TRADES, ids=[trade.flow for trade in TRADES])


class Sent(NamedTuple):
    """One interchange of ours, as it lies in the partner's folder."""

    number: int
    body: bytes


def outgoing(at: World, trade: Trade) -> list[Sent]:
    """What lies there of this set, by number."""
    marks = (f"ST*{trade.flow}*".encode(), f"+{trade.flow}:".encode())
    number = re.compile(rb"^(?:ISA(?:\*[^*]*){12}\*|UNA.{6}UNB(?:\+[^+]*){4}\+)(\d+)")
    found = []
    for path in at.folder_of(trade.to, "out").glob("*"):
        body = path.read_bytes()
        if any(mark in body for mark in marks) and (start := number.match(body)):
            found.append(Sent(int(start[1]), body))
    return sorted(found)


def until_sent(at: World, trade: Trade, count: int) -> list[Sent]:
    """Wait for so many interchanges of this set."""
    what = f"{count} of {trade.flow}"
    return wait_until(lambda: (f := outgoing(at, trade)) and len(f) >= count and f, SETTLE_SECONDS, what) or []  # fmt: skip


def refusal(trade: Trade, number: int, answer: int) -> bytes:
    """The partner's no to one of our interchanges."""
    if trade.to == EURO:
        ours = f"UCI+{number}+{US}+{THEM}+7'UCM+{number}+{trade.flow}:D:96A:UN+4'UCS+3'UCD+12+2:1'"
        text = message(ours, "CONTRL", "D:3")
        return f"UNB+UNOC:3+{THEM}+{US}+261120:0830+{answer}'{text}UNZ+1+{answer}'".encode()
    code = {"855": "PR", "856": "SH", "810": "IN"}[trade.flow]
    said = (
        f"AK1*{code}*{number}\nAK2*{trade.flow}*0001\nAK3*REF*3**8\nAK4*1**7\nAK5*R*5\nAK9*R*1*1*0"
    )
    name = f"{answer:09d}"
    return as_bytes(interchange(group("FA", [("997", said)]), head=isa(name), number=name))


def letters(at: World, trade: Trade) -> list[dict[str, Any]]:
    """Dead letters of this set, oldest first."""
    return at.books.rows(
        "SELECT l.id, l.code, l.place, l.detail, l.state, d.state AS document, v.state AS delivery "
        "FROM dead_letter l JOIN document d ON d.id = l.document_id "
        "JOIN delivery v ON v.id = l.delivery_id WHERE l.flow = :flow ORDER BY l.opened_at",
        flow=trade.flow,
    )


def crossdock(at: World, *arguments: str) -> str:
    """Run a command beside the hub; what it says."""
    command = [sys.executable, *PROGRAM, *arguments, "--config", str(at.hub.config)]
    environment = {**os.environ, **at.hub.environment, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=120, cwd=ROOT)  # our own words  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def board(at: World) -> set[tuple[str, int, str]]:
    """(flow, number, state) of all that went to partners."""
    rows = json.loads(crossdock(at, "edi", "acks", "--output", "json"))
    return {(row["flow"], row["number"], row["state"]) for row in rows}


def refused(at: World, trade: Trade) -> dict[str, Any]:
    """Let the partner say no to the first interchange, unless it has; its dead letter."""
    if not letters(at, trade):
        first = until_sent(at, trade, 1)[0]
        answer = 500 + TRADES.index(trade)
        drop(at, trade.to, f"no-{trade.flow}", refusal(trade, first.number, answer))
    return wait_until(lambda: letters(at, trade), SETTLE_SECONDS, "the dead letter")[0]


@every_trade
def test_what_the_partner_refuses_comes_back_as_a_dead_letter(at: World, trade: Trade) -> None:
    letter = refused(at, trade)
    assert (letter["code"], letter["state"]) == ("partner_rejected", "open")
    assert (letter["document"], letter["delivery"]) == ("dead", "dead")
    assert ("segment 3" in letter["place"], "code_invalid" in letter["detail"]) == (True, True)


def test_the_board_shows_the_no_and_what_is_replayed_goes_out_under_a_number_of_its_own(
    at: World,
) -> None:
    for trade in TRADES:
        refused(at, trade)
    noes = {(trade.flow, outgoing(at, trade)[0].number, "rejected") for trade in TRADES}
    assert noes <= board(at)
    crossdock(
        at, "dlq", "replay", "--error", "partner_rejected", "--yes", "--reason", "they mended it"
    )
    for trade in TRADES:
        first, second = until_sent(at, trade, 2)
        assert second.number > first.number
    assert {letter["state"] for trade in TRADES for letter in letters(at, trade)} <= {"replaying", "replayed"}  # fmt: skip


def test_what_the_partner_says_by_another_connection_is_about_what_was_sent(at: World) -> None:
    trade = TRADES[0]
    at.send("ANSWERED-ELSEWHERE")
    mine = (
        "SELECT d.id FROM delivery d JOIN document o ON o.id = d.document_id "
        "WHERE o.number = 'ANSWERED-ELSEWHERE' AND d.flow = '855' AND d.state = 'delivered'"
    )
    wait_until(lambda: at.books.rows(mine), SETTLE_SECONDS, "the 855")
    last = outgoing(at, trade)[-1]
    drop(at, MAILBOX, "yes-855", refusal(trade, last.number, 601).replace(b"AK5*R*5", b"AK5*A"))
    wait_until(lambda: (trade.flow, last.number, "accepted") in board(at), SETTLE_SECONDS, "the yes")  # fmt: skip
    drop(at, MAILBOX, "no-855", refusal(trade, last.number, 602))
    wait_until(lambda: (trade.flow, last.number, "rejected") in board(at), SETTLE_SECONDS, "the no")  # fmt: skip
    assert "partner_rejected" in {letter["code"] for letter in letters(at, trade)}


def unlisted(at: World) -> set[tuple[str, str]]:
    """The same from the ledger itself, without a process of its own each time."""
    rows = at.books.rows("SELECT flow, unmatched FROM confirmation WHERE delivery_id IS NULL")
    return {(row["flow"], row["unmatched"]) for row in rows}


def strange(at: World, *options: str) -> dict[tuple[str, str], dict[str, Any]]:
    """(flow, why) -> what came and fits nothing that we sent."""
    said = crossdock(at, "edi", "acks", "--unmatched", *options, "--output", "json")
    return {(row["flow"], row["why"]): row for row in json.loads(said)}


def test_an_answer_that_fits_nothing_we_sent_is_shown_to_whoever_asks(at: World) -> None:
    trade = TRADES[0]
    until_sent(at, trade, 1)
    drop(at, trade.to, "to-nothing", refusal(trade, 777_777, 701))
    ta1 = [isa("000000702"), "TA1*000888888*261120*0830*R*025", "IEA*0*000000702"]
    drop(at, MAILBOX, "to-nothing", as_bytes(ta1))
    contrl = message(f"UCI+888+{US}+{THEM}+4+2+UNB'", "CONTRL", "D:3")
    aperak = message("BGM+313++27'RFF+IV:INV-NOBODY'ERC+13'", "APERAK", "D:96A", reference="2")
    both = f"UNB+UNOC:3+{THEM}+{US}+261120:0830+703'{contrl}{aperak}UNZ+2+703'"
    drop(at, EURO, "to-nothing", both.encode())
    wanted = {
        ("997", "number_unknown"), ("TA1", "number_unknown"), ("CONTRL", "number_unknown"), ("APERAK", "document_unknown"),
    }  # fmt: skip
    wait_until(lambda: wanted <= unlisted(at), SETTLE_SECONDS, "all four")
    found = strange(at)
    assert found["997", "number_unknown"]["number"] == 777_777
    assert found["997", "number_unknown"]["state"] == "rejected"
    assert found["997", "number_unknown"]["reasons"][0]["code"] == "code_invalid"
    assert found["APERAK", "document_unknown"]["named"] == "INV-NOBODY"
    assert found["TA1", "number_unknown"]["connection"] == MAILBOX
    assert set(strange(at, "--connection", EURO)) == wanted & {
        ("CONTRL", "number_unknown"), ("APERAK", "document_unknown"),
    }  # fmt: skip
    assert "777777" in crossdock(at, "edi", "acks", "--unmatched")
    came = found["997", "number_unknown"]["document"]
    assert "AK1*PR*777777" in crossdock(at, "trace", came, "--form", "raw")
    assert {each[:2] for each in board(at)}.isdisjoint({("855", 777_777)})


NUMBERED = """
SELECT d.id, c.number FROM delivery AS d
JOIN control_number AS c ON c.target = d.target
    AND c.key = d.reference || '/' || d.action || '/' || d.version
WHERE d.flow = :flow AND d.state <> 'pending' ORDER BY d.created_at, d.id
"""


def test_what_was_sent_is_sent_again_byte_for_byte_after_the_profile_has_changed(
    at: World,
) -> None:
    trades = [TRADES[0], TRADES[3]]
    before = {trade.flow: until_sent(at, trade, 1) for trade in trades}
    at.hub.terminate()
    _write_otherwise(at.hub.config)
    at.hub.start()
    for trade in trades:
        row = at.books.rows(NUMBERED, flow=trade.flow)[0]
        first = row["id"]
        assert first[:8] in crossdock(at, "edi", "acks")
        crossdock(at, "edi", "resend", first[:8], "--reason", "they lost it")
        found = until_sent(at, trade, len(before[trade.flow]) + 1)
        last = next(sent for sent in before[trade.flow] if sent.number == row["number"])
        again = [sent.body for sent in found if sent.number == last.number]
        assert again == [last.body, last.body]


def _write_otherwise(config: Path) -> None:
    """Let the profiles of both partners write with other delimiters and other numbers of lines."""
    site = yaml.safe_load(config.read_text())
    site["connections"]["acme-edi"]["options"] |= {"element_separator": "|", "line_breaks": True}
    site["connections"][EURO]["options"] |= {"element_separator": "|", "charset": "UNOA"}
    config.write_text(yaml.safe_dump(site))
