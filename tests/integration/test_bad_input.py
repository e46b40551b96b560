"""Bad calls at a running hub: a precise answer, nothing lost, nobody hurt, nothing repeated.

Every payload holds the canary. After every test the hub must be ready with its workers alive, no
answer may have been a 5xx, and the canary may stand nowhere but in the documents themselves. Files
and interchanges: `test_bad_files.py`.
"""

from __future__ import annotations

import gzip
import select
import shutil
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from nats.js import JetStreamContext

from connectors.base import Receipt
from hub.ids import new_id
from hub.servers.addresses import Addresses
from tests.support.bad_input import (
    CANARY,
    CANARY_PRICE,
    MAX_BODY,
    Fresh,
    assert_unharmed,
    running_hub,
    set_aside,
    until_documents,
)
from tests.support.hub_senders import SIGNATURE, Shop
from tests.support.hub_world import SETTLE_SECONDS, World
from tests.support.waiting import wait_until

MAPPINGS = Path(__file__).parents[2] / "mappings"
MAPPING = "shopify/orders_create.order.jsonata"

MISTAKES = {
    "LOOP": "($forever := function($n) { $forever($n) }; $forever(1))",
    "GROW": """(
      $grow := function($s, $n) { $n = 0 ? $s : $grow($s & $s, $n - 1) };
      $string($length($grow("xxxxxxxxxxxxxxxx", 30)))
    )""",
    "RAISE": '$error("it holds " & email)',
    "FAIL": '$fail("not_for_us", "line_items[0].sku", "expected an item of ours")',
    "NOTHING": "missing",
}
"""What `note` switches on in the mapping of the shop's orders."""


def hub_with_mistakes(folder: Path) -> Path:
    """A program that is the hub with mappings of the test's own, which no option can choose."""
    mappings = folder / "mappings"
    shutil.copytree(MAPPINGS, mappings)
    original = (mappings / MAPPING).read_text("utf-8")
    switch = "".join(f'note = "{name}" ? {text}\n: ' for name, text in MISTAKES.items())
    (mappings / MAPPING).write_text(f"({switch}{original})", "utf-8")
    program = folder / "hub_with_mistakes.py"
    program.write_text(
        "import pathlib, dlq_tools.main, hub.app\n"
        f"hub.app.MAPPINGS = pathlib.Path({str(mappings)!r})\n"
        "dlq_tools.main.main()\n",
        "utf-8",
    )
    return program


@pytest.fixture(scope="module")
def at(
    tmp_path_factory: pytest.TempPathFactory, template: Addresses, fresh_name: Fresh
) -> Iterator[World]:
    """One hub for all tests: whatever one of them sends must not hurt the others."""
    program = hub_with_mistakes(tmp_path_factory.mktemp("program"))
    with running_hub(tmp_path_factory.mktemp("bad"), template, fresh_name(), program) as made:
        yield made


@pytest.fixture(scope="module")
def shop(at: World) -> Iterator[Shop]:
    made = Shop(at.hub.url)
    yield made
    made.close()


@pytest.fixture
def since(at: World) -> datetime:
    """When the test began."""
    return at.books.now()


@pytest.fixture(autouse=True)
def unharmed(at: World, shop: Shop) -> Iterator[None]:
    """What holds after every test."""
    shop.answers.clear()
    yield
    assert [answer.status_code for answer in shop.answers if answer.status_code >= 500] == []
    assert_unharmed(at, [answer.text for answer in shop.answers])


def refusal(answer: httpx.Response) -> tuple[int, str, str]:
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["where"]


# Calls that are not who they say they are.


@pytest.mark.parametrize(
    ("change", "code", "where"),
    [
        ({"without": SIGNATURE}, "signature_missing", SIGNATURE),
        ({SIGNATURE: ""}, "signature_missing", SIGNATURE),
        ({SIGNATURE: CANARY}, "signature_invalid", SIGNATURE),
        ({SIGNATURE: CANARY * 2000}, "signature_invalid", SIGNATURE),
        ({SIGNATURE: "señal".encode("latin-1")}, "signature_invalid", SIGNATURE),
        ({SIGNATURE: "señal".encode() + b"\xff"}, "signature_invalid", SIGNATURE),
        ({"x_shopify_shop_domain": CANARY}, "signature_invalid", "x-shopify-shop-domain"),
        ({"to": "nobody"}, "signature_invalid", ""),
        ({"to": f"..{CANARY}"}, "signature_invalid", ""),
        ({"to": "tracking"}, "signature_missing", "x-hmac-signature"),
    ],
)
def test_a_call_that_is_not_signed_as_agreed_is_refused_and_not_stored(
    at: World, shop: Shop, change: dict[str, Any], code: str, where: str
) -> None:
    before = at.books.stored()
    answer = shop.call(shop.order("#B-FORGED", email=CANARY), **change)
    assert refusal(answer) == (401, code, where)
    assert at.books.stored() == before


