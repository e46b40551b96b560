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

    Not what the target itself asked to wait (``throttled``, ``deferred``). What is in doubt and may
    still be at work there is asked about as soon as it cannot be any more.
    """
    last = sa.and_(attempt.c.delivery_id == delivery.c.id, attempt.c.n == delivery.c.attempts)
    failed = sa.and_(
        delivery.c.state == "pending", sa.exists().where(last, attempt.c.outcome == "retry")
    )
    goes = sa.case((sa.or_(failed, _is_over(now)), now), else_=now + _STILL_AT_WORK)
    changed = await conn.execute(
        sa.update(delivery)
        .where(
            delivery.c.target == target,
            delivery.c.next_at > goes,
            delivery.c.attempts > 0,
            sa.func.coalesce(delivery.c.code, "").not_in(WAITING),
            sa.or_(failed, sa.and_(delivery.c.state == "in_doubt", sa.exists().where(last))),
        )
        .values(next_at=goes)
    )
    return changed.rowcount


def _is_over(now: datetime) -> sa.Exists:
    """Whether the last call without an answer, or a question after it, ended long ago.

    A question has no effect: however young it is, only the call before it may be at work.
    """
    calls = attempt.alias()
    of_it = (calls.c.delivery_id == delivery.c.id, calls.c.outcome == "in_doubt")
    last_call = (
        sa.select(sa.func.max(calls.c.n)).where(*of_it).correlate(delivery).scalar_subquery()
    )
    return sa.exists().where(
        attempt.c.delivery_id == delivery.c.id,
        attempt.c.n >= last_call,
        attempt.c.ended_at < now - _STILL_AT_WORK,
    )


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
