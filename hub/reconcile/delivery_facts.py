"""What the ledger knows of deliveries: who acknowledged them, what targets made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.registry import CONNECTORS
from hub.ledger.control_numbers import key_of
from hub.ledger.tables import statement, statement_entry
from hub.reconcile.acknowledgement_overdue import Answered, Group, SentOut
from hub.reconcile.duplicate_effects import Effects
from hub.reconcile.ledger_vs_target import Delivered, Effect, Statement
from hub.settings.model import Site

_TAKEN = frozenset({"A", "E"})
"""X12 element 715 in AK901/AK501: accepted, accepted with errors noted."""

SENT = """
SELECT d.id, d.target, d.action, d.flow, d.reference AS key, d.version, d.settled_at,
    d.business_key, d.document_id, d.occasion
FROM delivery AS d WHERE d.action = ANY($4::text[]) AND d.state = 'delivered'
    AND d.settled_at >= $1 AND d.settled_at <= $2 AND d.flow = ANY($3::text[])
    AND d.occasion NOT LIKE 'resend-%'
UNION
SELECT d.id, d.target, d.action, d.flow, d.reference, d.version, d.settled_at, d.business_key,
    d.document_id, d.occasion
FROM (SELECT substr(subject, 10) AS id FROM finding WHERE job = $5 AND state <> 'closed') AS f
CROSS JOIN LATERAL (SELECT * FROM delivery WHERE delivery.id = f.id OFFSET 0) AS d
ORDER BY settled_at, id
"""
_ABOUT = """
SELECT w.id, d.number, d.partner, d.reference, d.amount, d.currency
FROM unnest($1::text[]) AS w(id) CROSS JOIN LATERAL (
    SELECT * FROM document WHERE document.id = w.id OFFSET 0) AS d
"""
_NUMBERS = """
SELECT w.scope, w.key, n.number FROM unnest($1::text[], $2::text[]) AS w(scope, key)
CROSS JOIN LATERAL (SELECT number FROM control_number
    WHERE control_number.scope = w.scope AND control_number.key = w.key OFFSET 0) AS n
"""
ANSWERS = """
SELECT connection, created_at, canonical #>> '{heading,AK1,AK102}' AS number,
    canonical #>> '{heading,AK9,AK901}' AS verdict
FROM document WHERE entity = 'acknowledgement' AND state = 'delivered' AND created_at >= $1
    AND direction = 'in' ORDER BY created_at, id
"""
DUPLICATES = """
WITH looked AS (
    SELECT DISTINCT document_id, target, action FROM delivery
    WHERE action = ANY($3::text[]) AND state = 'delivered'
        AND settled_at >= $1 AND settled_at <= $2
    UNION
    SELECT split_part(subject, '/', 4), split_part(subject, '/', 2), split_part(subject, '/', 3)
    FROM finding WHERE job = $4 AND state <> 'closed'
)
SELECT l.document_id, l.target, l.action, e.ids, e.at
FROM looked AS l CROSS JOIN LATERAL (
    SELECT array_agg(DISTINCT external_id) AS ids, max(settled_at) AS at FROM delivery
    WHERE delivery.document_id = l.document_id AND delivery.target = l.target
        AND delivery.action = l.action AND state = 'delivered' AND external_id <> ''
        AND occasion NOT LIKE 'redrive-%' AND occasion NOT LIKE 'resend-%' OFFSET 0) AS e
WHERE cardinality(e.ids) > 1
"""
_LISTED_TWICE = """
SELECT e.target, e.action, e.reference, array_agg(e.external_id ORDER BY e.external_id) AS ids,
    max(s.loaded_at) AS at, max(e.amount) AS amount, max(e.currency) AS currency
FROM statement_entry AS e JOIN statement AS s USING (target, action)
WHERE e.reference <> '' GROUP BY 1, 2, 3 HAVING count(*) > 1
"""
_OURS = """
SELECT d.external_id, d.facts ->> 'number' AS number, d.reference, d.sent_sha256, d.settled_at,
    d.state, o.amount, o.currency, o.partner
FROM (SELECT * FROM delivery WHERE target = $1 AND action = $2 AND created_at <= $3) AS d
CROSS JOIN LATERAL (
    SELECT amount, currency, partner FROM document WHERE document.id = d.document_id OFFSET 0) AS o
