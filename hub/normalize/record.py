"""Writing a plan: every row of a batch, inside the caller's one transaction."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from hub.events import Event
from hub.ledger import bulk, confirmations, dead_letters, keys, reference
from hub.ledger.tables import dead_letter, delivery, document, hold, outbox
from hub.normalize.plan import Plan


async def write(connection: AsyncConnection, plan: Plan, now: datetime) -> None:
    """Write documents, verdicts, holds, deliveries, dead letters, snapshots, replays, the outbox."""
    await bulk.copy(connection, document, plan.documents)
    await keys.save(connection, plan.heads, now)
    await bulk.copy(connection, hold, plan.holds)
    await bulk.copy(connection, delivery, plan.deliveries)
    await bulk.copy(connection, dead_letter, plan.dead_letters)
    await reference.save(connection, list(plan.references.values()))
    letters = [replay.letter for replay in plan.replayed]
    failed = [replay.document for replay in plan.replayed]
    await dead_letters.close_replayed(connection, letters, failed, now)
    plan.events.extend(await confirmations.settle(connection, plan.confirmations))
    await write_events(connection, plan.events)


async def write_events(connection: AsyncConnection, events: list[Event]) -> None:
    """Put events into the outbox; they are published once the transaction is committed."""
    await bulk.copy(connection, outbox, [event.row() for event in events])
