"""Sending by AS2 to a real address: only a genuine receipt for the very bytes settles a delivery."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncEngine

from canonical.errors import HubError, InDoubt, Rejected, Retryable
from connectors.base import Capabilities, Outbound, Settled
from connectors.reach import Reach
from connectors.transports.as2.message import mic_of, read_message
from connectors.transports.as2.names import read_envelope
from connectors.transports.as2.receipts import Outcome, outcome_of, write_receipt
from hub.api.app import http_app
from hub.api.server import serving
from hub.delivery.as2_client import As2Client
from hub.delivery.role import DeliverRole
from hub.ledger.tables import attempt, exchange
from hub.settings.model import Http
from tests.support.as2_house import House, Partner, agreement, house, outbound
from tests.support.as2_keys import key
from tests.support.deliveries import (
    LIMITS,
    QUICK,
    TIMING,
    Books,
    ScriptedTarget,
    Told,
    parts,
    running,
    spec,
    until,
    until_all,
)
from tests.support.ports import free_port
from tests.support.reach import resolving
from tests.support.waiting import wait_for

THEIRS = agreement("THEM", "US")
Answering = Callable[[Request, bytes], Response]


@pytest.fixture
async def us(engine: AsyncEngine) -> AsyncIterator[House]:
    async with house(engine) as opened:
        yield opened


@asynccontextmanager
async def them(answering: Answering) -> AsyncIterator[str]:
    """A partner that answers as a test wants; its address."""

    async def receive(request: Request) -> Response:
        return answering(request, await request.body())

    router = APIRouter()
    router.add_api_route("/", receive, methods=["POST"])
    async with serving(http_app([router]), Http(port=0)) as port:
        yield f"http://127.0.0.1:{port}/"


def receipt_of(request: Request, outcome: Outcome, signer: str = "THEM") -> Response:
    """The partner's receipt for a request."""
    envelope = read_envelope({n.lower(): v for n, v in request.headers.items()})
    theirs = replace(THEIRS, our_keys=(key(signer),))
    written = write_receipt(envelope, outcome, theirs, datetime.now(UTC))
    return Response(written.body, headers=dict(written.headers))


async def error_of(us: House, answering: Answering) -> HubError:
    """What a delivery to such a partner ends with."""
    async with them(answering) as url:
        client = us.client(url)
        try:
            with pytest.raises(HubError) as caught:
                await client.deliver(outbound())
        finally:
            await client.close()
    return caught.value


async def test_a_delivery_is_settled_by_a_signed_receipt_for_the_very_bytes(
    us: House, engine: AsyncEngine
) -> None:
    async with house(engine, our_id="THEM", partner_id="US", agreement=THEIRS) as partner:
        client = us.client(partner.url)
        settled = await client.deliver(outbound(b"ISA*997*~"))
        again = await client.deliver(outbound(b"ISA*997*~"))
        await client.close()
    assert settled.facts["receipt"] == "signed"
    assert settled.external_id.endswith("@crossdock")
    assert again.external_id == settled.external_id
    (stored,) = partner.shelf.receipts
    assert (stored.body, stored.content_type) == (b"ISA*997*~", "application/edi-x12")


async def test_two_deliveries_are_two_messages(us: House, engine: AsyncEngine) -> None:
    theirs = replace(THEIRS, require_encrypted=False)
    async with house(engine, our_id="THEM", partner_id="US", agreement=theirs) as partner:
        client = us.client(partner.url, encrypt="none")
        for name in ("d-1", "d-2"):
            await client.deliver(outbound(name=name))
        await client.close()
    assert len({receipt.delivery_id for receipt in partner.shelf.receipts}) == 2


async def test_a_refusal_of_the_partner_is_final_and_says_why(us: House) -> None:
    error = await error_of(
        us,
        lambda request, _: receipt_of(request, Outcome(refusal=Rejected("as2_decryption_failed"))),
    )
    assert isinstance(error, Rejected)
    assert error.code == "mdn_refused_decryption_failed"


async def test_the_partners_own_failure_is_tried_again(us: House) -> None:
    refusal = Outcome(refusal=Rejected("as2_processing_error"))
    error = await error_of(us, lambda request, _: receipt_of(request, refusal))
    assert isinstance(error, Retryable)
    assert error.code == "mdn_processing_error"


