"""A house that speaks AS2, on a real port: a hub's own intake and client, and partners' calls."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from connectors.base import Outbound
from connectors.transports.as2.keys import OwnKey
from connectors.transports.as2.message import Agreement, Wrapping, as2_headers, write_message
from connectors.transports.as2.receipts import Receipt, read_receipt
from hub.agreements import As2Partner
from hub.api.app import http_app
from hub.api.server import serving
from hub.clock import SystemClock
from hub.delivery.as2_client import As2Client, As2Parts
from hub.intake.as2 import As2Intake
from hub.intake.as2_receipts import Receipts
from hub.settings.model import Http
from hub.settings.transports import As2Transport
from tests.support.as2_keys import key
from tests.support.doors import Shelf, door
from tests.support.reach import ANYWHERE

ASKS = {
    "Disposition-Notification-To": "edi@them.example",
    "Disposition-Notification-Options": (
        "signed-receipt-protocol=optional, pkcs7-signature; signed-receipt-micalg=optional, sha-256"
    ),
}


def transport(**options: Any) -> As2Transport:
    """Options of a connection with keys that no test reads from here."""
    base = {"our_id": "US", "partner_id": "THEM", "our_keys": ("env:X",)}
    return As2Transport.model_validate(
        {**base, "kind": "as2", "partner_certificates": ("x.pem",), **options}
    )


def agreement(us: str, them: str, **changes: Any) -> Agreement:
    """What two houses of these names agreed."""
    own: tuple[OwnKey, ...] = (key(us),)
    base = {"us": us, "partner": them, "our_keys": own}
    return Agreement(**{**base, "certificates": (key(them).certificate,), **changes})


@dataclass
class House:
    """Us: what we have taken in, and where partners call us."""

    shelf: Shelf
    intake: As2Intake
    receipts: Receipts
    engine: AsyncEngine
    url: str = ""
    agreement: Agreement = field(default_factory=lambda: agreement("US", "THEM"))

    def client(self, url: str, timeout: float = 10.0, **options: Any) -> As2Client:
        """A client that sends to `url`."""
        reach = options.pop("reach", ANYWHERE)
        partner = As2Partner("them-as2", transport(url=url, **options), self.agreement)
        cipher = None if options.get("encrypt") == "none" else "aes256"
        wrapping = Wrapping(cipher=cipher, content_type="application/edi-x12")  # type: ignore[arg-type]  # one of both
        return As2Client(partner, wrapping, As2Parts(self.engine, SystemClock(), timeout, reach))


@asynccontextmanager
async def house(
    engine: AsyncEngine, *, allow_private: bool = True, **options: Any
) -> AsyncIterator[House]:
    """Open a house; `them-as2` is its one connection."""
    shelf = Shelf()
    entrance = door(shelf, engine)
    receipts = Receipts(entrance, allow_private=allow_private)
    agreed = options.pop("agreement", agreement("US", "THEM"))
    partner = As2Partner("them-as2", transport(**options), agreed)
    intake = As2Intake(entrance, [partner], receipts)
    made = House(shelf, intake, receipts, engine, agreement=agreed)
    async with AsyncExitStack() as stack:
        app = http_app([intake.routes()])
        port = await stack.enter_async_context(serving(app, Http(port=0)))
        made.url = f"http://127.0.0.1:{port}/as2"
        yield made


@dataclass
class Partner:
    """Them: sends messages by hand, and reads the receipts."""

    url: str
    agreement: Agreement = field(default_factory=lambda: agreement("THEM", "US"))

    async def send(
        self,
        payload: bytes = b"ISA*00*~",
        message_id: str = "m-1@them.example",
        headers: dict[str, str] | None = None,
        **wrapping: Any,
    ) -> httpx.Response:
        """Send a message; headers are added to those that it needs."""
        now = datetime.now(UTC)
        made = write_message(payload, "order.x12", Wrapping(**wrapping), self.agreement, now)
        sent = {**as2_headers(self.agreement, message_id, now), **made.headers, **ASKS}
        return await self.post({**sent, **(headers or {})}, made.body)

    async def post(self, headers: dict[str, str], body: bytes) -> httpx.Response:
        """Call the house; headers without a value are left out."""
        given = {name: value for name, value in headers.items() if value}
        async with httpx.AsyncClient(trust_env=False) as client:
            return await client.post(self.url, headers=given, content=body)

    def read(self, answer: httpx.Response, *, signed: bool = True) -> Receipt:
        """Read the receipt in an answer."""
        return read_receipt(
            dict(answer.headers), answer.content, self.agreement, (signed, datetime.now(UTC))
        )


def outbound(body: bytes = b"ISA*997*~", name: str = "d-1") -> Outbound:
    """A delivery."""
    return Outbound(name, "send", f"XD{name}", {}, body, f"997-{name}.x12")
