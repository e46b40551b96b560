"""A connector of its own small system, "paper": receipts are JSON, one member for each document.

It stands in where a test is about what happens around a codec: each document says which flow it
is, and may ask for the misbehaviour that the test is about.
"""

from __future__ import annotations

import json
import os
import signal
import time
from datetime import UTC, datetime

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
        return SourceDocument(each["flow"], position, where, each["body"], {"sheet": str(position)})

    def encode(self, flow: str, body: Json, numbers: Numbers) -> bytes:
        """Write a body as JSON behind its flow and number."""
        if body.get("refuse"):
            raise Rejected("body_refused", "refuse", "expected nothing to refuse")
        misbehave(body.get("misbehave", ""))
        return f"{flow} {numbers.interchange} {json.dumps(body)}".encode()


def misbehave(how: str) -> None:
    """What no codec may do, and some day one does."""
    if how == "loop":
        end = time.monotonic() + 60
        while time.monotonic() < end:
            pass
    elif how == "sleep":
        time.sleep(60)
    elif how == "die":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif how == "raise":
        raise KeyError("a secret value")
    elif how == "memory":
        bytearray(4_000_000_000)
    elif how == "exit":
        raise SystemExit(3)


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

    def client(self, config: ConnectorConfig) -> Client | None:
        """None: nobody calls paper."""
        return None

    def poller(self, config: ConnectorConfig) -> Poller | None:
        """None: paper is not asked."""
        return None

    def webhook(self, config: ConnectorConfig) -> Webhook | None:
        """None: paper does not call."""
        return None


def paper_receipt(*documents: Json, identifier: str = "r1", **rest: object) -> Receipt:
    """A receipt of these documents."""
    body = json.dumps({"documents": documents, **rest}).encode()
    return Receipt(identifier, "desk", f"d-{identifier}", NOW, body)


def paper_numbers() -> Numbers:
    """Control numbers."""
    return Numbers(7, 7, NOW)
