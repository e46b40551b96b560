"""What the ledger knows of deliveries: who acknowledged them, what targets made of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple

import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.registry import CONNECTORS
from hub.ledger.slices import CONFIRMED, DELIVERED, FEW, slices, upto
from hub.reconcile import statement_facts
from hub.reconcile.acknowledgement_overdue import Answer, SentOut
from hub.reconcile.duplicate_effects import Effects
from hub.reconcile.ledger_vs_target import Delivered, Effect, Statement
from hub.settings.model import Site

_SENT_OUT = """
SELECT document_id, target, action FROM delivery WHERE action = $3 AND state = 'delivered'
    AND settled_at >= $1 AND settled_at < $2 AND target = ANY($4::text[])
"""
_REFUSED = """
SELECT d.document_id, d.target, d.action FROM (
    SELECT delivery_id FROM confirmation WHERE at >= $1 AND at < $2 AND state = 'rejected'
    OFFSET 0) AS c
CROSS JOIN LATERAL (SELECT * FROM delivery WHERE delivery.id = c.delivery_id OFFSET 0) AS d
WHERE d.target = ANY($3::text[])
"""
_OPEN = "SELECT string_to_array(subject, '/') FROM finding WHERE job = $1 AND state <> 'closed'"
SENT = """
SELECT l.document_id, l.target, l.action, s.*, o.number, o.partner, o.reference, o.amount,
    o.currency
FROM unnest($1::text[], $2::text[], $3::text[]) AS l(document_id, target, action)
CROSS JOIN LATERAL (
    SELECT array_agg(d.settled_at) FILTER (WHERE d.state = 'delivered') AS sent_at,
        (array_agg(d.id ORDER BY d.created_at DESC, d.id))[1] AS delivery_id,
        max(d.flow) AS flow, array_agg(c.at) AS said_at, array_agg(c.state) AS said
    FROM delivery AS d LEFT JOIN LATERAL (
        SELECT at, state FROM confirmation WHERE confirmation.delivery_id = d.id
        AND state <> 'received' ORDER BY at DESC, id DESC LIMIT 1) AS c ON true
    WHERE d.document_id = l.document_id AND d.target = l.target AND d.action = l.action
    OFFSET 0) AS s
CROSS JOIN LATERAL (SELECT * FROM document WHERE document.id = l.document_id OFFSET 0) AS o
WHERE o.entity <> 'acknowledgement'
"""
_ABOUT = """
SELECT w.id, d.number, d.partner, d.reference, d.amount, d.currency
FROM unnest($1::text[]) AS w(id) CROSS JOIN LATERAL (
    SELECT * FROM document WHERE document.id = w.id OFFSET 0) AS d
"""
DUPLICATES = """
SELECT l.document_id, l.target, l.action, e.ids, e.at
FROM unnest($1::text[], $2::text[], $3::text[]) AS l(document_id, target, action)
CROSS JOIN LATERAL (
    SELECT array_agg(DISTINCT external_id) AS ids, max(settled_at) AS at FROM delivery
    WHERE delivery.document_id = l.document_id AND delivery.target = l.target
        AND delivery.action = l.action AND state = 'delivered' AND external_id <> ''
        AND occasion NOT LIKE 'redrive-%' AND occasion NOT LIKE 'resend-%' OFFSET 0) AS e
WHERE cardinality(e.ids) > 1
"""
_DONE = """
SELECT document_id, target, action FROM delivery
WHERE action = $3 AND state = 'delivered' AND settled_at >= $1 AND settled_at < $2
"""
_OUR_COLUMNS = """
    d.id, d.external_id, d.facts ->> 'number' AS number, d.reference, d.sent_sha256, d.settled_at,
    d.state, o.amount, o.currency, o.partner
"""
_ABOUT_IT = """
CROSS JOIN LATERAL (
    SELECT amount, currency, partner FROM document WHERE document.id = d.document_id OFFSET 0) AS o
"""
_IN_TIME = f"""
SELECT {_OUR_COLUMNS} FROM (
    SELECT * FROM delivery WHERE action = $3 AND state = 'delivered' AND settled_at >= $1
        AND settled_at < $2 AND target = $4 AND created_at <= $5 OFFSET 0) AS d {_ABOUT_IT}
"""  # noqa: S608  # our own words
# The partial indexes fit, as no name that is asked for is NULL.
_NAMED = f"""
SELECT {_OUR_COLUMNS} FROM (
    SELECT DISTINCT ON (f.id) f.*
    FROM unnest($1::text[], $2::text[]) AS e(external_id, reference) CROSS JOIN LATERAL (
        SELECT * FROM delivery WHERE delivery.external_id = e.external_id UNION ALL
        SELECT * FROM delivery WHERE (facts ->> 'number') = e.external_id UNION ALL
        SELECT * FROM delivery WHERE delivery.reference = e.reference AND e.reference <> ''
        OFFSET 0) AS f
    WHERE f.target = $3 AND f.action = $4 AND f.created_at <= $5 ORDER BY f.id) AS d {_ABOUT_IT}
