"""AS2 messages over real HTTP on a real ledger: what is stored, and what the sender hears."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from connectors.transports.as2.message import Wrapping, as2_headers, write_message
from connectors.transports.as2.names import read_envelope
from connectors.transports.as2.receipts import Outcome, read_receipt, write_receipt
from hub.intake import as2
from hub.ledger import exchanges
from hub.ledger.tables import exchange
from tests.support.as2_house import ASKS, House, Partner, agreement, house, transport
from tests.support.as2_keys import NOW, key
from tests.support.waiting import wait_for
from tests.support.webhook_catcher import Catcher, catching


@pytest.fixture
async def us(engine: AsyncEngine) -> AsyncIterator[House]:
    async with house(engine) as opened:
        yield opened


@pytest.fixture
def them(us: House) -> Partner:
    return Partner(us.url)


@pytest.fixture
def catcher() -> Iterator[Catcher]:
    with catching() as opened:
        yield opened


def bodies(us: House) -> list[bytes]:
    return [receipt.body for receipt in us.shelf.receipts]


async def test_a_message_is_stored_and_its_signed_receipt_proves_it(
    us: House, them: Partner
) -> None:
    receipt = them.read(await them.send(b"ISA*00*~"))
    assert (receipt.is_positive, receipt.signed) == (True, True)
    (stored,) = us.shelf.receipts
    assert (stored.body, stored.connection) == (b"ISA*00*~", "them-as2")
    assert stored.delivery_id == "m-1@them.example" == receipt.message_id
    assert stored.facts["file"] == "order.x12"


async def test_the_same_message_again_hears_the_same_receipt_and_has_no_effect(
    us: House, them: Partner
) -> None:
    first, again = await them.send(), await them.send()
    assert first.content == again.content
    assert len(bodies(us)) == 1


async def test_the_same_message_id_with_other_content_is_a_conflict(
    us: House, them: Partner
) -> None:
    await them.send(b"ISA*00*~")
    receipt = them.read(await them.send(b"ISA*01*~"))
    assert not receipt.is_positive
    assert receipt.reason == "unexpected-processing-error"
    assert bodies(us) == [b"ISA*00*~"]


async def test_without_a_place_to_store_it_no_receipt_is_given(us: House, them: Partner) -> None:
    us.shelf.refusing = True
    answer = await them.send()
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    us.shelf.refusing = False
    assert them.read(await them.send()).is_positive
    assert len(bodies(us)) == 1


async def test_a_crash_before_the_receipt_is_written_is_made_good_by_the_next_try(
    us: House, them: Partner, engine: AsyncEngine
) -> None:
    await them.send()
    async with engine.begin() as ledger:
        await ledger.execute(sa.update(exchange).values(answer=None, headers=None))
    assert them.read(await them.send()).is_positive
    first, second = us.shelf.receipts
    assert first.id == second.id  # one acceptance: the streams and the inbox know it


REFUSALS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    # Of what is encrypted nobody hears how far it came.
    ("decryption-failed", {"our_keys": (key("stranger"),)}, {}),
    ("decryption-failed", {"certificates": (key("stranger").certificate,)}, {}),
    ("decryption-failed", {}, {"sign": False}),
    ("authentication-failed", {"our_keys": (key("stranger"),)}, {"cipher": None}),
    ("insufficient-message-security", {}, {"sign": False, "cipher": None}),
    ("insufficient-message-security", {}, {"cipher": None}),
]


async def test_what_is_not_as_agreed_hears_the_exact_disposition(us: House, them: Partner) -> None:
    for reason, changes, wrapping in REFUSALS:
        sender = replace(them, agreement=replace(them.agreement, **changes))
        receipt = them.read(await sender.send(**wrapping))
        assert (receipt.kind, receipt.modifier, receipt.reason) == ("processed", "error", reason)
    assert bodies(us) == []


async def test_an_expired_certificate_authenticates_nobody(engine: AsyncEngine) -> None:
    old = key("them", NOW - timedelta(900), NOW - timedelta(800))
    async with house(
        engine,
        agreement=agreement("US", "THEM", certificates=(old.certificate,), require_encrypted=False),
    ) as us:
        them = Partner(us.url)
        now = NOW - timedelta(850)  # the sender's clock has stood still
        sender = replace(them.agreement, our_keys=(old,))
        made = write_message(b"ISA", "a", Wrapping(cipher=None), sender, now)
        headers = {**as2_headers(them.agreement, "old@them", now), **made.headers, **ASKS}
        receipt = them.read(await them.post(headers, made.body))
        assert receipt.reason == "authentication-failed"
        assert bodies(us) == []


async def test_a_message_changed_on_its_way_fails_the_integrity_check(engine: AsyncEngine) -> None:
    open_ = agreement("US", "THEM", require_encrypted=False)
    async with house(engine, agreement=open_) as us:
        them = Partner(us.url)
        good = await them.send(cipher=None, message_id="x@y")
        assert them.read(good).is_positive
        sent = good.request.content.replace(b"ISA*00*~", b"ISA*99*~", 1)
        headers = dict(good.request.headers) | {"message-id": "<z@y>"}
        receipt = them.read(await them.post(headers, sent))
        assert receipt.reason == "integrity-check-failed"
        assert len(bodies(us)) == 1


async def test_a_stranger_is_told_so_unsigned(us: House, them: Partner) -> None:
    stranger = replace(them, agreement=agreement("NOBODY", "US"))
    answer = await stranger.send()
    assert stranger.read(answer, signed=False).reason == "unknown-trading-partner"
    assert bodies(us) == []


async def test_our_own_name_is_no_senders(them: Partner) -> None:
    mirror = replace(them, agreement=agreement("US", "US"))
    receipt = mirror.read(await mirror.send(), signed=False)
    assert (receipt.kind, receipt.reason) == ("failed", "sender-equals-receiver")


async def test_a_call_without_its_headers_is_refused(us: House, them: Partner) -> None:
    for missing in ("Message-ID", "AS2-From", "AS2-To"):
        answer = await them.send(headers={missing: ""})
        assert (missing, answer.status_code) == (missing, 400)
        assert answer.json()["error"]["code"] == "as2_header_invalid"
    assert bodies(us) == []


async def test_without_a_wish_for_a_receipt_none_is_given(us: House, them: Partner) -> None:
    answer = await them.send(headers={"Disposition-Notification-To": ""})
    assert (answer.status_code, answer.content) == (200, b"")
    assert len(bodies(us)) == 1


async def test_a_body_above_the_cap_is_not_read(engine: AsyncEngine) -> None:
    async with house(engine, max_bytes=2_000) as us:
        answer = await Partner(us.url).send(b"x" * 3_000)
        assert answer.status_code == 413


async def test_what_a_small_body_unpacks_to_is_taken_from_the_budget_before_anybody_is_believed(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(as2, "_BUDGET_BYTES", 0)
    async with house(engine, max_bytes=50_000) as us:
        them, done = Partner(us.url), asyncio.Event()
        headers = {**as2_headers(them.agreement, "z@them", NOW), "Content-Encoding": "gzip"}
        bomb = gzip.compress(bytes(49_000))

        async def never_whole() -> AsyncIterator[bytes]:
            yield bomb
            await done.wait()

        async with httpx.AsyncClient(trust_env=False) as client:
            calls = [
                asyncio.create_task(client.post(us.url, headers=headers, content=never_whole()))
                for _ in range(2)
            ]
            await wait_for(lambda: us.intake.budget.used > 98_000)
            full = await client.post(us.url, headers=headers, content=bomb)
            done.set()
            await asyncio.gather(*calls)
        assert (full.status_code, full.json()["error"]["code"]) == (503, "bodies_full")
        assert us.intake.budget.used == 0


async def test_what_a_message_is_decompressed_to_is_taken_from_the_budget(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also within an encrypted one: anybody can encrypt for us."""
    monkeypatch.setattr(as2, "_BUDGET_BYTES", 0)
    async with house(engine, max_bytes=50_000) as us:
        with us.intake.budget.share() as others:
            others.take(60_000)
            full = await Partner(us.url).send(bytes(45_000), compress=True)
        assert (full.status_code, full.json()["error"]["code"]) == (503, "bodies_full")
        whole = await Partner(us.url).send(bytes(45_000), compress=True)
        assert Partner(us.url).read(whole).is_positive
        assert us.intake.budget.used == 0


