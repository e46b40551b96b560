"""What waits for a target goes on as soon as the target is back, whatever its own wait says."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.ledger.deliveries import WAITING
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
