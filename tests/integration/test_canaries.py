"""No secret stands in any artefact, and no person of a document anywhere but in the document itself.

One hub takes in everything: what goes well, is held, is a conflict, dies in decoding, in mapping, at
its target, is forged. Then all that it left behind or tells is searched for its secrets, and for the
person that stands in every payload: logs, metrics, traces, HTTP answers, what commands print, every
text of the ledger, every message and key of NATS and Redis, files and their names, packs, command lines.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import redis
import sqlalchemy as sa
import zstandard
from nats.js import JetStreamContext
from typer.testing import CliRunner

from dlq_tools.main import build
from hub.ledger.tables import metadata
from hub.servers.addresses import Addresses
from sandbox.purchase_order import Address
from tests.support.collector import Collector, collector
from tests.support.databases import drop_database, in_thread, make_database
from tests.support.hub_senders import Acme, Shop
from tests.support.hub_world import SETTLE_SECONDS, World, world
from tests.support.waiting import wait_until

PERSON = "Quilla Canarybird"
PLACES = ("quilla@canary.example", "503-555-0177", "77 Canarywharf Road")
PERSONS = (PERSON, *PLACES)
PRICE = "54.9071717"
DOCUMENTS = {"document.canonical", "reference.canonical"}
"""Columns that hold what a document says, by design: they are the ledger's own copies of it."""

Texts = Mapping[str, str]
"""Where something stands -> what stands there."""


@pytest.fixture(scope="module")
def traces() -> Iterator[Collector]:
    with collector() as made:
        yield made


@pytest.fixture(scope="module")
def at(
    tmp_path_factory: pytest.TempPathFactory,
    template: Addresses,
    fresh_name: Callable[[], str],
    traces: Collector,
) -> Iterator[World]:
    """A hub that has seen all that can go wrong with a document, and has come to rest."""

    def change(site: dict[str, Any]) -> None:
        site["otlp_endpoint"] = traces.url
        site["api_roles"] = {"demo": "viewer"}

    url, name = template.database_url, fresh_name()
    database = in_thread(lambda: make_database(url, name))
    addresses = Addresses(template.nats_url, database, template.redis_url)
    with world(tmp_path_factory.mktemp("canaries"), addresses, change) as made:
        made.books.forget_streams()
        made.hub.start()
        wait_until(made.seeded, SETTLE_SECONDS, "reference data")
        everything(made)
        yield made
    in_thread(lambda: drop_database(url, name))


def everything(at: World) -> None:
    """Send whatever goes well or wrong; returns when it has come to rest."""
    shop, acme = Shop(at.hub.url), Acme()
    lives = {
        "name": PERSON,
        "address1": PLACES[2],
        "city": "Portland",
        "province_code": "OR",
        "zip": "97201",
        "country_code": "US",
        "phone": PLACES[1],
    }
    person = {"email": PLACES[0], "phone": PLACES[1], "note": PERSON, "shipping_address": lives}
    address = Address(name=PERSON, street=PLACES[2])

    def edi(number: str, **changes: str) -> str:
        order = acme.order(number, buyer_name=PERSON, note=PERSON, ship_to=address, **changes)
        return acme.interchange(order)

    def drop(name: str, body: str) -> None:
        (at.folder_of("acme-edi") / f"{name}.x12").write_text(body)

    for number, rule in (
        ("C-LOGIN", {"kind": "html_login"}),
        ("C-BODY", {"kind": "ok_with_error_body"}),
        ("C-RESET", {"kind": "accept_then_reset"}),
        ("C-DEAD", {"kind": "status", "status": 400, "times": 50}),
    ):
        at.misbehave(number, **rule)
        drop(number, edi(number))
    drop("C-HELD", edi("C-HELD", price="1.00"))
    drop("C-BROKEN", edi("C-BROKEN").replace("*1000.80*", f"*{PERSON}*"))
    drop("C-CUT", edi("C-CUT")[:-60] + PERSON)
    first = shop.order("#C-TWICE", **person)
    shop.call(first)
    wait_until(lambda: at.documents("#C-TWICE"), SETTLE_SECONDS, "the first is decided")
    for body in (
        shop.order("#C-TWICE", **person),  # another quantity: a conflict
        first,  # a duplicate
        shop.order("#C-PRICE", **person).replace(b"54.90", PRICE.encode()),
        shop.order("#C-CUT", **person)[:-40],
        b'{"a": 1, "a": "' + PERSON.encode() + b'"}',
    ):
        shop.call(body)
    shop.call(shop.order("#C-FORGED", **person), x_shopify_hmac_sha256=PERSON)
    shop.call(shop.order("#C-TO", **person), to=PERSON)
    shop.close()
    wait_until(lambda: rested(at), 2 * SETTLE_SECONDS, "all has come to rest")


