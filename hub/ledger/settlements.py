"""Settling what did not go well, one delivery at a time, in the caller's transaction.

Whoever comes back with a token that is no longer the row's is refused and changes nothing
(fencing: a process that was paused past its lease finds its work taken over). `settle_later` and
`settle_dead` return False for that. Calls that begin, and those that succeed: `calls`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.events import Event, dead_event
from hub.ids import derived_id
from hub.ledger.arrays import among
from hub.ledger.deliveries import WAITING
from hub.ledger.delivery_rows import Claim, DeliveryRow, Ending, Letter, Why
from hub.ledger.tables import attempt, dead_letter, delivery, document, outbox, pause


def _waking(*, settled: bool) -> sa.Update:
    """Make due at once what waited for a delivery that has settled.

    Later versions go on behind one that goes on itself: only where it has `settled` are they woken.
    The condition is loose and the new value exact: a row that is being parked by somebody else
    right now is waited for and then seen as parked, so no waking is lost.
    """
    behind = sa.and_(
        sa.or_(
            delivery.c.business_key == sa.bindparam("key"),
            delivery.c.reference == sa.bindparam("order"),
        ),
        delivery.c.target == sa.bindparam("at"),
        delivery.c.id != sa.bindparam("mine"),
    )
    if not settled:
        later = delivery.c.version > sa.bindparam("newer_than")
        of_key = delivery.c.business_key == sa.bindparam("key")
        behind = sa.and_(behind, sa.not_(sa.and_(of_key, later)))
    after = sa.and_(
        delivery.c.document_id == sa.bindparam("of"),
        delivery.c.after_target == sa.bindparam("at"),
    )
    due = sa.case((delivery.c.code.in_(WAITING), sa.bindparam("now")), else_=delivery.c.next_at)
    return (
        sa.update(delivery)
        .where(delivery.c.state == "pending", sa.or_(behind, after))
        .values(next_at=due)
    )


# Built once: putting these together costs more than running them.
_LOCK = (
    sa.select(document.c.id)
    .where(document.c.id == sa.bindparam("of"))
    .with_for_update(key_share=True)
)
_WAKE = _waking(settled=True)
_WAKE_OTHERS = _waking(settled=False)


async def renew(conn: AsyncConnection, tokens: Sequence[str], until: datetime) -> None:
    """Lengthen the leases of what is in hand; never shorten one.

    What is locked is being begun or settled just now, and its lease with it: the next beat sees to
    the rest. Waiting for it, with locks on others that it may wait for, could be a deadlock.
    """
    mine = sa.select(delivery.c.id).where(among(delivery.c.claim_token, tokens))
    free = mine.with_for_update(skip_locked=True).cte("free")
    later = sa.func.greatest(delivery.c.claimed_until, until)
    await conn.execute(
        sa.update(delivery).where(delivery.c.id == free.c.id).values(claimed_until=later)
    )


async def put_back(
    conn: AsyncConnection, held: Sequence[Claim], next_at: datetime, ask_at: datetime
) -> None:
    """Let go of claims without an outcome: what was not called may go again, the rest is asked."""
    ids = [one.delivery.id for one in held]
    tokens = {one.token for one in held}
    doubtful = delivery.c.state == "in_doubt"
    released = await conn.execute(
        sa.update(delivery)
        .where(among(delivery.c.id, ids), among(delivery.c.claim_token, tokens))
        .values(
            state=sa.case((doubtful, "in_doubt"), else_="pending"),
            next_at=sa.case((doubtful, ask_at), else_=next_at),
            claim_token=None,
            claimed_until=None,
        )
        .returning(delivery.c.id, delivery.c.attempts)
    )
    before = {one.delivery.id: one.delivery.attempts for one in held}
    for row in released.all():
        if row.attempts == before[row.id]:
            continue  # no call was begun
        # The try did end, although without an answer: one without an end is one that killed us.
        await conn.execute(
            sa.update(attempt)
            .where(
                attempt.c.delivery_id == row.id,
                attempt.c.n == row.attempts,
                attempt.c.ended_at.is_(None),
            )
            .values(ended_at=next_at)
        )


async def leave_alone(conn: AsyncConnection, target: str, until: datetime) -> None:
    """Let nobody call a target before the time that it named; never shorten such a time."""
    asked = insert(pause).values(target=target, until=until)
    latest = sa.func.greatest(pause.c.until, asked.excluded.until)
    await conn.execute(
        asked.on_conflict_do_update(index_elements=["target"], set_={"until": latest})
    )


async def settle_later(
    conn: AsyncConnection, held: Claim, ending: Ending, state: str, next_at: datetime
) -> bool:
    """Record a failed try after which the delivery goes on: pending, or in_doubt.

    What waited only for its turn may go meanwhile; what must not overtake it parks itself again.
    """
    released = {"claim_token": None, "claimed_until": None, "next_at": next_at}
    if not await _settle(conn, held, ending, {"state": state, **released}):
        return False
    others = _waker(held.delivery, ending.ended_at) | {"newer_than": held.delivery.version}
    await conn.execute(_WAKE_OTHERS, others)
    return True


async def settle_dead(conn: AsyncConnection, held: Claim, ending: Ending, letter: Letter) -> bool:
    """Record that it cannot go on: the delivery, its dead letter, its document, the event."""
    await _lock_document(conn, held)
    if not await _settle(conn, held, ending, _at_rest(ending) | {"state": "dead"}):
        return False
    event = await lay_down(conn, held.delivery, _letter_row(held, ending, letter), ending.ended_at)
    await conn.execute(sa.insert(outbox).values(**event.row()))
    return True


async def lay_down(
    conn: AsyncConnection, mine: DeliveryRow, letter: Mapping[str, Any], now: datetime
) -> Event:
    """Follow up on a delivery that has just become dead, whoever said so.

    Its letter is written, its document is dead, what it replayed is closed, what waited is woken.

    Args:
        conn: in a transaction that has locked the document.
        mine: the delivery, as it was before.
        letter: a row of `dead_letter`.
        now: the moment.

    Returns:
        The event that tells of it.
    """
    await close_replayed(conn, mine, now)
    await conn.execute(insert(dead_letter).values(**letter).on_conflict_do_nothing())
    await conn.execute(
        sa.update(document).where(document.c.id == mine.document_id).values(state="dead")
    )
    await _wake(conn, mine, now)
    facts = {
        "dead_letter": letter["id"],
        "stage": letter["stage"],
        "code": letter["code"],
        "where": letter["place"],
        "target": mine.target,
        "delivery": mine.id,
        "document": mine.document_id,
        "attempts": letter["attempts"],
    }
    return dead_event("deliver", mine.target, facts, now)


def _mine(held: Claim) -> sa.Update:
    return sa.update(delivery).where(
        delivery.c.id == held.delivery.id, delivery.c.claim_token == held.token
    )


def _at_rest(ending: Ending) -> dict[str, Any]:
    return {
        "claim_token": None,
        "claimed_until": None,
        "next_at": None,
        "settled_at": ending.ended_at,
    }


async def _settle(
    conn: AsyncConnection, held: Claim, ending: Ending, values: dict[str, Any]
) -> bool:
    error = {"code": None, "place": None, "detail": None}
    if ending.why is not None:
        error = asdict(ending.why)
    changed = await conn.execute(_mine(held).values(attempts=ending.n, **error, **values))
    if not changed.rowcount:
        return False
    said = {"said": ending.said}
    last = {"outcome": ending.outcome, "ended_at": ending.ended_at, **error, **said}
    row = {"delivery_id": held.delivery.id, "n": ending.n, "started_at": ending.started_at}
    await conn.execute(
        insert(attempt)
        .values(**row, **last)
        .on_conflict_do_update(index_elements=["delivery_id", "n"], set_=last)
    )
    return True


async def _lock_document(conn: AsyncConnection, held: Claim) -> None:
    await conn.execute(_LOCK, {"of": held.delivery.document_id})


async def _wake(conn: AsyncConnection, mine: DeliveryRow, now: datetime) -> None:
    await conn.execute(_WAKE, _waker(mine, now))


def _waker(mine: DeliveryRow, now: datetime) -> dict[str, Any]:
    return {
        "mine": mine.id,
        "key": mine.business_key,
        "order": mine.reference,
        "at": mine.target,
        "of": mine.document_id,
        "now": now,
    }


async def close_replayed(conn: AsyncConnection, mine: DeliveryRow, now: datetime) -> None:
    """Close the dead letter that this delivery replayed: the replay has ended, well or not."""
    if not mine.occasion and not mine.attempts:
        return  # the first try of the first occasion replays nothing
    same = sa.select(delivery.c.id).where(
        delivery.c.document_id == mine.document_id,
        delivery.c.target == mine.target,
        delivery.c.action == mine.action,
    )
    await conn.execute(
        sa.update(dead_letter)
        .where(
            dead_letter.c.delivery_id.in_(same),  # of any occasion
            dead_letter.c.state == "replaying",
        )
        .values(state="replayed", closed_at=now)
    )


def _letter_row(held: Claim, ending: Ending, letter: Letter) -> dict[str, Any]:
    mine, source = held.delivery, held.document
    return {
        "id": derived_id("dead-letter", mine.id, str(ending.n)),
        "stage": letter.stage,
        "connection": source.connection if source else mine.target,
        "partner": source.partner if source else "",
        "entity": source.entity if source else None,
        "flow": mine.flow,
        "target": mine.target,
        "receipt_id": source.receipt_id if source else None,
        "position": source.position if source else 0,
        "document_id": mine.document_id,
        "delivery_id": mine.id,
        "business_key": mine.business_key,
        **asdict(ending.why or Why("", "", "")),
        "said": ending.said,
        "fingerprint": letter.fingerprint,
        "attempts": ending.n,
        "mapping_version": letter.mapping_version,
        "amount": source.amount if source else None,
        "currency": source.currency if source else None,
        "state": "open",
        "opened_at": ending.ended_at,
    }
