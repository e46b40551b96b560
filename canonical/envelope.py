"""The CloudEvents 1.0 envelope around a canonical document, as published on NATS."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from canonical.base import Canonical, Instant

Verb = Literal["accepted", "released", "changed", "cancelled", "recorded"]
"""What happened to the document: `released` is what order targets listen to; `recorded` is a
document without release (shipment, tracking, invoice, reference data)."""

VERBS: dict[str, tuple[Verb, ...]] = {
    "order": ("released",),
    "order_change": ("changed",),
    "order_response": ("recorded",),
    "shipment": ("recorded",),
    "receiving_advice": ("recorded",),
    "tracking": ("recorded",),
    "invoice": ("recorded",),
    "remittance": ("recorded",),
    "inventory": ("recorded",),
    "stock_adjustment": ("recorded",),
    "load_tender": ("recorded",),
    "tender_response": ("recorded",),
    "application_advice": ("recorded",),
    "item": ("recorded",),
    "customer": ("recorded",),
}
"""Entity word -> the verbs that are published of it, on ``canonical.<entity>.<verb>``.

A verb that is not listed for an entity is never published: a consumer that waited for it would
wait for ever.
"""

UNVERSIONED = frozenset({"customer", "item", "inventory"})
"""Entities that are said anew each time: their events have no `keyversion`."""

_Required = Annotated[str, Field(min_length=1)]


class CloudEvent(Canonical):
    """One fact (CloudEvents 1.0, structured JSON mode; attribute names are lower case by rule)."""

    specversion: Literal["1.0"] = "1.0"
    """The version of CloudEvents."""
    id: _Required
    """The event id: also the Nats-Msg-Id."""
    source: _Required
    """``/connections/<name>``: where the document came in."""
    type: _Required
    """``crossdock.<entity>.<verb>.v<n>``."""
    subject: _Required
    """The business key."""
    time: Instant
    """When the hub recorded the fact, UTC."""
    datacontenttype: Literal["application/json"] = "application/json"
    """What `data` is."""
    dataschema: _Required
    """``crossdock:schema:<entity>.v<n>``: the name under which `crossdock schema export` writes it."""
    partitionkey: _Required
    """Documents with the same key keep their order (CloudEvents partitioning extension)."""
    documentid: _Required
    """The ledger's id of this document version."""
    contentid: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """sha256 of what the document says."""
    keyversion: Annotated[int, Field(ge=1)] | None = None
    """Which version of its key this is: of two events of one key the higher is the newer.

    Absent of customers, items and stock, which are said anew each time.
    """
    traceparent: str | None = None
    """W3C Trace Context (CloudEvents distributed tracing extension)."""
    data: dict[str, Any]
    """The canonical document."""


def event_type(entity: str, verb: Verb, version: int) -> str:
    """The CloudEvents type of a fact about an entity."""
    return f"crossdock.{entity}.{verb}.v{version}"


def schema_name(entity: str, version: int) -> str:
    """The name of an entity's schema, as in `CloudEvent.dataschema` and exported file names."""
    return f"{entity}.v{version}"
