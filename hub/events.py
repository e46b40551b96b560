"""Facts as CloudEvents, ready for the outbox."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

import orjson

from hub.ids import derived_id
from hub.publisher import Outgoing
from hub.topology import canonical_subject, dead_subject


class Event(NamedTuple):
    """One fact on its way to NATS; the id makes publishing it repeatable."""

    event_id: str
    subject: str
    payload: bytes
    traceparent: str | None = None
    document_id: str | None = None
    """The document in the ledger that is its data: the outbox then keeps no second copy."""
    head: int = 0
    """Bytes of the payload before its data, of an event with a document."""
    key: str = ""
    version: int = 0
    """Which version of the key; 0: none, it stands for itself."""

    def outgoing(self) -> Outgoing:
        """Return the message to publish."""
        headers = {"Content-Type": "application/cloudevents+json"}
        if self.traceparent:
            headers["traceparent"] = self.traceparent
        return Outgoing(self.subject, self.payload, self.event_id, headers)

    def row(self) -> dict[str, Any]:
        """Return the outbox row."""
        return {
            "event_id": self.event_id,
            "subject": self.subject,
            "payload": self.payload[: self.head] + b"}" if self.document_id else self.payload,
            "document_id": self.document_id,
            "traceparent": self.traceparent,
        }


class Subject(NamedTuple):
    """What a canonical event is about."""

    event_id: str
    entity: str
    verb: str
    connection: str
    business_key: str
    document_id: str
    content_id: str
    traceparent: str | None = None
    schema_version: int = 1
    version: int | None = None
    """Of its key; None where the key has no versions (customers, items, stock)."""


def canonical_event(
    subject: Subject, data: bytes, now: datetime, *, in_ledger: bool = False
) -> Event:
    """Wrap a canonical document's JSON as it is: it is neither parsed nor written again.

    Args:
        subject: what it is about.
        data: the document.
        now: when.
        in_ledger: the ledger's `document` holds the same canonical document under `document_id`.
    """
    name = f"{subject.entity}.v{subject.schema_version}"
    envelope = {
        "specversion": "1.0",
        "id": subject.event_id,
        "source": f"/connections/{subject.connection}",
        "type": f"crossdock.{subject.entity}.{subject.verb}.v{subject.schema_version}",
        "subject": subject.business_key,
        "time": now,
        "datacontenttype": "application/json",
        "dataschema": f"crossdock:schema:{name}",
        "partitionkey": subject.business_key,
        "documentid": subject.document_id,
        "contentid": subject.content_id,
    }
    if subject.version is not None:
        envelope["keyversion"] = subject.version
    if subject.traceparent:
        envelope["traceparent"] = subject.traceparent
    bare = orjson.dumps(envelope, option=orjson.OPT_UTC_Z)
    return Event(
        subject.event_id,
        canonical_subject(subject.entity, subject.verb),
        with_data(bare, data),
        subject.traceparent,
        subject.document_id if in_ledger else None,
        len(bare) - 1,
        subject.business_key,
        subject.version or 0,
    )


def with_data(bare: bytes, data: bytes) -> bytes:
    """Put the data into an event that was written without."""
    return bare[:-1] + b',"data":' + data + b"}"


def dead_event(stage: str, connection: str, facts: dict[str, Any], now: datetime) -> Event:
    """Tell of a dead letter: ids, code and place; never the document itself.

    Args:
        stage: where it could not go on.
        connection: the connection (or target) concerned.
        facts: at least ``dead_letter``, its id in the ledger.
        now: when.
    """
    event_id = derived_id("dead-event", str(facts["dead_letter"]))
    envelope = {
        "specversion": "1.0",
        "id": event_id,
        "source": f"/connections/{connection}",
        "type": f"crossdock.dead.{stage}.v1",
        "time": now,
        "datacontenttype": "application/json",
        "data": facts,
    }
    payload = orjson.dumps(envelope, option=orjson.OPT_UTC_Z)
    return Event(event_id, dead_subject(stage, connection), payload)