async def test_a_receipt_for_other_bytes_settles_nothing(us: House) -> None:
    other = Outcome(mic=mic_of(b"other bytes", "sha256"))
    error = await error_of(us, lambda request, _: receipt_of(request, other))
    assert isinstance(error, Rejected)
    assert error.code == "mdn_mic_mismatch"


async def test_a_receipt_of_a_stranger_proves_nothing(us: House) -> None:
    error = await error_of(us, lambda request, _: receipt_of(request, Outcome(), "stranger"))
    assert isinstance(error, InDoubt)
    assert error.code == "mdn_not_authentic"


def always(answer: Response) -> Answering:
    return lambda _request, _body: answer


ANSWERS: list[tuple[Response, type[HubError], str]] = [
    (Response(b"", 200), InDoubt, "mdn_missing"),
    (Response(b"OK", 200, media_type="text/plain"), InDoubt, "mdn_unreadable"),
    (Response(b"x" * 1_100_000, 200), InDoubt, "mdn_unreadable"),
    (Response(b"", 401), Retryable, "unauthorised"),
    (Response(b"", 404), Retryable, "address_wrong"),
    (Response(b"", 302, headers={"Location": "http://127.0.0.1/"}), Retryable, "address_wrong"),
    (Response(b"", 400), Rejected, "request_refused"),
    (Response(b"", 500), Retryable, "target_unavailable"),
]


async def test_an_answer_that_is_no_receipt_has_its_meaning(us: House) -> None:
    for answer, kind, code in ANSWERS:
        error = await error_of(us, always(answer))
        assert (type(error), error.code) == (kind, code)


async def test_an_overloaded_partner_is_given_the_time_it_asks_for(us: House) -> None:
    error = await error_of(us, lambda _r, _b: Response(b"", 429, headers={"Retry-After": "7"}))
    assert isinstance(error, Retryable)
    assert (error.throttled, error.retry_after) == (True, 7.0)


async def test_nobody_there_means_that_nothing_left_us(us: House) -> None:
    client = us.client(f"http://127.0.0.1:{free_port()}/")
    with pytest.raises(Retryable, match="connection_failed"):
        await client.deliver(outbound())
    await client.close()


class Heard:
    """A client of which is known how often it has knocked in vain."""

    def __init__(self, client: As2Client) -> None:
        self.deliver, self.look_up, self.close = client.deliver, client.look_up, client.close
        self._knock = client.knock
        self.unanswered = 0

    async def knock(self) -> bool:
        """Knock."""
        try:
            return await self._knock()
        except Retryable:
            self.unanswered += 1
            raise


async def test_a_partner_that_was_not_there_gets_what_waits_as_soon_as_it_is(us: House) -> None:
    """Its breaker's question is an OPTIONS: nothing is sent to find out."""
    port, books, asked = free_port(), Books(us.engine), list[str]()
    client = Heard(us.client(f"http://127.0.0.1:{port}/", receipt="none"))
    patient = replace(QUICK, delays_seconds=(3600,) * 5)
    eager = parts(us.engine, policy=patient, timing=replace(TIMING, knock=0.05))
    can = Capabilities(idempotent=True)
    one = await books.order("1")

    async def receive(request: Request) -> Response:
        asked.append(request.method)
        return Response(b"", 200 if request.method == "POST" else 405)

    router = APIRouter()
    router.add_api_route("/", receive, methods=["POST", "OPTIONS"])
    async with running(DeliverRole(spec(client, capabilities=can), eager)):
        await wait_for(lambda: client.unanswered)
        async with serving(http_app([router]), Http(port=port)):
            await until(books, one, "delivered")
    await client.close()
    assert asked[-1] == "POST"
    assert asked.count("POST") == 1


async def test_only_an_answer_after_silence_says_that_a_partner_is_back(us: House) -> None:
    said = deque([500, 204, 503, 204, 500, 204])

    async def receive() -> Response:
        return Response(b"", said.popleft())

    router = APIRouter()
    router.add_api_route("/", receive, methods=["POST", "OPTIONS"])
    async with serving(http_app([router]), Http(port=0)) as port:
        client = us.client(f"http://127.0.0.1:{port}/", receipt="none")
        with pytest.raises(Retryable, match="target_unavailable"):
            await client.deliver(outbound())
        assert await client.knock() is False  # it was there when it failed
        with pytest.raises(Retryable, match="target_unavailable"):
            await client.knock()
        assert await client.knock() is True
        with pytest.raises(Retryable, match="target_unavailable"):
            await client.deliver(outbound())
        assert await client.knock() is False
    with pytest.raises(Retryable, match="connection_failed"):
        await client.knock()
    await client.close()


