"""The ledger rows of one document, as values; every row of a table has the same keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal

import orjson

from canonical.identity import event_id as make_event_id
from canonical.identity import reference_for
from connectors.base import Answer, Confirmation
from hub.events import Event, dead_event
from hub.fingerprint import fingerprint
from hub.ids import derived_id
from hub.normalize.plan import Admitted, Case, Row
from hub.release.control_points import Reason
from hub.workers.jobs import Acknowledged, Failed, Normalized


def case(admitted: Admitted, document: Normalized) -> Case:
    """Return the case of a document."""
    place = str(document.position)
    document_id = derived_id("document", admitted.receipt.id, place, document.entity)
    return Case(admitted, document, document_id, reference_for(document.business_key))


def event_id(document: Normalized, verb: str, version: int) -> str:
    """Return the id of the event that tells of this version."""
    return make_event_id(document.business_key, document.content_id, verb, version)


def snapshot_event_id(admitted: Admitted, document: Normalized) -> str:
    """Return the id of the event that tells of a snapshot, by the receipt that brought it."""
    return derived_id("snapshot", document.business_key, document.content_id, admitted.receipt.id)


def _base(admitted: Admitted, now: datetime) -> Row:
    """Return a document row with every column that a plan sets, empty."""
    return {
        "direction": "in",
        "receipt_id": admitted.receipt.id,
        "position": 0,
        "place_in_receipt": "",
        "connection": admitted.receipt.connection,
        "partner": admitted.partner,
        "entity": "unknown",
        "flow": admitted.receipt.flow,
        "content_id": "",
        "version": None,
        "sequence": 0,
        "purpose": "original",
        "number": None,
        "po_key": None,
        "reference": None,
        "amount": None,
        "currency": None,
        "canonical": None,
        "mapping_version": None,
        "event_id": None,
        "trace_id": admitted.trace_id,
        "code": None,
        "place": None,
        "detail": None,
        "created_at": now,
        "settled_at": None,
    }


def document(case: Case, now: datetime) -> Row:
    """Return the row of a document that was read; verdict, state and version are still to set."""
    document = case.document
    row = _base(case.admitted, now)
    row["id"] = case.id
    row["position"] = document.position
    row["place_in_receipt"] = document.place
    row["entity"] = document.entity
    row["flow"] = document.flow
    row["business_key"] = document.business_key
    row["content_id"] = document.content_id
    row["sequence"] = document.sequence
    row["purpose"] = document.purpose
    row["number"] = document.number
    row["po_key"] = document.po_key
    row["reference"] = document.reference_number or case.reference
    row["amount"] = None if document.amount is None else Decimal(document.amount)
    row["currency"] = document.currency
    row["canonical"] = document.canonical_json.decode()
    row["mapping_version"] = document.mapping_version
    row["verdict"] = row["state"] = ""
    return row


def failed_document(admitted: Admitted, failed: Failed, now: datetime) -> Row:
    """Return the row of a document that could not be read, mapped or validated."""
    error = failed.error
    place = str(failed.position)
    return _base(admitted, now) | {
        "id": derived_id("failed", admitted.receipt.id, place, failed.stage, failed.entity or ""),
        "position": failed.position,
        "place_in_receipt": failed.place,
        "entity": failed.entity or "unknown",
        "flow": failed.flow,
        "business_key": f"receipt/{admitted.partner}/{admitted.receipt.id}/{place}",
        "mapping_version": failed.mapping_version,
        "verdict": "unreadable",
        "state": "rejected" if failed.answered else "dead",
        "code": error.code,
        "place": error.where,
        "detail": error.detail,
        "settled_at": now,
    }


def dead_letter(
    admitted: Admitted, failed: Failed, document: str, now: datetime
) -> tuple[Row, Event]:
    """Return the dead letter of a document that could not go on, and the event that tells of it."""
    letter_id = derived_id("dead-letter", document)
    error = failed.error
    row = {
        "id": letter_id,
        "stage": failed.stage,
        "connection": admitted.receipt.connection,
        "partner": admitted.partner,
        "entity": failed.entity,
        "flow": failed.flow,
        "target": None,
        "receipt_id": admitted.receipt.id,
        "position": failed.position,
        "document_id": document,
        "delivery_id": None,
        "business_key": None,
        "code": error.code,
        "place": error.where,
        "detail": error.detail,
        "fingerprint": fingerprint(
            failed.stage, error.code, error.where, "", failed.mapping_version
        ),
        "attempts": 1 + (admitted.replay.tries if admitted.replay else 0),
        "mapping_version": failed.mapping_version,
        "state": "open",
        "opened_at": now,
    }
    facts = {
        "dead_letter": letter_id,
        "stage": failed.stage,
        "code": error.code,
        "where": error.where,
        "receipt": admitted.receipt.id,
    }
    return row, dead_event(failed.stage, admitted.receipt.connection, facts, now)


def reference(key: tuple[str, str, str], document: Normalized, now: datetime) -> Row:
    """Return the row of a reference snapshot."""
    connection, entity, number = key
    return {
        "connection": connection,
        "entity": entity,
        "number": number,
        "sequence": document.sequence,
        "content_id": document.content_id,
        "canonical": document.canonical_json.decode(),
        "seen_at": now,
    }


def hold(document: Row, kind: str, reasons: Sequence[Reason], now: datetime) -> Row:
    """Return the hold of a document that is kept back."""
    return {
        "id": derived_id("hold", document["id"]),
        "document_id": document["id"],
        "business_key": document["business_key"],
        "kind": kind,
        "reasons": orjson.dumps([reason_json(reason) for reason in reasons]).decode(),
        "state": "open",
        "opened_at": now,
    }


def reason_json(reason: Reason) -> dict[str, str]:
    """Return a reason as it is stored and shown."""
    return {
        "control_point": reason.control_point,
        "code": reason.code,
        "where": reason.where,
        "detail": reason.detail,
    }


def acknowledgement_in(admitted: Admitted, acknowledged: Acknowledged, now: datetime) -> Row:
    """Return the row of an acknowledgement that a partner sent us."""
    place = str(acknowledged.position)
    return _base(admitted, now) | {
        "id": derived_id("document", admitted.receipt.id, place, "acknowledgement"),
        "position": acknowledged.position,
        "place_in_receipt": acknowledged.place,
        "entity": "acknowledgement",
        "flow": acknowledged.flow,
        "business_key": f"acknowledgement/{admitted.partner}/{admitted.receipt.id}/{place}",
        "number": acknowledged.control.get("st02"),
        "canonical": orjson.dumps(acknowledged.body).decode(),
        "verdict": "accept",
        "state": "delivered",
        "settled_at": now,
    }


def confirmation(acknowledgement: Row, at: int, said: Confirmation) -> Row:
    """Return the row of one thing that an acknowledgement says; `at` counts them from 0."""
    return {
        "id": derived_id("confirmation", acknowledgement["id"], str(at)),
        "connection": acknowledgement["connection"],
        "number": said.number,
        "scope": said.scope,
        "document": said.document,
        "entities": ",".join(said.entities),
        "flows": ",".join(said.flows),
        "flow": acknowledgement["flow"],
        "state": said.state,
        "reasons": orjson.dumps([asdict(reason) for reason in said.reasons]).decode(),
        "document_id": acknowledgement["id"],
        "at": acknowledgement["created_at"],
    }


def acknowledgement_out(admitted: Admitted, answer: Answer, position: int, now: datetime) -> Row:
    """Return the row of an answer that we owe the sender."""
    place = str(position)
    return _base(admitted, now) | {
        "id": derived_id("answer", admitted.receipt.id, place),
        "direction": "out",
        "position": position,
        "entity": "acknowledgement",
        "flow": answer.flow,
        "business_key": f"acknowledgement/{admitted.partner}/{admitted.receipt.id}/{place}",
        "canonical": orjson.dumps(answer.body).decode(),
        "verdict": "accept",
        "state": "accepted",
    }
