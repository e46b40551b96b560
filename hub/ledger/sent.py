"""What we sent to partners that acknowledge, and what each of them said of it.

A partner's no settles the delivery when it comes: when it was sent is what its tries say. What was
said of a number that a document no longer goes under is not said of what went out since.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from hub.ledger.slices import CONFIRMED, DELIVERED, slices

_WENT = """
SELECT id FROM delivery WHERE action = $3 AND state = 'delivered' AND settled_at >= $1
    AND settled_at < $2 AND target = ANY($4::text[])
"""
_ANSWERED = """
SELECT delivery_id FROM confirmation WHERE at >= $1 AND at < $2 AND delivery_id IS NOT NULL
"""
_SENT = """
SELECT d.id, d.target, d.flow, coalesce(t.ended, d.settled_at) AS sent_at, d.state, o.number AS document, o.partner,
    c.number AS confirmed, c.flow AS said_in, c.state AS said, c.reasons, c.at, n.number
FROM unnest($1::text[]) AS w(id) CROSS JOIN LATERAL (
    SELECT * FROM delivery WHERE delivery.id = w.id OFFSET 0) AS d
JOIN unnest($2::text[], $3::text[]) AS a(target, scope) ON a.target = d.target
CROSS JOIN LATERAL (SELECT * FROM document WHERE document.id = d.document_id OFFSET 0) AS o
CROSS JOIN LATERAL (SELECT max(started_at) AS started,
        max(coalesce(ended_at, started_at)) AS ended FROM attempt
    WHERE attempt.delivery_id = d.id AND outcome IN ('delivered', 'asked_found', 'in_doubt')) AS t
LEFT JOIN LATERAL (SELECT number, at FROM control_number WHERE control_number.scope = a.scope
    AND control_number.key = d.reference || '/' || d.action || '/' || d.version OFFSET 0
    ) AS n ON true
LEFT JOIN LATERAL (SELECT * FROM confirmation WHERE confirmation.delivery_id = d.id
    AND (n.number IS NULL OR confirmation.number = n.number OR n.at > t.ended
        OR (confirmation.number = 0 AND (t.started IS NULL OR confirmation.at >= t.started))
        OR d.occasion LIKE 'resend-%')
    ORDER BY confirmation.state = 'received', confirmation.at DESC, confirmation.id DESC LIMIT 1
    ) AS c ON true
WHERE o.entity <> 'acknowledgement' AND coalesce(t.ended, d.settled_at) >= $4
    AND (d.state = 'delivered' OR c.state IS NOT NULL)
"""
_AT_ONCE = 200
_AHEAD = timedelta(days=1)
"""How far another host's clock may be ahead of ours."""
_SAYS_NOTHING = ("sent", "received")
"""Of what is in it."""


class Asked(NamedTuple):
    """A connection whose partner acknowledges what we send."""

    scope: str
    """Where its control numbers are counted."""
    within: timedelta
    """How long the partner may take."""
    actions: tuple[str, ...] = ("send",)
    """By which something goes there."""


class Sent(NamedTuple):
    """One document that went out, and where its acknowledgement stands."""

    delivery: str
    connection: str
    partner: str
    flow: str
    document: str
    """The document's own number, such as the invoice's."""
    number: int | None
    """The control number that it went out with."""
    sent_at: datetime
    state: str
    """``sent``, ``received``, ``accepted``, ``accepted_with_errors``, ``rejected``, ``overdue``."""
    said_in: str
    """The flow of the acknowledgement, such as 997 or CONTRL; "" where there is none."""
    said_at: datetime | None
    reasons: tuple[Mapping[str, str], ...]


async def sent(
    ledger: AsyncConnection, asked: Mapping[str, Asked], now: datetime, since: datetime
) -> list[Sent]:
    """Return what went out since a moment, oldest first.

    Args:
        ledger: a connection.
        asked: connection -> its numbers and its partner's clock.
        now: what the clocks are read against.
        since: only what was sent since then.
    """
    span = since, now + _AHEAD
    ids = set()
    for action in sorted({action for how in asked.values() for action in how.actions}):
        targets = [name for name, how in asked.items() if action in how.actions]
        async for part in slices(ledger, DELIVERED, span, action):
            went = await ledger.exec_driver_sql(_WENT, (*part, action, targets))
            ids |= set(went.scalars())
    async for part in slices(ledger, CONFIRMED, span):
        ids |= set((await ledger.exec_driver_sql(_ANSWERED, part)).scalars())
    scopes = [how.scope for how in asked.values()]
    found, rest = [], sorted(ids)
    for first in range(0, len(rest), _AT_ONCE):
        which = rest[first : first + _AT_ONCE], list(asked), scopes, since
        rows = await ledger.exec_driver_sql(_SENT, which)
        found += [_sent(row, asked[row.target], now) for row in rows]
    return sorted(found, key=lambda each: (each.sent_at, each.delivery))


def _sent(row: Any, how: Asked, now: datetime) -> Sent:
    state = row.said or "sent"
    if state in _SAYS_NOTHING and now - row.sent_at > how.within:
        state = "overdue"
    return Sent(
        delivery=row.id,
        connection=row.target,
        partner=row.partner,
        flow=row.flow,
        document=row.document or "",
        number=row.confirmed or row.number,  # 0: it named our document instead
        sent_at=row.sent_at,
        state=state,
        said_in=row.said_in or "",
        said_at=row.at,
        reasons=tuple(row.reasons or ()),
    )
