"""A connector of its own small system, "paper": receipts are JSON, one member for each document.

It stands in where a test is about what happens around a codec: each document says which flow it
is, and may ask for the misbehaviour that the test is about.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from canonical import DOCUMENTS
from canonical.errors import Rejected
from connectors.base import (
    Answer,
    Capabilities,
    Client,
    Codec,
    ConnectorConfig,
    Decoded,
    Json,
    Numbers,
    Poller,
    Receipt,
    Refusal,
    SourceDocument,
    Webhook,
)
from connectors.reach import Reach
from hub.mapping.files import MappingFile
from hub.workers.spec import ConnectionSpec, WorkerSpec

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


class PaperConfig(ConnectorConfig):
    """Options of a paper connection."""

    stamp: str = ""


class PaperCodec:
    """Reads ``{"documents": [{"flow": ..., "body": {...}}], "answers": [...]}``."""

    def __init__(self, config: PaperConfig) -> None:
        self._config = config

    def decode(self, receipt: Receipt) -> Decoded:
        """Read a receipt; ``{"misbehave": ...}`` does what it says."""
        try:
            data = json.loads(receipt.body)
        except ValueError:
            error = Rejected("json_invalid", "byte 0", "expected JSON")
            return Decoded((Refusal(0, "byte 0", error, receipt.flow),))
        misbehave(data.get("misbehave", ""))
        documents = tuple(self._document(i, each) for i, each in enumerate(data["documents"]))
        answers = tuple(Answer(each["flow"], each["body"]) for each in data.get("answers", ()))
        return Decoded(documents, answers)

    def _document(self, position: int, each: Json) -> SourceDocument | Refusal:
        where = f"sheet {position}"
        if "refuse" in each:
            error = Rejected(each["refuse"], where, "refused")
            return Refusal(position, where, error, each["flow"], answered=True)
        body = each["body"]
        for _ in range(each.get("nest", 0)):
            body = {"in": body}
        return SourceDocument(each["flow"], position, where, body, {"sheet": str(position)})

    def encode(self, flow: str, body: Json, numbers: Numbers) -> bytes:
        """Write a body as JSON behind its flow and number."""
        if body.get("refuse"):
            raise Rejected("body_refused", "refuse", "expected nothing to refuse")
        misbehave(body.get("misbehave", ""))
        return f"{flow} {numbers.interchange} {json.dumps(body)}".encode()


def misbehave(how: str) -> None:
    """What no codec may do, and some day one does."""
    if how:
        _MISDEEDS[how]()


def _loop() -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        pass


def _raise() -> None:
    raise KeyError("a secret value")


def _exit() -> None:
    raise SystemExit(3)


_KEPT: list[bytearray] = []
_MISDEEDS: dict[str, Callable[[], object]] = {
    "loop": _loop,
    "sleep": lambda: time.sleep(60),
    "die": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    "raise": _raise,
    "exit": _exit,
    "memory": lambda: bytearray(4_000_000_000),
    "leak": lambda: _KEPT.append(bytearray(80_000_000)),
}


class PaperConnector:
    """The connector; never called, always read."""

    name = "paper"
    config: type[ConnectorConfig] = PaperConfig
    capabilities = Capabilities(
        inbound=("order", "slow"), outbound=("note",), acknowledgements=("receipt",)
    )

    def codec(self, config: ConnectorConfig) -> Codec:
        """The codec."""
        assert isinstance(config, PaperConfig)
        return PaperCodec(config)

    def client(self, config: ConnectorConfig, reach: Reach) -> Client | None:  # noqa: ARG002
        """None: nobody calls paper."""
        return None

    def poller(self, config: ConnectorConfig, reach: Reach) -> Poller | None:  # noqa: ARG002
        """None: paper is not asked."""
        return None

    def webhook(self, config: ConnectorConfig) -> Webhook | None:  # noqa: ARG002
        """None: paper does not call."""
        return None


def paper_mapping(name: str, text: str) -> MappingFile:
    """A mapping of paper as if it stood in ``mappings/paper/<name>.jsonata``."""
    left, _, right = name.partition(".")
    inbound = right in DOCUMENTS
    version = hashlib.sha256(text.encode()).hexdigest()[:12]
    return MappingFile(
        system="paper",
        direction="in" if inbound else "out",
        flow=left if inbound else right,
        entity=right if inbound else left,
        path=Path("mappings/paper") / f"{name}.jsonata",
        name=f"mappings/paper/{name}.jsonata",
        text=text,
        version=version,
    )


ORDER = """{
  "po_number": po,
  "buyer": {"customer_number": $partner.customer_number, "name": buyer},
  "currency": $partner.currency,
  "ordered_on": $parse_date(on, "CCYYMMDD"),
  "lines": [lines.{
    "number": n,
    "item": {"seller_sku": sku},
    "quantity": {"value": $dec(qty), "unit": $code("x12_355_to_rec20", uom)},
    "unit_price": {"amount": $dec(price), "currency": $partner.currency}
  }],
  "references": [$control.sheet ? {"kind": "sheet", "value": $control.sheet}]
}"""
"""A mapping of the flow ``order`` to an Order."""


def paper_order(po: str = "4711", lines: int = 2, **changes: str) -> Json:
    """A document of the flow ``order``; `changes` go into its first line."""
    line = {"n": "1", "sku": "1896-S", "qty": "5", "uom": "EA", "price": "10.50"}
    rest = [line | {"n": str(number)} for number in range(2, lines + 1)]
    body = {"po": po, "buyer": "Acme", "on": "20260302", "lines": [line | changes, *rest]}
    return {"flow": "order", "body": body}


def paper_spec(**mappings: str) -> WorkerSpec:
    """One connection, ``desk``, with the mapping `ORDER` and these: flow -> text, to an Order."""
    files = [paper_mapping("order.order", ORDER)]
    files += [paper_mapping(f"{flow}.order", text) for flow, text in mappings.items()]
    files.append(paper_mapping("order.note", '{"title": po_number, "ref": $control.reference}'))
    partner = {"key": "acme", "customer_number": "C10010", "currency": "USD"}
    desk = ConnectionSpec("paper", {"stamp": "x"}, partner, {"colour": "blue"})
    return WorkerSpec({"paper": PaperConnector()}, tuple(files), {"desk": desk})


def paper_receipt(*documents: Json, identifier: str = "r1", **rest: object) -> Receipt:
    """A receipt of these documents."""
    body = json.dumps({"documents": documents, **rest}).encode()
    return Receipt(identifier, "desk", f"d-{identifier}", NOW, body)


def paper_numbers() -> Numbers:
    """Control numbers."""
    return Numbers(7, 7, NOW)
