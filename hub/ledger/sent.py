"""What we sent to partners that acknowledge, and what each of them said of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

_SENT = """
SELECT d.id, d.target, d.flow, d.settled_at, d.state, o.number AS document, o.partner,
    c.number AS confirmed, c.flow AS said_in, c.state AS said, c.reasons, c.at, n.number
FROM delivery AS d
JOIN document AS o ON o.id = d.document_id
LEFT JOIN LATERAL (SELECT * FROM confirmation WHERE confirmation.delivery_id = d.id
    ORDER BY confirmation.state = 'received', confirmation.at DESC, confirmation.id DESC LIMIT 1
    ) AS c ON true
LEFT JOIN control_number AS n ON n.scope = $2
    AND n.key = d.reference || '/' || d.action || '/' || d.version
WHERE d.target = $1 AND o.entity <> 'acknowledgement' AND d.settled_at >= $3
    AND (d.state = 'delivered' OR c.state IS NOT NULL)
ORDER BY d.settled_at, d.id
"""
_SAYS_NOTHING = ("sent", "received")
"""Of what is in it."""


class Asked(NamedTuple):
    """A connection whose partner acknowledges what we send."""

    scope: str
    """Where its control numbers are counted."""
    within: timedelta
    """How long the partner may take."""


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
    found = []
    for target, how in asked.items():
        result = await ledger.exec_driver_sql(_SENT, (target, how.scope, since))
        found += [_sent(row, how, now) for row in result]
    return sorted(found, key=lambda each: (each.sent_at, each.delivery))


def _sent(row: Any, how: Asked, now: datetime) -> Sent:
    state = row.said or "sent"
    if state in _SAYS_NOTHING and now - row.settled_at > how.within:
        state = "overdue"
    return Sent(
        delivery=row.id,
        connection=row.target,
        partner=row.partner,
        flow=row.flow,
        document=row.document or "",
        number=row.confirmed or row.number,  # 0: it named our document instead
        sent_at=row.settled_at,
        state=state,
        said_in=row.said_in or "",
        said_at=row.at,
        reasons=tuple(row.reasons or ()),
    )
