"""What partners said of what we sent: matched by number, and what follows from a no.

By identities: sender, receiver and usage (the scope), the control number that it went out with, and
the sets that the answer names (of X12, by its functional id). It may have come by another
connection than it went out on, such as a mailbox beside AS2. Where an answer names our document
itself (EDIFACT APERAK), by that, and by both where it names both. What could be about two documents
is matched with none; `hub.ledger.unmatched` lists it.

Code: ``partner_rejected``: the partner's acknowledgement (X12 997, 999, TA1, 824; EDIFACT CONTRL, APERAK) refuses what it got. The
delivery is dead then, on every occasion that has the number, with a dead letter whose place and
detail are the partner's first reason; a replay goes out under a number of its own, as the old one
would be a duplicate to the partner.

A copy of what was sent has the same number on purpose, and "duplicate number" (TA1 025, CONTRL 26)
about one that went out twice, or that the partner has taken, says that it is *received*. Any other
no after a yes of the same kind ends the delivery, too, and its letter says so: whether a replay
would be a second one to the partner is for a person to see.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from itertools import groupby
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.events import Event
from hub.fingerprint import fingerprint
from hub.ids import derived_id
from hub.ledger import bulk, control_numbers, settlements, unmatched
from hub.ledger.arrays import among
from hub.ledger.delivery_rows import DeliveryRow
from hub.ledger.resend import is_resend
from hub.ledger.tables import confirmation, delivery, document

Row = sa.RowMapping | Mapping[str, Any]

_WORDS = """
    unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[])
        AS w(id, connection, scope, number, document, entities, flows)
"""
_KEY = "d.reference || '/' || d.action || '/' || d.version"
"""`control_numbers.key_of`."""
_SENT = f"""
SELECT w.id AS confirmation, d.id, d.business_key, {_KEY} AS key, c.number,
    c.key = {_KEY} AS current,
    EXISTS (SELECT FROM control_number AS n WHERE n.scope = w.scope AND n.key = {_KEY}) AS numbered,
    (w.flows = '' OR d.flow = ANY(string_to_array(w.flows, ',')))
        AND (w.document = '' OR o.number = w.document OR (w.entities <> ''
            AND o.entity <> ALL(string_to_array(w.entities, ',')))) AS fits
FROM {_WORDS} CROSS JOIN LATERAL (
    SELECT * FROM control_number AS n WHERE n.scope = w.scope AND n.number = w.number OFFSET 0) AS c
JOIN delivery AS d ON d.target IN (c.target, w.connection)
    AND d.reference = split_part(c.key, '/', 1) AND d.action = split_part(c.key, '/', 2)
    AND d.version::text = split_part(split_part(c.key, '/', 3), '#', 1)
CROSS JOIN LATERAL (SELECT * FROM document WHERE document.id = d.document_id OFFSET 0) AS o
ORDER BY w.id, c.at, d.created_at, d.id
"""  # noqa: S608  # our own words
_NAMED = f"""
SELECT w.id AS confirmation, d.id, d.business_key, {_KEY} AS key, c.number,
    c.key IS NOT NULL AS current, c.key IS NOT NULL AS numbered, true AS fits
FROM {_WORDS} CROSS JOIN LATERAL (
    SELECT * FROM document WHERE document.number = w.document OFFSET 0) AS o
JOIN delivery AS d ON d.document_id = o.id
    AND (d.attempts > 0 OR d.occasion LIKE 'resend-%')
LEFT JOIN control_number AS c ON c.scope = w.scope AND c.key = {_KEY}
WHERE d.target IN (c.target, w.connection) AND o.entity <> 'acknowledgement'
    AND (w.entities = '' OR o.entity = ANY(string_to_array(w.entities, ',')))
ORDER BY w.id, d.created_at, d.id
"""  # noqa: S608  # our own words
_ASKED = ("id", "connection", "scope", "number", "document", "entities", "flows")
_ONLY_ASKED = frozenset({"scope", "document", "entities", "flows"})
_OURS = """
SELECT EXISTS (SELECT FROM confirmation WHERE delivery_id = ANY($1::text[]) AND number IN (0, $2)
        AND state IN ('received', 'accepted', 'accepted_with_errors'))
    OR (SELECT count(*) FROM attempt WHERE delivery_id = ANY($1::text[])
        AND outcome IN ('delivered', 'in_doubt')) > 1
