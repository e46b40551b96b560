"""The account: what became of everything that was received; it must add up."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.ledger.dead_letters import SUPERSEDED
from hub.ledger.tables import dead_letter, document, hold, receipt

_DISPOSITIONS = {
    "accepted": "in_progress",
    "delivered": "delivered",
    "held": "held",
    "dead": "dead",
    "duplicate": "duplicate",
    "rejected": "rejected",
}


@dataclass(frozen=True, slots=True)
class Balance:
    """Received documents of one kind and what each of them became.

    `received` is counted on its own, not summed: `adds_up` can fail.
    """

    received: int
    delivered: int
    held: int
    dead: int
    duplicate: int
    rejected: int
    in_progress: int

    @property
    def adds_up(self) -> bool:
        """Whether every received document is in exactly one place and nothing is under way."""
        settled = self.delivered + self.held + self.dead + self.duplicate + self.rejected
        return self.received == settled and self.in_progress == 0

    def as_dict(self) -> dict[str, int | bool]:
        """Return the figures with `adds_up`."""
        return {**asdict(self), "adds_up": self.adds_up}


async def balances(
    connection: AsyncConnection, since: datetime | None = None
) -> dict[str, Balance]:
    """Return the balance per entity in their order, and under ``total`` of everything received.

    Args:
        connection: to the ledger.
        since: only documents that came at or after this moment.
    """
    counts: dict[str, Counter[str]] = {}
    received: Counter[str] = Counter()
    condition = [_counts()]
    if since is not None:
        condition.append(document.c.created_at >= since)
    stated = await connection.execute(
        sa.select(document.c.entity, document.c.state, sa.func.count())
        .where(*condition)
        .group_by(document.c.entity, document.c.state)
    )
    for entity, state, count in stated:
        counts.setdefault(entity, Counter())[_DISPOSITIONS[state]] += count
    came = await connection.execute(
        sa.select(document.c.entity, sa.func.count()).where(*condition).group_by(document.c.entity)
    )
    for entity, count in came:
        received[entity] += count
    for entity, count in await _redelivered(connection, since):
        counts.setdefault(entity, Counter())["duplicate"] += count
        received[entity] += count
    result = {each: _balance(received[each], counts[each]) for each in sorted(counts)}
    result["total"] = _balance(sum(received.values()), sum(counts.values(), Counter()))
    return result


def _counts() -> sa.ColumnElement[bool]:
    """Whether a document was received and stands for itself: a replay stands for what it repeats."""
    return sa.and_(document.c.direction == "in", document.c.state != SUPERSEDED)


async def _redelivered(
    connection: AsyncConnection, since: datetime | None
) -> list[tuple[str, int]]:
    """Count documents of deliveries that were answered at the door by an earlier receipt."""
    # Written out, and not bound: only so is the index of those few seen to fit.
    condition = [receipt.c.redeliveries > sa.literal_column("0"), document.c.direction == "in"]
    if since is not None:
        condition.append(receipt.c.received_at >= since)
    result = await connection.execute(
        sa.select(document.c.entity, sa.func.sum(receipt.c.redeliveries))
        .join(document, document.c.receipt_id == receipt.c.id)
        .where(*condition)
        .group_by(document.c.entity)
    )
    return [(entity, int(count)) for entity, count in result]


def _balance(received: int, counts: Counter[str]) -> Balance:
    return Balance(received, **{name: counts[name] for name in _DISPOSITIONS.values()})


async def verdicts(connection: AsyncConnection) -> dict[str, int]:
    """Return how many received documents got each verdict."""
    result = await connection.execute(
        sa.select(document.c.verdict, sa.func.count().label("count_"))
        .where(_counts())
        .group_by(document.c.verdict)
    )
    return {row.verdict: int(row.count_) for row in result}


async def handled(connection: AsyncConnection) -> dict[str, int]:
    """Return how many holds were released and how many dead letters were replayed."""
    released = await connection.scalar(
        sa.select(sa.func.count())
        .select_from(hold)
        .where(hold.c.state == "released", hold.c.actor != "crossdock")
    )
    held = await connection.scalar(sa.select(sa.func.count()).select_from(hold))
    dead = await connection.scalar(sa.select(sa.func.count()).select_from(dead_letter))
    replayed = await connection.scalar(
        sa.select(sa.func.count()).select_from(dead_letter).where(dead_letter.c.replays > 0)
    )
    return {
        "held_ever": int(held or 0),
        "released": int(released or 0),
        "dead_ever": int(dead or 0),
        "replayed": int(replayed or 0),
    }