async def test_an_asynchronous_receipt_is_owed_until_it_is_taken(
    us: House, them: Partner, catcher: Catcher
) -> None:
    catcher.statuses = [503]
    answer = await them.send(headers={"Receipt-Delivery-Option": f"{catcher.url}/mdn"})
    assert (answer.status_code, answer.content) == (200, b"")
    await us.receipts.send_due()
    async with us.engine.begin() as ledger:
        await ledger.execute(sa.update(exchange).values(next_at=sa.func.now()))
    await us.receipts.send_due()
    await us.receipts.send_due()  # nothing is owed any more
    first, taken = catcher.caught
    assert first.body == taken.body
    receipt = read_receipt(taken.headers, taken.body, them.agreement, (True, NOW))
    assert (receipt.is_positive, receipt.message_id) == (True, "m-1@them.example")


async def test_slow_addresses_of_one_partner_hold_up_no_receipt_of_another(
    us: House, them: Partner, catcher: Catcher
) -> None:
    async def never(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.append(writer)  # and no answer, though the connection stays

    called: list[asyncio.StreamWriter] = []
    slow, stop = await asyncio.start_server(never, "127.0.0.1", 0), asyncio.Event()
    port, long_ago = slow.sockets[0].getsockname()[1], NOW - timedelta(days=1)
    async with us.engine.begin() as ledger:
        for number in range(40):
            owed = exchanges.Key("slow-as2", "in", f"m-{number}")
            await exchanges.begin(ledger, owed, "", "", long_ago)
            await exchanges.answer(ledger, owed, exchanges.Answer({}, b"mdn"), long_ago)
            await exchanges.owe(ledger, owed, f"http://127.0.0.1:{port}/", long_ago)
    await them.send(headers={"Receipt-Delivery-Option": f"{catcher.url}/mdn"})
    async with slow:
        sending = asyncio.create_task(us.receipts.run(stop))
        await wait_for(lambda: called)
        await wait_for(lambda: catcher.caught)
        stop.set()
        await sending
        assert len(called) < 40
        for writer in called:
            writer.close()


async def test_a_repeat_owes_its_asynchronous_receipt_again(
    us: House, them: Partner, catcher: Catcher
) -> None:
    for _ in range(2):
        await them.send(headers={"Receipt-Delivery-Option": f"{catcher.url}/mdn"})
        await us.receipts.send_due()
    assert len({caught.body for caught in catcher.caught}) == 1
    assert (len(catcher.caught), len(bodies(us))) == (2, 1)


ADDRESSES = [
    "http://169.254.169.254/latest/meta-data",
    "http://localhost:5432/",
    "http://127.0.0.1/",
    "http://[::1]/",
    "http://[::ffff:10.0.0.1]/",
    "http://2130706433/",
    "https://intranet.internal/",
    "file:///etc/passwd",
    "http://user@93.184.216.34/",
    "gopher://93.184.216.34/",
]


async def test_a_receipt_is_never_sent_to_a_private_address(engine: AsyncEngine) -> None:
    async with house(engine, allow_private=False) as us:
        for url in ADDRESSES:
            answer = await Partner(us.url).send(headers={"Receipt-Delivery-Option": url})
            code = answer.json()["error"]["code"]
            assert (url, answer.status_code) == (url, 403)
            assert code in {"address_private", "address_invalid"}, url
        assert bodies(us) == []


async def test_what_proved_nothing_gets_its_receipt_at_an_agreed_host_only(
    them: Partner, catcher: Catcher, engine: AsyncEngine
) -> None:
    wish = {"Receipt-Delivery-Option": f"{catcher.url}/mdn"}
    forged = replace(them, agreement=replace(them.agreement, our_keys=(key("stranger"),)))
    answer = await forged.send(headers=wish)
    assert answer.json()["error"]["code"] == "receipt_host_unknown"
    async with house(engine, receipt_hosts=("127.0.0.1",)) as other:
        assert (await replace(forged, url=other.url).send(headers=wish)).status_code == 200
        await wait_for(lambda: catcher.caught)
    (caught,) = catcher.caught
    receipt = read_receipt(caught.headers, caught.body, them.agreement, (True, NOW))
    assert receipt.reason == "decryption-failed"


async def test_a_receipt_for_nothing_that_we_sent_is_refused(them: Partner) -> None:
    headers = {"as2-from": "US", "as2-to": "THEM", "message-id": "<never@sent>"}
    asked = headers | {"disposition-notification-to": "x"}
    written = write_receipt(read_envelope(asked), Outcome(), them.agreement, NOW)
    unsigned = await them.post(dict(written.headers), written.body)
    assert unsigned.json()["error"]["code"] == "mdn_unsigned"
    asked["disposition-notification-options"] = "signed-receipt-protocol=optional, pkcs7-signature"
    written = write_receipt(read_envelope(asked), Outcome(), them.agreement, NOW)
    signed = await them.post(dict(written.headers), written.body)
    assert signed.json()["error"]["code"] == "mdn_message_unknown"


def test_names_are_as_the_standard_has_them() -> None:
    with pytest.raises(ValueError, match="our_id"):
        transport(our_id="caf\xe9")