def rested(at: World) -> bool:
    """Whether there are the outcomes that are looked for, and nothing is under way."""
    alive = at.books.count(
        "SELECT count(*) FROM delivery WHERE state IN ('pending', 'in_flight', 'in_doubt') "
        "AND target = 'bc'"
    )
    letters = at.books.count("SELECT count(*) FROM dead_letter")
    holds = at.books.count("SELECT count(*) FROM hold")
    return not alive and letters >= 5 and holds >= 2


@pytest.fixture(scope="module")
def secrets(at: World) -> tuple[str, ...]:
    """Everything that the hub was told and must tell nobody."""
    told = at.hub.environment
    names = (
        "CROSSDOCK_SHOPIFY_SECRET",
        "CROSSDOCK_EASYPOST_SECRET",
        "CROSSDOCK_BC_CLIENT_SECRET",
        "CROSSDOCK_API_TOKEN",
    )
    passwords = (
        httpx.URL(told[name]).password for name in ("DATABASE_URL", "REDIS_URL", "NATS_URL")
    )
    return tuple(filter(None, (*(told[name] for name in names), *passwords)))


def assert_told_nowhere(texts: Texts, words: tuple[str, ...]) -> None:
    """None of these words stands anywhere there; which, is not repeated."""
    assert texts, "nothing was searched"
    assert [place for place, text in texts.items() if any(word in text for word in words)] == []


def test_the_canaries_came_in(at: World) -> None:
    """What is not there cannot be found: the documents and their bytes do hold the person."""
    assert any(PERSON in text for text in ledger(at, documents=True).values())
    assert any(PERSON in text for text in archived(at).values())
    stages = {row["stage"] for row in at.books.rows("SELECT DISTINCT stage FROM dead_letter")}
    assert stages >= {"decode", "validate", "deliver"}
    columns = {
        f"{table.name}.{column.name}"
        for table in metadata.tables.values()
        for column in table.columns
    }
    assert columns >= DOCUMENTS


def test_logs_and_metrics(at: World, secrets: tuple[str, ...]) -> None:
    told = {"log": at.hub.log(), "metrics": at.hub.metrics()}
    assert_told_nowhere(told, (*secrets, *PERSONS, PRICE))
    assert "Traceback" not in told["log"]  # whose last line may quote anything


def test_traces(at: World, traces: Collector, secrets: tuple[str, ...]) -> None:
    wait_until(lambda: traces.exports, SETTLE_SECONDS, "spans were exported")
    told = {f"export {n}": text(body) for n, body in enumerate(traces.exports)}
    assert at.hub.alive
    assert_told_nowhere(told, (*secrets, *PERSONS, PRICE))


def test_http_answers_to_a_viewer(at: World, secrets: tuple[str, ...]) -> None:
    token = at.hub.environment["CROSSDOCK_API_TOKEN"]
    told = {}
    with httpx.Client(base_url=at.hub.url, headers={"authorization": f"Bearer {token}"}) as http:
        for path in paths(at):
            for headers in ({}, {"authorization": f"Bearer {PERSON}"}):
                answer = http.get(path, headers=headers)
                told[f"{path} {answer.status_code}"] = answer.text
    assert_told_nowhere(told, (*secrets, *PERSONS, PRICE))
    assert sum(place.endswith(" 200") for place in told) >= len(paths(at))


def paths(at: World) -> list[str]:
    """What a viewer may ask for, and the addresses that everybody may."""
    letters = [row["id"] for row in at.books.rows("SELECT id FROM dead_letter")]
    rows = at.books.rows("SELECT DISTINCT number FROM document WHERE number LIKE 'C-%'")
    listings = ("account", "documents", "holds", "dead-letters", "dead-letters/groups")
    return [
        *(f"/v1/{name}" for name in (*listings, "findings", "dead-letters/replays")),
        *(f"/v1/dead-letters/{letter}" for letter in letters),
        *(f"/v1/threads/{row['number']}" for row in rows),
        *("/healthz", "/readyz", "/metrics", "/openapi.json"),
    ]


def test_what_commands_print(
    at: World, secrets: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**at.hub.environment, "CROSSDOCK_CONFIG": str(at.hub.config)}.items():
        monkeypatch.setenv(name, value)
    told = {}
    for words in commands(at):
        for output in ("table", "json"):
            result = CliRunner().invoke(build(), [*words, "--output", output])
            assert not isinstance(result.exception, Exception), words
            told[f"{' '.join(words)} as {output}: {result.exit_code}"] = result.output
    assert_told_nowhere(told, (*secrets, *PERSONS, PRICE))
    assert sum(place.endswith(": 0") for place in told) >= len(told) - 8, list(told)


