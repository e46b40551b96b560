"""The CloudEvents 1.0 envelope around a canonical document, as published on NATS."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from canonical.base import Canonical

Verb = Literal["accepted", "released", "changed", "cancelled", "recorded"]
"""What happened to the document: `released` is what order targets listen to; `recorded` is a
document without release (shipment, tracking, invoice, reference data)."""


class CloudEvent(Canonical):
    """One fact (CloudEvents 1.0, structured JSON mode; attribute names are lower case by rule)."""

    specversion: Literal["1.0"] = "1.0"
    id: str
    """The event id: also the Nats-Msg-Id."""
    source: str
    """``/connections/<name>``: where the document came in."""
    type: str
    """``crossdock.<entity>.<verb>.v<n>``."""
    subject: str
    """The business key."""
    time: datetime
    """When the hub recorded the fact, UTC."""
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: str
    """``crossdock:schema:<entity>.v<n>``: the name under which `crossdock schema export` writes it."""
    partitionkey: str
    """Documents with the same key keep their order (CloudEvents partitioning extension)."""
    documentid: str
    """The ledger's id of this document version."""
    contentid: str
    """sha256 of what the document says."""
    traceparent: str | None = None
    """W3C Trace Context (CloudEvents distributed tracing extension)."""
    data: dict[str, Any]
    """The canonical document."""


def event_type(entity: str, verb: Verb, version: int) -> str:
    """The CloudEvents type of a fact about an entity."""
    return f"crossdock.{entity}.{verb}.v{version}"
