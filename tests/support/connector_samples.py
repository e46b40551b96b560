"""The samples that every connector keeps beside its code, and how the conformance suite reads them.

``connectors/<system>/samples/``:

- ``options.yaml``: options that the connector's configuration accepts, secrets written out.
- ``<flow>/<name>.<ext>``: the bytes of one receipt; characters of the flow outside ``a-zA-Z0-9_-``
  are ``_``.
- ``<flow>/<name>.expect.json`` beside it: ``{"documents": [...], "answers": [flows]}``. A document is
  ``{"flow", "where"?}`` or ``{"refusal": code, "answered": bool, "where"?}``. With ``"flow"`` at the
  top, the transport called the receipt that; otherwise it is the inbound flow of the folder's name
  where the system calls us or is polled, and "" for a file.
- ``call.json`` where the system calls us: a genuine call, signed with the secrets of
  ``options.yaml``: ``{"body": path, "headers": {}, "signature": header, "verified": {}, "now"?}``.
- A folder named after an outbound flow holds what the connector's own tests need.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from canonical.errors import HubError
from connectors.base import Codec, Connector, ConnectorConfig, Receipt, WebhookCall
from connectors.registry import CONNECTORS
from tests.support.reach import ANYWHERE

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(path.parent for path in ROOT.glob("connectors/*/config.py"))
"""The folder of every connector."""

RECEIVED_AT = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)


def told(error: HubError) -> str:
    """All that an error says in any way."""
    return f"{error!s} {error!r} {error.code} {error.where} {error.detail}"


def word(flow: str) -> str:
    """A flow as folders and mapping files write it."""
    return re.sub(r"[^a-zA-Z0-9_-]", "_", flow)


@dataclass(frozen=True)
class Sample:
    """One receipt and what it holds."""

    path: Path
    receipt: Receipt
    expect: Mapping[str, Any]

    @property
    def is_json(self) -> bool:
        """Whether its bytes are JSON as the standard library reads it."""
        try:
            json.loads(self.receipt.body)
        except ValueError:
            return False
        return True


@dataclass(frozen=True)
class Subject:
    """One connector under test."""

    folder: Path

    @property
    def name(self) -> str:
        """The system."""
        return self.folder.name

    @cached_property
    def connector(self) -> Connector:
        """The system's line in the registry."""
        return CONNECTORS[self.name]

    @cached_property
    def options(self) -> dict[str, Any]:
        """The sample options."""
        loaded: dict[str, Any] = yaml.safe_load(
            (self.folder / "samples" / "options.yaml").read_text("utf-8")
        )
        return loaded

    @cached_property
    def config(self) -> ConnectorConfig:
        """The configuration that they make."""
        return self.connector.config.model_validate(self.options)

    @cached_property
    def codec(self) -> Codec:
        """Its codec."""
        return self.connector.codec(self.config)

    def receipt(self, body: bytes, flow: str = "") -> Receipt:
        """The bytes, as a transport would hand them over."""
        return Receipt("rcpt-1", "sample", "delivery-1", RECEIVED_AT, body, flow)

    @property
    def unpaired(self) -> list[Path]:
        """Sample bodies that nothing is expected of."""
        return [path for path in self._bodies() if not _expectation(path).exists()]

    @property
    def samples(self) -> list[Sample]:
        """All samples with an expectation."""
        if not (self.folder / "samples" / "options.yaml").is_file():
            return []  # the suite says so in a test of its own, not while it is collected
        return [self._sample(path) for path in self._bodies() if _expectation(path).exists()]

    @property
    def readable(self) -> list[Sample]:
        """Samples with at least one document that can be read."""
        return [s for s in self.samples if any("flow" in d for d in s.expect["documents"])]

    @property
    def has_call(self) -> bool:
        """Whether there is a ``call.json``; `test_connectors` proves that who calls us has one."""
        return (self.folder / "samples" / "call.json").is_file()

    def call(self) -> tuple[WebhookCall, Mapping[str, Any]]:
        """The genuine call of ``call.json``."""
        data = json.loads((self.folder / "samples" / "call.json").read_text("utf-8"))
        body = (self.folder / "samples" / data["body"]).read_bytes()
        headers = {name: value.encode("latin-1") for name, value in data["headers"].items()}
        now = datetime.fromisoformat(data["now"]) if "now" in data else RECEIVED_AT
        return WebhookCall(headers, body, now), data

    def _bodies(self) -> list[Path]:
        inbound = {word(flow) for flow in self.connector.capabilities.inbound}
        outbound = {word(flow) for flow in self.connector.capabilities.outbound} - inbound
        return sorted(
            path
            for path in (self.folder / "samples").glob("*/*")
            if path.is_file()
            and not path.name.startswith(".")
            and not path.name.endswith(".expect.json")
            and path.parent.name not in outbound
        )

    def _sample(self, path: Path) -> Sample:
        expect = json.loads(_expectation(path).read_text("utf-8"))
        flow = expect.get("flow", self._default_flow(path.parent.name))
        return Sample(path, self.receipt(path.read_bytes(), flow), expect)

    def _default_flow(self, folder: str) -> str:
        connector, config = self.connector, self.config
        if connector.webhook(config) is None and connector.poller(config, ANYWHERE) is None:
            return ""
        flows = connector.capabilities.inbound
        return next((flow for flow in flows if word(flow) == folder), "")


def _expectation(path: Path) -> Path:
    whole = path.with_name(f"{path.name}.expect.json")
    return whole if whole.exists() else path.with_suffix(".expect.json")


SUBJECTS = [Subject(folder) for folder in FOLDERS if folder.name in CONNECTORS]
"""All registered connectors; `test_connectors` proves that none is missing."""