def commands(at: World) -> list[list[str]]:
    """What people look with; `dlq diff` and `--payload` show values, and say so."""
    letters = [row["id"] for row in at.books.rows("SELECT id FROM dead_letter")]
    holds = [row["id"] for row in at.books.rows("SELECT id FROM hold")]
    return [
        ["doctor"],
        ["documents"],
        ["deliveries"],
        ["account"],
        ["trace", "C-DEAD"],
        ["trace", "C-HELD"],
        ["hold", "ls"],
        *(["hold", "show", str(hold)] for hold in holds),
        ["dlq", "stats"],
        ["dlq", "list"],
        *(["dlq", "show", str(letter)] for letter in letters),
        ["reconcile", "report"],
        ["ledger", "audit"],
        ["config", "check"],
        ["config", "show"],
    ]


def test_every_text_of_the_ledger(at: World, secrets: tuple[str, ...]) -> None:
    assert_told_nowhere(ledger(at, documents=True), secrets)
    assert_told_nowhere(ledger(at, documents=False), (*PERSONS, PRICE))


def ledger(at: World, *, documents: bool) -> Texts:
    """All columns of all tables as text, with those that hold documents or without."""
    found = {}
    for table in metadata.tables.values():
        for column in table.columns:
            place = f"{table.name}.{column.name}"
            if documents or place not in DOCUMENTS:
                binary = isinstance(column.type, sa.LargeBinary)
                said = f"encode({column.name}, 'escape')" if binary else f"{column.name}::text"
                rows = at.books.rows(f"SELECT {said} AS said FROM {table.name}")  # noqa: S608
                found[place] = "\n".join(str(row["said"]) for row in rows)
    return found


def test_every_message_of_nats(at: World, secrets: tuple[str, ...]) -> None:
    told = at.books.streams(messages)
    assert_told_nowhere(told, secrets)
    outside = {k: v for k, v in told.items() if k.startswith(("DEAD", "ADVISORY")) or "header" in k}
    assert_told_nowhere(outside, (*PERSONS, PRICE))


async def messages(js: JetStreamContext) -> dict[str, str]:
    """Subject, headers and body of everything that the streams hold."""
    found = {}
    for stream in await js.streams_info():
        name = str(stream.config.name)
        for seq in range(stream.state.first_seq, stream.state.last_seq + 1):
            try:
                message = await js.get_msg(name, seq)
            except Exception:  # noqa: S112  # a gap: it was purged
                continue
            found[f"{name} {seq} body"] = text(message.data or b"")
            headers = json.dumps({"subject": message.subject, **(message.headers or {})})
            found[f"{name} {seq} header"] = headers
    return found


def test_every_key_of_redis(at: World, secrets: tuple[str, ...]) -> None:
    client = redis.Redis.from_url(at.hub.environment["REDIS_URL"])
    told = {"the keys": "of it"}
    for key in client.scan_iter():
        told[text(key)] = text(client.dump(key) or b"") + text(key)
    client.close()
    assert_told_nowhere(told, (*secrets, *PERSONS, PRICE))


def test_files_and_their_names(at: World, secrets: tuple[str, ...]) -> None:
    """Bytes that came or went are kept whole by design: they may name a person, never a secret."""
    told = {}
    for path in files(at.folder):
        told[str(path)] = str(path.relative_to(at.folder)) + text(path.read_bytes())
    assert_told_nowhere(told, secrets)
    kept = (".x12", ".zst")
    told = {place: words for place, words in told.items() if not place.endswith(kept)}
    assert_told_nowhere(told, (*PERSONS, PRICE))
    assert_told_nowhere(archived(at), secrets)


def files(folder: Path) -> Iterator[Path]:
    """Everything that the hub wrote; the emulated systems beside it have files of their own."""
    for path in folder.rglob("*"):
        if path.is_file() and "sandbox" not in path.relative_to(folder).parts:
            yield path


def archived(at: World) -> Texts:
    """The bytes of all packs, unpacked."""
    found = {}
    for path in (at.folder / "archive").iterdir():
        frames, rest = [], path.read_bytes()
        while rest:
            unpacking = zstandard.ZstdDecompressor().decompressobj()
            frames.append(unpacking.decompress(rest))
            rest = unpacking.unused_data
        found[path.name] = path.name + text(b"\n".join(frames))
    return found


def test_command_lines_of_its_processes(at: World, secrets: tuple[str, ...]) -> None:
    head = psutil.Process(at.hub.pid)
    lines = {
        f"process {n}": " ".join(each.cmdline())
        for n, each in enumerate((head, *head.children(recursive=True)))
    }
    assert_told_nowhere(lines, secrets)


def text(data: bytes) -> str:
    """Bytes as text, whatever they are."""
    return data.decode("utf-8", "replace")
