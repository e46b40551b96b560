"""Partners: they send documents, come again until they hear yes, and write down what they heard.

Every document names itself: an order by its purchase order number, its version by the quantity of
its only line (`QUANTITY` for the original, one more for each change). So the checker can tell from
a target's own journal which version took effect, without asking the hub.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import httpx

from sandbox.purchase_order import Address, LineChange, PurchaseChange, PurchaseLine, PurchaseOrder
from sandbox.shopify import SHOP_DOMAIN
from sandbox.x12 import Envelope, Segment, write
from tests.faults.journal import Journal
from tests.support.hub_world import SHOP_SECRET

QUANTITY = 10
"""Of an original; version n has one less than n more."""
SKU, PRICE = "1928-S", "54.90"
CANARY = "Quentin Canarybird"
"""A person who may stand in documents, in the ledger and at targets, and nowhere else."""
_DAY = date(2026, 11, 20)
_LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Doc:
    """One version of one order."""

    number: str
    version: int = 1


@dataclass(slots=True)
class FilePartner:
    """Drops X12 files into the hub's inbox; a file that was moved to ``done/`` is acknowledged.

    Args:
        name: the hub's connection.
        isa_id: who it says it is.
        inbox: the hub's folder for it.
        journal: what it sent and heard.
        batches: what goes into each file, in order, without end.
        ahead: most files that wait for their yes. With 1, later versions of an order are never
            handed over before the earlier ones were accepted.

    """

    name: str
    isa_id: str
    inbox: Path
    journal: Journal
    batches: Iterator[Sequence[Doc]]
    random: random.Random
    every: float
    """Seconds between two files, at least."""
    ahead: int = 1
    again: float = 0.06
    """How often an acknowledged file is sent once more, byte for byte."""
    accepted: int = 0
    sent: int = 0
    """Documents, each counted once however often it is sent."""
    waiting: dict[str, tuple[bytes, int]] = field(default_factory=dict)
    _number: int = 0

    def run(self, stop: threading.Event, go: threading.Event) -> None:
        """Send while it is `go`, until stopped; returns when everything sent was acknowledged."""
        due = time.monotonic()
        while self.waiting or not stop.is_set():
            self._hear()
            if stop.is_set() or not go.is_set():
                time.sleep(_LOOK_SECONDS)
                continue
            if len(self.waiting) < self.ahead and time.monotonic() >= due:
                self._send(next(self.batches))
                due = max(due + self.every, time.monotonic() - self.every)
            time.sleep(_LOOK_SECONDS)

    def _send(self, docs: Sequence[Doc]) -> None:
        self._number += 1
        name = f"{self.name}-{self._number:06d}.x12"
        self._hand_over(name, interchange(self.isa_id, self._number, docs), docs, again="")

    def _hand_over(self, name: str, body: bytes, docs: Sequence[Doc], again: str) -> None:
        self.journal.append(
            said="sent",
            partner=self.name,
            transfer=name,
            again=again,
            docs=[[doc.number, doc.version] for doc in docs],
        )
        self.waiting[name] = (body, 0 if again else len(docs))
        self.sent += 0 if again else len(docs)
        leave(self.inbox, name, body)

    def _hear(self) -> None:
        for name, (body, count) in list(self.waiting.items()):
            if not self._is_done(name):
                continue
            self.journal.append(said="accepted", partner=self.name, transfer=name)
            del self.waiting[name]
            self.accepted += 1
            if count and self.random.random() < self.again:
                docs = docs_of(body)
                self._hand_over(f"again-{name}", body, docs, again=name)

    def _is_done(self, name: str) -> bool:
        """Whether it was moved: of two hubs that move it at once, one may give it a marked name."""
        done, stem = self.inbox / "done", name.removesuffix(".x12")
        if (self.inbox / name).exists():
            return False
        return (done / name).exists() or any(done.glob(f"{stem}~*"))


def interchange(isa_id: str, number: int, docs: Sequence[Doc]) -> bytes:
    """One interchange: all its documents are 850s, or all are 860s."""
    original = docs[0].version == 1
    at = datetime(2026, 11, 20, 9, tzinfo=UTC)
    envelope = Envelope(isa_id, "CROSSDOCK", number, at, "PO" if original else "PC")
    code = "850" if original else "860"
    return write(envelope, [(code, _segments(doc)) for doc in docs]).encode()


def _segments(doc: Doc) -> list[Segment]:
    quantity = str(QUANTITY + doc.version - 1)
    if doc.version == 1:
        line = PurchaseLine(sku=SKU, quantity=quantity, price=PRICE)
        ship_to = Address(name=CANARY)
        note = f"lot {doc.number}"  # no two orders say the same: they would be twins
        order = PurchaseOrder(
            number=doc.number,
            lines=(line,),
            ordered_on=_DAY,
            ship_method="UPSN",
            note=note,
            ship_to=ship_to,
        )
        return order.segments()
    more = LineChange(line="1", action="QI", sku=SKU, quantity=quantity, price=PRICE)
    change = PurchaseChange(
        number=doc.number,
        sequence=doc.version - 1,
        lines=(more,),
        ordered_on=_DAY,
        requested_on=_DAY,
    )
    return change.segments()


def docs_of(body: bytes) -> list[Doc]:
    """What an interchange of ours holds, read back from its bytes."""
    found = []
    for segment in body.decode().split("~"):
        parts = segment.strip().split("*")
        if parts[0] == "BEG":
            found.append(Doc(parts[3]))
        elif parts[0] == "BCH":
            found.append(Doc(parts[3], int(parts[5]) + 1))
    return found


def leave(folder: Path, name: str, body: bytes) -> None:
    """Put a file into a folder, whole, as careful partners do: written, synced, renamed."""
    draft = folder / f".{name}.tmp"
    with draft.open("wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / name)


@dataclass(slots=True)
class WebPartner:
    """A shop that calls one hub after the other until somebody says 200."""

    journal: Journal
    urls: Sequence[str]
    numbers: Callable[[], int]
    """Gives the next order's number."""
    random: random.Random
    every: float
    """Seconds between two orders, at least."""
    again: float = 0.06
    accepted: int = 0
    refused: int = 0
    begun: int = 0
    sent: int = 0
    """Documents, each counted once however often it is sent."""
    statuses: dict[int, int] = field(default_factory=dict)
    """How often each status was answered; 0 stands for no answer."""

    @property
    def waiting(self) -> int:
        """How many calls have not heard yes."""
        return self.begun - self.accepted

    def run(self, stop: threading.Event, go: threading.Event) -> None:
        """Send while it is `go`, until stopped; what was begun is repeated until acknowledged."""
        with httpx.Client(timeout=10) as http:
            due = time.monotonic()
            while not stop.wait(max(0.0, due - time.monotonic())):
                if not go.wait(_LOOK_SECONDS):
                    continue
                number = self.numbers()
                self.sent += 1
                self._order(http, number)
                if self.random.random() < self.again:
                    self._order(http, number)
                due = max(due + self.every, time.monotonic() - self.every)

    def _order(self, http: httpx.Client, number: int) -> None:
        name, transfer = f"#W{number}", f"webhook-{number}"
        body = shop_order(number, name)
        self.journal.append(
            said="sent", partner="shop", transfer=transfer, again="", docs=[[name, 1]]
        )
        self.begun += 1
        while True:
            status = self._call(http, body, transfer)
            self.statuses[status] = self.statuses.get(status, 0) + 1
            if status == 200:  # the only yes
                break
            self.refused += 1
            time.sleep(0.25)
        self.journal.append(said="accepted", partner="shop", transfer=transfer)
        self.accepted += 1

    def _call(self, http: httpx.Client, body: bytes, transfer: str) -> int:
        mac = hmac.digest(SHOP_SECRET.encode(), body, hashlib.sha256)
        headers = {
            "content-type": "application/json",
            "x-shopify-topic": "orders/create",
            "x-shopify-shop-domain": SHOP_DOMAIN,
            "x-shopify-webhook-id": transfer,
            "x-shopify-hmac-sha256": base64.b64encode(mac).decode(),
        }
        try:
            url = f"{self.random.choice(self.urls)}/in/shop"
            return http.post(url, content=body, headers=headers).status_code
        except httpx.HTTPError:
            return 0


def shop_order(number: int, name: str) -> bytes:
    """The body of an order webhook; no two say the same."""
    line = {"id": number, "sku": SKU, "name": "Lamp", "quantity": QUANTITY, "price": PRICE}
    return json.dumps(
        {
            "id": number,
            "name": name,
            "created_at": "2026-11-20T11:00:00-08:00",
            "currency": "USD",
            "note": f"lot {number}",
            "line_items": [line],
            "shipping_address": {
                "name": CANARY,
                "address1": f"{number} Harbor Street",
                "city": "Portland",
                "province_code": "OR",
                "zip": "97201",
                "country_code": "US",
            },
        }
    ).encode()