ORDER BY d.id
"""


def scopes(site: Site) -> dict[str, str]:
    """Return connection -> where its control numbers are counted; those that have none are absent."""
    found = {}
    for name, connection in site.connections.items():
        connector = CONNECTORS.get(connection.system)
        if connector is None:
            continue
        try:
            scope = connector.config.model_validate(connection.options).control_scope
        except (
            ValidationError
        ):  # a secret that is still a reference: no format with numbers has one
            continue
        if scope is not None:
            found[name] = scope
    return found


async def sent(
    connection: AsyncConnection, job: str, span: tuple[datetime, datetime], site: Site
) -> list[SentOut]:
    """Return the deliveries that their receivers acknowledge: of the span, and with open findings."""
    flows = list(site.reconcile.acknowledged_flows)
    result = await connection.exec_driver_sql(SENT, (*span, flows, ["send"], job))
    rows = result.mappings().all()
    about = await _about(connection, [row["document_id"] for row in rows])
    groups = await _groups(connection, rows, scopes(site))
    return [
        SentOut(
            delivery_id=row["id"],
            group=groups.get(row["id"]),
            flow=row["flow"],
            at=row["settled_at"],
            business_key=row["business_key"],
            number=about[row["document_id"]]["number"] or "",
            partner=about[row["document_id"]]["partner"],
            reference=about[row["document_id"]]["reference"],
            amount=about[row["document_id"]]["amount"],
            currency=about[row["document_id"]]["currency"],
        )
        for row in rows
        if row["document_id"] in about and row["settled_at"] is not None
    ]


async def _about(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, sa.RowMapping]:
    result = await connection.exec_driver_sql(_ABOUT, (sorted(set(ids)),))
    return {row["id"]: row for row in result.mappings()}


async def _groups(
    connection: AsyncConnection, rows: Sequence[sa.RowMapping], scope_of: Mapping[str, str]
) -> dict[str, Group]:
    keys = {
        row["id"]: (
            scope_of[row["target"]],
            key_of(row["key"], row["action"], row["version"]),
        )
        for row in rows
        if row["target"] in scope_of
    }
    pairs = sorted(set(keys.values()))
    columns = [scope for scope, _ in pairs], [key for _, key in pairs]
    result = await connection.exec_driver_sql(_NUMBERS, columns)
    numbers = {(row.scope, row.key): row.number for row in result}
    return {
        row["id"]: Group(row["target"], numbers[keys[row["id"]]])
        for row in rows
        if keys.get(row["id"]) in numbers
    }


async def answers(connection: AsyncConnection, since: datetime) -> dict[Group, Answered]:
    """Return what receivers said of our groups since a moment; the last word counts."""
    result = await connection.exec_driver_sql(ANSWERS, (since,))
    return {
        Group(row.connection, int(row.number)): Answered(row.verdict in _TAKEN, row.created_at)
        for row in result
        if row.number and row.number.isdecimal() and row.verdict
    }


async def effects(
    connection: AsyncConnection, job: str, span: tuple[datetime, datetime], actions: Sequence[str]
) -> list[Effects]:
    """Return what targets made more than one thing of: by our deliveries, and by their own lists."""
    rows = (
        (await connection.exec_driver_sql(DUPLICATES, (*span, list(actions), job))).mappings().all()
    )
    about = await _about(connection, [row["document_id"] for row in rows])
    delivered = [_delivered(row, about.get(row["document_id"])) for row in rows]
    listed = (await connection.exec_driver_sql(_LISTED_TWICE)).mappings()
    return delivered + [
        Effects(
            row["target"], row["action"], row["reference"], tuple(row["ids"]), row["at"],
            listed=True, reference=row["reference"], amount=row["amount"],
            currency=row["currency"],
        )
        for row in listed
    ]  # fmt: skip


def _delivered(row: sa.RowMapping, about: sa.RowMapping | None) -> Effects:
    known: dict[str, Any] = {}
    if about is not None:
        known = {name: about[name] for name in ("partner", "reference", "amount", "currency")}
    ids = tuple(row["ids"])
    return Effects(row["target"], row["action"], row["document_id"], ids, row["at"], **known)


async def statements(connection: AsyncConnection) -> list[Statement]:
    """Return which lists of targets there are."""
    rows = await connection.execute(sa.select(statement).order_by(statement.c.target))
    return [Statement(row.target, row.action, row.since, row.until) for row in rows]


async def both_sides(
    connection: AsyncConnection, said: Statement
) -> tuple[list[Delivered], list[Effect]]:
    """Return our deliveries that a list is about, and what is on it."""
    entry = statement_entry.c
    listed = await connection.execute(
        sa.select(entry.external_id, entry.reference, entry.sha256, entry.amount, entry.currency)
        .where(entry.target == said.target, entry.action == said.action)
        .order_by(entry.external_id)
    )
    result = await connection.exec_driver_sql(_OURS, (said.target, said.action, said.until))
    ours = [
        Delivered(
            row.external_id or "",
            row.reference,
            row.sent_sha256,
            row.amount,
            row.currency,
            number=row.number,
            at=row.settled_at if row.state == "delivered" else None,
            partner=row.partner,
        )
        for row in result
    ]
    return ours, [Effect(*row) for row in listed]