def test_a_body_that_was_changed_on_its_way_is_refused(shop: Shop) -> None:
    body = shop.order("#B-CHANGED", email=CANARY)
    answer = shop.call(body.replace(b": ", b":"), **{SIGNATURE: shop.headers(body)[SIGNATURE]})
    assert refusal(answer) == (401, "signature_invalid", SIGNATURE)


def test_a_replayed_call_is_answered_with_the_first_receipt(at: World, shop: Shop) -> None:
    body = shop.order("#B-REPLAY", email=CANARY)
    first = shop.call(body, x_shopify_webhook_id="webhook-replayed")
    assert (first.status_code, first.json()["duplicate"]) == (200, False)
    until_documents(at, "#B-REPLAY", "accept")

    def again() -> bool:
        answer = shop.call(body, x_shopify_webhook_id="webhook-replayed")
        assert answer.status_code == 200
        repeated = {"receipt": first.json()["receipt"], "duplicate": True}
        return bool(answer.json() == repeated)

    wait_until(again, SETTLE_SECONDS, "a duplicate")  # from when Redis has heard of the commit
    replayed_elsewhere = shop.call(body)  # the delivery id is not signed
    assert replayed_elsewhere.status_code == 200
    wait_until(lambda: ("duplicate", "duplicate") in at.documents("#B-REPLAY"), SETTLE_SECONDS)
    assert ("accept", "held") not in at.documents("#B-REPLAY")


# Bodies that are too much.

CHUNKED = (
    "POST /in/shop HTTP/1.1\r\nhost: hub\r\ntransfer-encoding: chunked\r\n"
    f"{SIGNATURE}: {{signature}}\r\n\r\n"
)