async def test_a_partner_whose_name_leads_inside_gets_nothing(
    us: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with them(always(Response(b"", 200))) as url:
        port = url.rstrip("/").rpartition(":")[2]
        client = us.client(f"http://as2.them.example:{port}/", receipt="none", reach=Reach())
        with monkeypatch.context() as patched:
            resolving(patched, ["127.0.0.1"])
            with pytest.raises(Retryable, match="address_private"):
                await client.deliver(outbound())
            with pytest.raises(Retryable, match="address_private"):
                await client.knock()
        await client.close()


async def test_without_receipts_a_yes_of_the_server_is_enough(us: House) -> None:
    async with them(lambda _request, _body: Response(b"", 202)) as url:
        client = us.client(url, receipt="none")
        settled = await client.deliver(outbound())
        await client.close()
    assert settled.facts == {"message_id": settled.external_id}


async def test_an_asynchronous_receipt_settles_the_delivery_when_it_comes(
    us: House, engine: AsyncEngine
) -> None:
    async with house(engine, our_id="THEM", partner_id="US", agreement=THEIRS) as partner:
        client = us.client(partner.url, receipt="async", receipt_url=us.url)
        delivering = asyncio.create_task(client.deliver(outbound()))
        while not delivering.done():  # ends by the client's own patience at the latest
            await partner.receipts.send_due()
            await asyncio.sleep(0.02)
        assert delivering.result().facts["receipt"] == "signed"
        found = await client.look_up(outbound())
        await client.close()
    assert found is not None
    assert len(partner.shelf.receipts) == 1


async def test_a_receipt_that_has_not_come_leaves_the_delivery_in_doubt_until_its_time_is_up(
    us: House, engine: AsyncEngine
) -> None:
    async with them(lambda _request, _body: Response(b"", 200)) as url:
        client = us.client(url, timeout=0.5, receipt="async", receipt_url=us.url, receipt_hours=2)
        assert await client.look_up(outbound()) is None  # certainly never sent
        for step in (client.deliver, client.look_up):
            with pytest.raises(InDoubt, match="mdn_awaited"):
                await step(outbound())
        long_ago = datetime.now(UTC) - timedelta(hours=3)
        async with engine.begin() as ledger:
            await ledger.execute(sa.update(exchange).values(created_at=long_ago))
        assert await client.look_up(outbound()) is None
        await client.close()


async def test_an_asynchronous_refusal_is_final(us: House) -> None:
    async with them(lambda _request, _body: Response(b"", 200)) as url:
        client = us.client(url, timeout=0.5, receipt="async", receipt_url=us.url)
        with pytest.raises(InDoubt, match="mdn_awaited"):
            await client.deliver(outbound())
        async with us.engine.connect() as ledger:
            name = await ledger.scalar(sa.select(exchange.c.name))
        wish = "signed-receipt-protocol=optional, pkcs7-signature"
        asked = {
            "as2-from": "US",
            "as2-to": "THEM",
            "message-id": f"<{name}>",
            "disposition-notification-to": "x",
            "disposition-notification-options": wish,
        }
        refusal = Outcome(refusal=Rejected("as2_authentication_failed"))
        written = write_receipt(read_envelope(asked), refusal, THEIRS, datetime.now(UTC))
        answer = await Partner(us.url).post(dict(written.headers), written.body)
        assert answer.status_code == 200
        with pytest.raises(Rejected, match="mdn_refused_authentication_failed"):
            await client.look_up(outbound())
        await client.close()


REFUSAL = Outcome(refusal=Rejected("as2_authentication_failed"))


class Refusing:
    """A partner that refuses the first message that it gets, and takes every other."""

    def __init__(self, us: House) -> None:
        self._us, self.ids, self.waits = us, list[str](), list[asyncio.Task[object]]()

    def __call__(self, request: Request, body: bytes) -> Response:
        """Answer in the answer, or on a connection of its own where that is asked for."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.ids.append(headers["message-id"])
        taken = read_message(headers, body, THEIRS, datetime.now(UTC))
        yes = outcome_of(read_envelope(headers), taken.covered, taken.digest)
        answer = receipt_of(request, REFUSAL if self.ids[-1] == self.ids[0] else yes)
        if "receipt-delivery-option" not in headers:
            return answer
        sent = {name: value for name, value in answer.headers.items() if name != "content-length"}
        later = Partner(self._us.url).post(sent, bytes(answer.body))
        self.waits.append(asyncio.create_task(later))
        return Response(b"", 200)


async def given_up(engine: AsyncEngine, delivery_id: str, n: int = 1) -> None:
    """A delivery's try ended as a dead letter."""
    row = {"delivery_id": delivery_id, "n": n, "outcome": "dead", "started_at": datetime.now(UTC)}
    async with engine.begin() as ledger:
        await ledger.execute(sa.insert(attempt).values(**row))


@pytest.mark.parametrize("receipt", ["sync", "async"])
async def test_a_replay_of_what_was_refused_is_a_new_message_and_a_retry_is_not(
    us: House, receipt: str
) -> None:
    partner = Refusing(us)
    async with them(partner) as url:
        client = us.client(url, receipt=receipt, receipt_url=us.url)
        for _ in range(2):  # a retry: the process died before it had written the refusal down
            with pytest.raises(Rejected, match="mdn_refused_authentication_failed"):
                await client.deliver(outbound())
        assert len(partner.ids) == 1
        await given_up(us.engine, outbound().id)
        assert await client.look_up(outbound()) is None  # the replay itself was never sent
        settled = await client.deliver(outbound(b"ISA*edited*~"))
        again = await client.deliver(outbound(b"ISA*edited*~"))
        await client.close()
        await asyncio.gather(*partner.waits)
    assert len(set(partner.ids)) == len(partner.ids) == 2
    assert settled.external_id == again.external_id != partner.ids[0]


async def test_a_replay_of_what_was_given_up_without_an_answer_is_the_same_message(
    us: House, engine: AsyncEngine
) -> None:
    """The partner may have it, and knows a second one by its Message-ID."""
    ids: list[str] = []

    def silent(request: Request, _body: bytes) -> Response:
        ids.append(request.headers["message-id"])
        return Response(b"", 503)

    async with them(silent) as url:
        client = us.client(url)
        for n in (1, 2):
            with pytest.raises(Retryable, match="target_unavailable"):
                await client.deliver(outbound())
            await given_up(engine, outbound().id, n)
        await client.close()
    assert len(ids) == 2
    assert len(set(ids)) == 1


async def test_a_delivery_that_was_refused_later_is_delivered_by_its_replay(us: House) -> None:
    """By the deliver role: the refusal comes while it is in doubt."""
    books, partner = Books(us.engine), Refusing(us)
    one = await books.order("1")
    async with them(partner) as url:
        client = us.client(url, receipt="async", receipt_url=us.url)
        can = Capabilities(can_look_up=True, looks_up_itself=True)
        role = DeliverRole(spec(client, capabilities=can), parts(us.engine))
        async with running(role):
            await until(books, one, "dead")
            again = {"state": "pending", "next_at": datetime.now(UTC), "settled_at": None}
            await books.change(one, **again)
            await until(books, one, "delivered")
        await client.close()
        await asyncio.gather(*partner.waits)
    assert len(partner.ids) == 2


async def test_receipts_that_take_their_time_do_not_open_the_breaker(engine: AsyncEngine) -> None:
    """Deliveries that wait for receipts are in doubt, and their target is in good health."""

    def waits(_target: ScriptedTarget, _outbound: Outbound) -> Settled:
        raise InDoubt("mdn_awaited", "", "the receipt has not come yet")

    books, told, target = Books(engine), Told(), ScriptedTarget(script=deque([waits] * 8))
    limits = LIMITS.model_copy(update={"breaker_failures": 2})
    role = DeliverRole(spec(target, limits=limits), parts(engine, observer=told))
    for number in range(8):
        await books.order(f"PO-{number}")
    target.questions.extend(InDoubt("mdn_awaited") for _ in range(8))
    async with running(role):
        await until_all(books, delivered=8)
    assert told.named("breaker") == []
