"""What waits for a target goes on as soon as the target is back, whatever its own wait says."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.ledger.deliveries import WAITING
from hub.ledger.delivery_rows import DeliveryRow
from hub.ledger.tables import attempt, delivery

_STILL_AT_WORK = timedelta(seconds=30)
"""How long a target may go on with a call that we gave up."""


async def hasten(conn: AsyncConnection, target: str, now: datetime) -> int:
    """Make due at once what only waits for a target to come back, which it has; return how many.

    Not what the target itself asked to wait (``throttled``, ``deferred``), and nothing in doubt
    whose call may still be at work there.
    """
    last = sa.and_(attempt.c.delivery_id == delivery.c.id, attempt.c.n == delivery.c.attempts)
    settled = attempt.c.ended_at < now - _STILL_AT_WORK
    failed = sa.or_(
        sa.and_(delivery.c.state == "pending", attempt.c.outcome == "retry"),
        sa.and_(delivery.c.state == "in_doubt", settled),
    )
    changed = await conn.execute(
        sa.update(delivery)
        .where(
            delivery.c.target == target,
            delivery.c.state.in_(("pending", "in_doubt")),
            delivery.c.next_at > now,
            delivery.c.attempts > 0,
            sa.func.coalesce(delivery.c.code, "").not_in(WAITING),
            sa.exists().where(last, failed),
        )
        .values(next_at=now)
    )
    return changed.rowcount


async def waiting(conn: AsyncConnection, target: str) -> DeliveryRow | None:
    """Return the delivery that waits longest for a target whose last try of it failed, if any."""
    last = sa.and_(attempt.c.delivery_id == delivery.c.id, attempt.c.n == delivery.c.attempts)
    failed = sa.exists().where(last, attempt.c.outcome.in_(("retry", "in_doubt", "ask_failed")))
    found = await conn.execute(
        sa.select(*(delivery.c[field.name] for field in fields(DeliveryRow)))
        .where(
            delivery.c.target == target,
            delivery.c.state.in_(("pending", "in_doubt")),
            delivery.c.attempts > 0,
            failed,
        )
        .order_by(delivery.c.created_at)
        .limit(1)
    )
    row = found.mappings().one_or_none()
    return None if row is None else DeliveryRow(**row)