"""  # noqa: S608  # our own words
_AT_ONCE = 200


class _Thing(NamedTuple):
    """A document at a target."""

    document_id: str
    target: str
    action: str


def acknowledging(site: Site) -> dict[str, timedelta]:
    """Return connection -> how long its partner may take to acknowledge; the others are absent."""
    found = {}
    for name, connection in site.connections.items():
        connector = CONNECTORS.get(connection.system)
        if connector is None:
            continue
        try:
            within = connector.config.model_validate(connection.options).confirmed_within
        except ValidationError:  # a secret that is still a reference: none of those acknowledges
            continue
        if within is not None:
            found[name] = within
    return found


async def sent(
    connection: AsyncConnection, job: str, since: datetime, until: datetime, site: Site
) -> list[SentOut]:
    """Return what went to those who acknowledge: acknowledged or sent in the span, or still open.

    Args:
        connection: to the ledger.
        job: whose open findings are looked at too.
        since: the longest of the partners' clocks is added to it.
        until: the end.
        site: its connections say who acknowledges.
    """
    clocks = acknowledging(site)
    since -= max(clocks.values(), default=timedelta())
    actions = sorted({"send", *(route.action for route in site.routes if route.to in clocks)})
    names, span = sorted(clocks), (since, upto(until))
    looked = await _settled(connection, _SENT_OUT, span, actions, names)
    async for part in slices(connection, CONFIRMED, span):
        refused = await connection.exec_driver_sql(_REFUSED, (*part, names))
        looked |= {_Thing._make(row) for row in refused}
    looked |= {_Thing(*each[1:4]) for each in await _subjects(connection, job)}
    return [
        _sent(row, clocks[row["target"]])
        for things in _portions(each for each in looked if each.target in clocks)
        for row in (await connection.exec_driver_sql(SENT, things)).mappings()
    ]


async def _settled(
    connection: AsyncConnection,
    query: str,
    span: tuple[datetime, datetime],
    actions: Iterable[str],
    *more: Any,
) -> set[_Thing]:
    """Return what was delivered in a span, by some actions."""
    found: set[_Thing] = set()
    for action in actions:
        async for part in slices(connection, DELIVERED, span, action):
            rows = await connection.exec_driver_sql(query, (*part, action, *more))
            found |= {_Thing._make(row) for row in rows}
    return found


async def _subjects(connection: AsyncConnection, job: str) -> list[list[str]]:
    """Return the subjects of a job's open findings, in their parts."""
    return list((await connection.exec_driver_sql(_OPEN, (job,))).scalars())


def _portions(things: Iterable[_Thing]) -> Iterator[tuple[list[str], ...]]:
    """Yield things a few hundred at a time, as columns, in their order."""
    rest = iter(sorted(things))
    while portion := list(islice(rest, _AT_ONCE)):
        yield tuple(list(column) for column in zip(*portion, strict=True))


def _sent(row: sa.RowMapping, within: timedelta) -> SentOut:
    said = zip(row["said_at"] or (), row["said"] or (), strict=True)
    return SentOut(
        document_id=row["document_id"],
        target=row["target"],
        action=row["action"],
        flow=row["flow"],
        delivery_id=row["delivery_id"],
        within=within,
        sent_at=tuple(row["sent_at"] or ()),
        answers=tuple(Answer(at, state != "rejected") for at, state in said if at is not None),
        number=row["number"] or "",
        partner=row["partner"],
        reference=row["reference"],
        amount=row["amount"],
        currency=row["currency"],
    )


async def _about(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, sa.RowMapping]:
    result = await connection.exec_driver_sql(_ABOUT, (sorted(set(ids)),))
    return {row["id"]: row for row in result.mappings()}


async def effects(
    connection: AsyncConnection, job: str, span: tuple[datetime, datetime], actions: Sequence[str]
) -> list[Effects]:
    """Return what targets made more than one thing of: by our deliveries, and by their own lists."""
    since, until = span
    looked = await _settled(connection, _DONE, (since, upto(until)), actions)
    # effect/<target>/<action>/<document>
    open_ = await _subjects(connection, job)
    looked |= {_Thing(each[3], each[1], each[2]) for each in open_}
    rows: list[sa.RowMapping] = []
    for things in _portions(looked):
        rows += (await connection.exec_driver_sql(DUPLICATES, things)).mappings()
    about = await _about(connection, [row["document_id"] for row in rows])
    delivered = [_delivered(row, about.get(row["document_id"])) for row in rows]
    return delivered + await statement_facts.listed_twice(connection)


def _delivered(row: sa.RowMapping, about: sa.RowMapping | None) -> Effects:
    known: dict[str, Any] = {}
    if about is not None:
        known = {name: about[name] for name in ("partner", "reference", "amount", "currency")}
    ids = tuple(row["ids"])
    return Effects(row["target"], row["action"], row["document_id"], ids, row["at"], **known)


async def both_sides(
    connection: AsyncConnection, said: Statement
) -> tuple[list[Delivered], list[Effect]]:
    """Return our deliveries that a list is about, and what is on it.

    It is about those that were acknowledged in its time, and those that it names.
    """
    theirs = await statement_facts.entries(connection, said)
    ours: dict[str, sa.RowMapping] = {}
    which = said.target, said.action, said.until
    span = said.since, upto(said.until)
    async for part in slices(connection, DELIVERED, span, said.action, most=FEW):
        given = (*part, said.action, said.target, said.until)
        for row in (await connection.exec_driver_sql(_IN_TIME, given)).mappings():
            ours[row["id"]] = row
    for first in range(0, len(theirs), _AT_ONCE):
        portion = theirs[first : first + _AT_ONCE]
        names = [each.external_id for each in portion], [each.reference for each in portion]
        for row in (await connection.exec_driver_sql(_NAMED, (*names, *which))).mappings():
            ours[row["id"]] = row
    return [_ours(ours[name]) for name in sorted(ours)], theirs


def _ours(row: sa.RowMapping) -> Delivered:
    return Delivered(
        row["external_id"] or "",
        row["reference"],
        row["sent_sha256"],
        row["amount"],
        row["currency"],
        number=row["number"],
        at=row["settled_at"] if row["state"] == "delivered" else None,
        partner=row["partner"],
    )
