"""The ledger's rows as the events that were published of them: pure, and the same every time.

An event's id follows from what it tells (`canonical/identity.py`), so that whoever has seen it
knows it again. Snapshots are the exception: their first ids came of receipts, and the ledger keeps
only the last figure; theirs follow from the figure.
"""

from __future__ import annotations

from datetime import datetime

import orjson
import sqlalchemy as sa

from canonical import DOCUMENTS
from canonical.envelope import VERBS
from canonical.identity import business_key, event_id
from hub.events import Event, Subject, canonical_event, dead_event
from hub.ids import derived_id


def of_document(row: sa.RowMapping, at: datetime) -> Event:
    """Return the event that a document in force was published with.

    Args:
        row: of `document`.
        at: when it was recorded, or released.
    """
    (verb,) = VERBS[row["entity"]]
    subject = Subject(
        event_id=event_id(row["business_key"], row["content_id"], verb, row["version"]),
        entity=row["entity"],
        verb=verb,
        connection=row["connection"],
        business_key=row["business_key"],
        document_id=row["id"],
        content_id=row["content_id"],
        traceparent=row["trace_id"],
        version=row["version"],
    )
    return canonical_event(subject, orjson.dumps(row["canonical"]), at)


def of_snapshot(row: sa.RowMapping, partner: str) -> Event:
    """Return an event of a customer, an item or a stock figure as it was last said.

    Args:
        row: of `reference`.
        partner: whom its connection speaks for.
    """
    data = orjson.dumps(row["canonical"])
    document = DOCUMENTS[row["entity"]].model_validate_json(data)
    (verb,) = VERBS[row["entity"]]
    key = str(business_key(document, partner))
    said = (row["connection"], row["entity"], row["number"], row["content_id"])
    subject = Subject(
        event_id=derived_id("snapshot-again", *said, str(row["sequence"])),
        entity=row["entity"],
        verb=verb,
        connection=row["connection"],
        business_key=key,
        document_id=derived_id("snapshot-again", key),
        content_id=row["content_id"],
    )
    return canonical_event(subject, data, row["seen_at"])


def of_letter(row: sa.RowMapping) -> Event:
    """Return the event that told of a dead letter.

    Args:
        row: of `dead_letter`.
    """
    facts = {
        "dead_letter": row["id"],
        "stage": row["stage"],
        "code": row["code"],
        "where": row["place"],
    }
    if row["delivery_id"] is None:
        return dead_event(
            row["stage"],
            row["connection"],
            facts | {"receipt": row["receipt_id"]},
            row["opened_at"],
        )
    facts |= {
        "target": row["target"],
        "delivery": row["delivery_id"],
        "document": row["document_id"],
        "attempts": row["attempts"],
    }
    return dead_event("deliver", row["target"], facts, row["opened_at"])
