"""What partners said of what we sent: matched by number, and what follows from a no.

By the control number that it went out with; where an answer names our document itself (EDIFACT
APERAK), by that, and by both where it names both.

Code: ``partner_rejected``: the partner's acknowledgement (X12 997, 999, TA1, 824; EDIFACT CONTRL, APERAK) refuses what it got. The
delivery is dead then, with a dead letter whose place and detail are the partner's first reason; a
replay goes out under a number of its own, as the old one would be a duplicate to the partner.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.events import Event, dead_event
from hub.fingerprint import fingerprint
from hub.ids import derived_id
from hub.ledger import bulk, control_numbers
from hub.ledger.tables import confirmation, dead_letter, delivery, document

Row = sa.RowMapping | Mapping[str, Any]

_SENT = """
SELECT w.id AS confirmation, c.key, c.number, d.id, d.document_id, d.target, d.flow,
    d.business_key, d.attempts
FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[]) AS w(id, connection, number, document)
CROSS JOIN LATERAL (
    SELECT * FROM control_number WHERE control_number.number = w.number OFFSET 0) AS c
JOIN delivery AS d ON d.target = w.connection
    AND d.reference = split_part(c.key, '/', 1) AND d.action = split_part(c.key, '/', 2)
    AND d.version::text = split_part(split_part(c.key, '/', 3), '#', 1)
CROSS JOIN LATERAL (SELECT * FROM document WHERE document.id = d.document_id OFFSET 0) AS o
WHERE w.document = '' OR o.number = w.document
ORDER BY w.id, c.at, d.created_at
"""
_NAMED = """
SELECT w.id AS confirmation, c.key, c.number, d.id, d.document_id, d.target, d.flow,
    d.business_key, d.attempts
FROM unnest($1::text[], $2::text[], $3::text[]) AS w(id, connection, document)
CROSS JOIN LATERAL (SELECT * FROM document WHERE document.number = w.document OFFSET 0) AS o
JOIN delivery AS d ON d.document_id = o.id AND d.target = w.connection AND d.attempts > 0
LEFT JOIN LATERAL (SELECT n.key, n.number FROM control_counter AS s JOIN control_number AS n
    ON n.scope = s.scope AND n.key = d.reference || '/' || d.action || '/' || d.version
    ORDER BY n.at DESC LIMIT 1) AS c ON true
WHERE o.entity <> 'acknowledgement'
ORDER BY w.id, d.created_at
"""
_OUT = ("delivered", "in_doubt", "in_flight")
"""States in which the partner may have it: its word settles what we did not know."""


async def settle(ledger: AsyncConnection, rows: Sequence[Row]) -> list[Event]:
    """Write down what partners said, and turn what they refused into dead letters.

    Args:
        ledger: in the transaction that takes the acknowledgements in.
        rows: of `confirmation`, without ``delivery_id``; ``reasons`` as JSON text; and
            ``document``, the number of ours that is named, or "".

    Returns:
        The events that tell of the dead letters.
    """
    if not rows:
        return []
    sent = await _sent(ledger, rows)
    matched = [
        {name: value for name, value in row.items() if name != "document"}
        | {"delivery_id": sent[row["id"]].id if row["id"] in sent else None}
        for row in rows
    ]
    await bulk.insert(ledger, confirmation, matched, conflict="ON CONFLICT (id) DO NOTHING")
    refused = {row["delivery_id"]: row for row in matched if row["state"] == "rejected"}
    refused.pop(None, None)
    events = []
    for row in sorted(refused.values(), key=lambda each: str(each["delivery_id"])):
        event = await _reject(ledger, sent[row["id"]], row)
        events += [event] if event else []
    return events


async def _sent(ledger: AsyncConnection, rows: Sequence[Row]) -> dict[str, Any]:
    """Return what each of the rows is about: the latest delivery that has its number."""
    columns = [[row[name] for row in rows] for name in ("id", "connection", "number", "document")]
    result = await ledger.exec_driver_sql(_SENT, tuple(columns))
    sent = {row.confirmation: row for row in result}  # the last one of each is the latest
    named = [row for row in rows if row["document"] and row["id"] not in sent]
    if named:
        columns = [[row[name] for row in named] for name in ("id", "connection", "document")]
        result = await ledger.exec_driver_sql(_NAMED, tuple(columns))
        sent |= {row.confirmation: row for row in result}
    return sent


async def _reject(ledger: AsyncConnection, sent: Any, said: Row) -> Event | None:
    about = await ledger.execute(
        sa.select(document).where(document.c.id == sent.document_id).with_for_update(key_share=True)
    )
    source = about.mappings().one()
    reasons = orjson.loads(said["reasons"])
    first = reasons[0] if reasons else {"code": "", "where": "", "detail": ""}
    why = {
        "code": "partner_rejected",
        "place": first["where"],
        "detail": f"{said['flow']}: {first['code']} {first['detail']}".rstrip(": "),
    }
    rest = {"claim_token": None, "claimed_until": None, "next_at": None, "settled_at": said["at"]}
    changed = await ledger.execute(
        sa.update(delivery)
        .where(delivery.c.id == sent.id, delivery.c.state.in_(_OUT))
        .values(state="dead", **why, **rest)
    )
    if not changed.rowcount:
        return None
    await ledger.execute(
        sa.update(document).where(document.c.id == sent.document_id).values(state="dead")
    )
    if sent.key is not None:
        await control_numbers.retire(ledger, sent.key, sent.number)
    letter = _letter(sent, source, said, why)
    await bulk.insert(ledger, dead_letter, [letter], conflict="ON CONFLICT (id) DO NOTHING")
    return _event(letter, said["at"])


def _letter(sent: Any, source: Row, said: Row, why: Mapping[str, str]) -> dict[str, Any]:
    mark = fingerprint("deliver", why["code"], why["place"], sent.target, None)
    return {
        "id": derived_id("dead-letter", sent.id, said["id"]),
        "stage": "deliver",
        "connection": source["connection"],
        "partner": source["partner"],
        "entity": source["entity"],
        "flow": sent.flow,
        "target": sent.target,
        "receipt_id": source["receipt_id"],
        "position": source["position"],
        "document_id": sent.document_id,
        "delivery_id": sent.id,
        "business_key": sent.business_key,
        **why,
        "fingerprint": mark,
        "attempts": sent.attempts,
        "amount": source["amount"],
        "currency": source["currency"],
        "state": "open",
        "opened_at": said["at"],
    }


def _event(letter: Row, at: datetime) -> Event:
    facts = {
        "dead_letter": letter["id"],
        "stage": letter["stage"],
        "code": letter["code"],
        "where": letter["place"],
        "target": letter["target"],
        "delivery": letter["delivery_id"],
        "document": letter["document_id"],
        "attempts": letter["attempts"],
    }
    return dead_event("deliver", letter["target"], facts, at)