"""
"""Whether a partner that has a number has it from us: it has said so, or it went out twice."""
_ACCEPTED = """
SELECT EXISTS (SELECT FROM confirmation WHERE delivery_id = ANY($1::text[]) AND number = $2
    AND flow = $3 AND state IN ('accepted', 'accepted_with_errors'))
"""
_NAMED_THEN = """
UPDATE attempt SET external_id = d.external_id FROM delivery AS d
WHERE d.id = ANY($1::text[]) AND d.external_id <> '' AND attempt.delivery_id = d.id
    AND attempt.n = d.attempts AND attempt.outcome IN ('delivered', 'asked_found')
"""
"""A replay goes out under another name, and what this try was called is history."""
_TAKEN = ("received", "accepted", "accepted_with_errors")
_OUT = ("delivered", "in_doubt", "in_flight")
"""States in which the partner may have it: its word settles what we did not know."""


async def settle(ledger: AsyncConnection, rows: Sequence[Row]) -> list[Event]:
    """Write down what partners said, and turn what they refused into dead letters.

    Args:
        ledger: in the transaction that takes the acknowledgements in.
        rows: of `confirmation`, without ``delivery_id``; ``reasons`` as JSON text; and ``scope``,
            where its number was counted, ``document``, the number of ours that is named, or "",
            ``entities``, of which kinds that can be, and ``flows``, which sets, with commas, or "".

    Returns:
        The events that tell of the dead letters.
    """
    if not rows:
        return []
    sent, why = await _sent(ledger, rows)
    rows = [await _resolved(ledger, row, sent, rows) for row in rows]
    matched = [
        {name: value for name, value in row.items() if name not in _ONLY_ASKED}
        | {"named": row["document"], "unmatched": why.get(row["id"])}
        | {"delivery_id": sent[row["id"]][-1].id if row["id"] in sent else None}
        for row in rows
    ]
    await bulk.insert(ledger, confirmation, matched, conflict="ON CONFLICT (id) DO NOTHING")
    refused = [row for row in rows if row["state"] == "rejected" and row["id"] in sent]
    events = []
    for row in sorted(refused, key=lambda each: str(sent[each["id"]][-1].id)):
        event = await _reject(ledger, sent[row["id"]], row)
        events += [event] if event else []
    return events


async def _resolved(
    ledger: AsyncConnection, row: Row, sent: Mapping[str, list[Any]], rows: Sequence[Row]
) -> Row:
    """Return a row with what a ``duplicate`` means: received, or rejected."""
    if row["state"] != "duplicate":
        return row
    state, mine = "rejected", sent.get(row["id"])
    if mine and mine[-1].current:
        taken = {
            sent[each["id"]][-1].id
            for each in rows
            if each["state"] in _TAKEN and each["id"] in sent
        }
        ids = [each.id for each in mine]
        found = await ledger.exec_driver_sql(_OURS, (ids, row["number"]))
        if not taken.isdisjoint(ids) or found.scalar_one():
            state = "received"
    return {**row, "state": state}


async def _sent(
    ledger: AsyncConnection, rows: Sequence[Row]
) -> tuple[dict[str, list[Any]], dict[str, str]]:
    """Return what each of the rows is about: one thing, on every occasion, the latest last.

    And of those that are about nothing, why.
    """
    found = await _asked(ledger, _SENT, rows)
    sent = {name: each for name, each in found.items() if each[-1].fits}
    asked = [row for row in rows if row["document"] and row["id"] not in found]
    named = await _asked(ledger, _NAMED, asked)
    sent |= {n: each for n, each in named.items() if len({row.business_key for row in each}) == 1}
    why = {
        row["id"]: _why(row, found.get(row["id"]), named.get(row["id"]))
        for row in rows
        if row["id"] not in sent
    }
    return {
        name: [row for row in each if (row.key, row.number) == (each[-1].key, each[-1].number)]
        for name, each in sent.items()
    }, why


def _why(row: Row, found: object, named: object) -> str:
    """Why an answer is about nothing, by what was found under its number and under its name."""
    if found:
        return unmatched.OTHER_DOCUMENT
    if named:
        return unmatched.DOCUMENT_AMBIGUOUS
    if row["document"]:
        return unmatched.DOCUMENT_UNKNOWN
    return unmatched.NUMBER_UNKNOWN if row["number"] else unmatched.NOTHING_NAMED


async def _asked(ledger: AsyncConnection, query: str, rows: Sequence[Row]) -> dict[str, list[Any]]:
    if not rows:
        return {}
    columns = tuple([row[name] for row in rows] for name in _ASKED)
    result = await ledger.exec_driver_sql(query, columns)
    return {name: list(each) for name, each in groupby(result, lambda row: row.confirmation)}


async def _reject(ledger: AsyncConnection, sent: Sequence[Any], said: Row) -> Event | None:
    last = sent[-1]
    dying = await _dying(ledger, sent)
    if last.current:
        await control_numbers.retire(ledger, said["scope"], last.key, last.number)
    if not dying:
        return None
    about = await ledger.execute(sa.select(document).where(document.c.id == dying[0].document_id))
    source = about.mappings().one()
    reasons = orjson.loads(said["reasons"])
    before = await ledger.exec_driver_sql(
        _ACCEPTED, ([row.id for row in sent], said["number"], said["flow"])
    )
    first = reasons[0] if reasons else {"code": "", "where": "", "detail": ""}
    why = {
        "code": "partner_rejected",
        "place": first["where"],
        "detail": f"{said['flow']}: {first['code']} {first['detail']}".rstrip(": ")
        + (", though accepted before" if before.scalar_one() else ""),
    }
    rest = {"claim_token": None, "claimed_until": None, "next_at": None, "settled_at": said["at"]}
    await ledger.execute(
        sa.update(delivery)
        .where(among(delivery.c.id, [row.id for row in dying]))
        .values(state="dead", **why, **rest)
    )
    await ledger.exec_driver_sql(_NAMED_THEN, ([row.id for row in dying],))
    # A resend sends the refused bytes: what is replayed is what writes them anew.
    mine = min(dying, key=lambda row: (is_resend(row.occasion), row.created_at, row.id))
    return await settlements.lay_down(ledger, mine, _letter(mine, source, said, why), said["at"])


async def _dying(ledger: AsyncConnection, sent: Sequence[Any]) -> list[DeliveryRow]:
    """Lock the document, then the deliveries; return those that the partner's no is about.

    A number that was refused before is in nothing but what was sent again as it was, and not even
    there once the document has another number: what the partner repeats must not end its replay.
    """
    ids = [row.id for row in sent]
    whose = sa.select(delivery.c.document_id).where(delivery.c.id == ids[-1]).scalar_subquery()
    await ledger.execute(
        sa.select(document.c.id).where(document.c.id == whose).with_for_update(key_share=True)
    )
    locked = await ledger.execute(
        sa.select(*(delivery.c[field.name] for field in fields(DeliveryRow)))
        .where(among(delivery.c.id, ids))
        .order_by(delivery.c.id)
        .with_for_update()
    )
    rows = [DeliveryRow(**row) for row in locked.mappings()]
    if not sent[-1].current:
        rows = [] if sent[-1].numbered else [row for row in rows if is_resend(row.occasion)]
    return [row for row in rows if _may_be_there(row)]


def _may_be_there(row: DeliveryRow) -> bool:
    """Whether the partner may have it, or is about to get the same bytes again."""
    if row.state == "pending":
        return row.attempts > 0 or is_resend(row.occasion)
    return row.state in _OUT


def _letter(mine: DeliveryRow, source: Row, said: Row, why: Mapping[str, str]) -> dict[str, Any]:
    mark = fingerprint("deliver", why["code"], why["place"], mine.target, None)
    return {
        "id": derived_id("dead-letter", mine.id, said["id"]),
        "stage": "deliver",
        "connection": source["connection"],
        "partner": source["partner"],
        "entity": source["entity"],
        "flow": mine.flow,
        "target": mine.target,
        "receipt_id": source["receipt_id"],
        "position": source["position"],
        "document_id": mine.document_id,
        "delivery_id": mine.id,
        "business_key": mine.business_key,
        **why,
        "fingerprint": mark,
        "attempts": mine.attempts,
        "amount": source["amount"],
        "currency": source["currency"],
        "state": "open",
        "opened_at": said["at"],
    }