def test_a_body_over_the_cap_is_refused(at: World, shop: Shop) -> None:
    before = at.books.stored()
    answer = shop.call(shop.order("#B-LARGE", note=CANARY * (MAX_BODY // 10)))
    assert refusal(answer) == (413, "body_too_large", "max_body")
    assert at.books.stored() == before


def test_a_body_without_end_is_cut_at_the_cap(at: World) -> None:
    signed = f"{SIGNATURE}: forged\r\n"  # without any, no byte of the body is read
    head = f"POST /in/shop HTTP/1.1\r\nhost: hub\r\n{signed}transfer-encoding: chunked\r\n\r\n"
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    with socket.create_connection(("127.0.0.1", at.hub.port), timeout=15) as connection:
        connection.sendall(head.encode())
        sent = 0
        while not select.select([connection], [], [], 0)[0]:
            sent += connection.send(chunk)
            assert sent < 100 * MAX_BODY, "it reads without end"
        answer = connection.recv(4096)
    assert answer.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    ("encoding", "body", "expected"),
    [
        ("gzip", gzip.compress(bytes(50_000_000)), (413, "body_too_large", "max_decompressed")),
        ("gzip", b"no gzip " + CANARY.encode(), (400, "encoding_invalid", "content-encoding")),
        ("gzip", gzip.compress(b"{}")[:-4], (400, "encoding_invalid", "content-encoding")),
        ("br", CANARY.encode(), (415, "encoding_unsupported", "content-encoding")),
    ],
    ids=["a gzip bomb", "no gzip", "gzip cut short", "an encoding that is not spoken"],
)
def test_an_encoded_body_that_cannot_be_read_is_refused(
    at: World, shop: Shop, encoding: str, body: bytes, expected: tuple[int, str, str]
) -> None:
    before = at.books.stored()
    assert refusal(shop.call(body, content_encoding=encoding)) == expected
    assert at.books.stored() == before


def test_a_compressed_call_is_signed_for_what_it_holds(at: World, shop: Shop) -> None:
    body = shop.order("#B-GZIP", email=CANARY)
    answer = shop.call(
        gzip.compress(body), content_encoding="gzip", **{SIGNATURE: shop.headers(body)[SIGNATURE]}
    )
    assert answer.status_code == 200
    until_documents(at, "#B-GZIP", "accept")


@pytest.mark.parametrize(
    "sent",
    [
        f"POST /in/shop HTTP/1.1\r\nhost: hub\r\ncontent-length: -5\r\n\r\n{CANARY}",
        f"POST /in/shop HTTP/1.1\r\nhost: hub\r\ncontent-length: 5\r\ncontent-length: 7\r\n\r\n{CANARY}",
        f"{CHUNKED.format(signature='x')}ZZ\r\n{CANARY}",
        f"\x00{CANARY}\r\n\r\n",
        f"POST /in/{CANARY} HTTP/1.1\r\nhost: hub\r\ncontent-length: 9\r\n\r\n",
    ],
    ids=["a negative length", "two lengths", "a broken chunk", "no HTTP", "a body that never comes"],
)  # fmt: skip
def test_a_request_that_is_no_whole_one_is_refused_and_says_nothing(at: World, sent: str) -> None:
    with socket.create_connection(("127.0.0.1", at.hub.port), timeout=15) as connection:
        connection.sendall(sent.encode())
        answer = connection.recv(4096)
    assert answer[:10] == b"HTTP/1.1 4"
    assert CANARY.encode() not in answer


def test_a_caller_that_goes_away_in_the_middle_harms_nobody(at: World) -> None:
    with socket.create_connection(("127.0.0.1", at.hub.port), timeout=15) as connection:
        connection.sendall(f"{CHUNKED.format(signature='x')}10\r\n{CANARY}".encode())
    gone = {"code": "body_incomplete"}
    wait_until(lambda: [e for e in at.hub.events("refused") if gone.items() <= e.items()])


def test_an_empty_body_is_refused(shop: Shop) -> None:
    assert refusal(shop.call(b"")) == (400, "body_empty", "")


@pytest.mark.parametrize(
    "content_type",
    ["", "text/xml", "application/json; charset=latin-1", "multipart/form-data; boundary=x"],
)
def test_a_content_type_other_than_json_is_refused(shop: Shop, content_type: str) -> None:
    answer = shop.call(shop.order("#B-TYPE", email=CANARY), content_type=content_type)
    assert refusal(answer) == (415, "content_type_unsupported", "content-type")


# JSON that two readers could take differently: it is signed, so it is kept, for a person.

PRICE = f'"price": "{CANARY}", '.encode()


class Json(NamedTuple):
    """A body, and what must be said of it."""

    body: bytes
    code: str
    where: str


JSON = {
    "a key twice": Json(b"{" + PRICE + b'"price": 1}', "json_duplicate_key", "byte 26"),
    "NaN": Json(b"{" + PRICE + b'"total": NaN}', "json_not_a_number", "byte 35"),
    "Infinity": Json(b"{" + PRICE + b'"total": -Infinity}', "json_not_a_number", "byte 35"),
    "1e400": Json(b"{" + PRICE + b'"total": 1e400}', "json_number_too_large", "byte 35"),
    "5000 digits": Json(b'{"a": ' + b"9" * 5000 + b"}", "json_number_too_large", "byte 6"),
    "cut short": Json(b"{" + PRICE + b'"tot', "json_syntax", "byte 26"),
    "more behind": Json(b"{" + PRICE + b'"a": 1} ' + CANARY.encode(), "json_syntax", "byte 34"),
    "two documents": Json(b'{"total": 1}{"total": 2}', "json_syntax", "byte 12"),
    "depth": Json(b"[" * 100_000, "json_too_deep", "byte 64"),
    "NUL": Json(b"{" + PRICE + b'"note": "\\u0000"}', "json_null_character", "byte 35"),
    "half a pair": Json(b"{" + PRICE + b'"note": "\\ud800"}', "json_lone_surrogate", "byte 35"),
    "not UTF-8": Json(b"{" + PRICE + b'"note": "\xff"}', "body_not_utf8", "byte 35"),
    "a list": Json(b'["' + CANARY.encode() + b'"]', "json_not_an_object", "byte 0"),
    "blanks": Json(b" \n ", "body_empty", "byte 0"),
}


@pytest.mark.parametrize("name", JSON)
def test_json_that_cannot_be_trusted_is_set_aside_with_its_place(
    at: World, shop: Shop, since: datetime, name: str
) -> None:
    body, code, where = JSON[name]
    assert shop.call(body).status_code == 200
    assert set_aside(at, since) == ("decode", code, where)


# Mappings that go wrong, and documents that the vocabulary refuses.


TOO_MUCH = {"mapping_timeout", "worker_timeout", "worker_memory"}
"""Which guard is first depends on the machine: the engine's, the pool's, the memory limit."""

CODES = {
    "LOOP": TOO_MUCH,
    "GROW": TOO_MUCH,
    "RAISE": {"mapping_failed"},
    "FAIL": {"not_for_us"},
    "NOTHING": {"mapping_undefined"},
}


@pytest.mark.parametrize("note", MISTAKES)
def test_a_mapping_that_goes_wrong_costs_one_document_and_nobody_else_anything(
    at: World, shop: Shop, since: datetime, note: str
) -> None:
    number = f"#B-{note}"
    assert shop.call(shop.order(number, note=note, email=CANARY)).status_code == 200
    assert shop.call(shop.order(f"{number}-OTHER", email=CANARY)).status_code == 200
    until_documents(at, f"{number}-OTHER", "accept")
    stage, code, where = set_aside(at, since)
    assert stage == "map"
    assert code in CODES[note]
    assert where == ("line_items[0].sku" if note == "FAIL" else f"mappings/{MAPPING}")


def test_a_price_with_too_many_decimals_is_set_aside_with_its_place(
    at: World, shop: Shop, since: datetime
) -> None:
    lines = [
        {"id": n, "sku": "1928-S", "quantity": 1, "price": price}
        for n, price in enumerate(("54.90", CANARY_PRICE), start=1)
    ]
    assert shop.call(shop.order("#B-PRICE", line_items=lines)).status_code == 200
    assert set_aside(at, since) == ("validate", "canonical_invalid", "lines[1].unit_price.amount")


def test_a_total_beyond_the_minor_unit_is_set_aside_with_its_place(
    at: World, shop: Shop, since: datetime
) -> None:
    body = shop.order("#B-TOTAL", subtotal_price=CANARY_PRICE[:-3])
    assert shop.call(body).status_code == 200
    assert set_aside(at, since) == ("validate", "canonical_invalid", "total")


# Questions to the API.


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"/v1/documents?limit={CANARY}", (422, "request_invalid", "query.limit")),
        (f"/v1/documents/{CANARY}%00", (400, "value_invalid", "")),
        ("/v1/threads/%00", (400, "value_invalid", "")),
        (f"/v1/threads/{CANARY}", (404, "thread_unknown", "")),
        (f"/{CANARY}", (404, "path_unknown", "")),
        ("/in/shop", (405, "method_not_allowed", "")),
    ],
)
def test_a_question_that_has_no_answer_is_refused_with_its_place(
    at: World, shop: Shop, path: str, expected: tuple[int, str, str]
) -> None:
    token = {"authorization": f"Bearer {at.hub.environment['CROSSDOCK_API_TOKEN']}"}
    answer = shop.http.get(f"{at.hub.url}{path}", headers=token)
    shop.answers.append(answer)
    assert refusal(answer) == expected


# What somebody else puts into our stream.


def test_a_message_without_our_headers_is_set_aside_with_its_bytes(
    at: World, since: datetime
) -> None:
    async def publish(js: JetStreamContext) -> None:
        await js.publish("intake.stranger.file", CANARY.encode())

    at.books.streams(publish)
    assert set_aside(at, since) == ("decode", "not_a_receipt", "")


def test_a_receipt_of_a_connection_that_is_not_configured_is_set_aside(
    at: World, since: datetime
) -> None:
    now = datetime.now(UTC)
    receipt = Receipt(
        new_id(int(now.timestamp() * 1000)), "ghost", "g-1", now, CANARY.encode(), "orders/create"
    )
    at.books.store([receipt])
    assert set_aside(at, since)[:2] == ("decode", "connection_unknown")


def test_after_all_of_that_a_good_order_still_crosses_the_dock(at: World) -> None:
    at.send("B-GOOD")
    once = {"sales_order_created": 1, "warehouse_order_received": 1}
    wait_until(lambda: at.effects("B-GOOD") == once, SETTLE_SECONDS, "it took effect")
