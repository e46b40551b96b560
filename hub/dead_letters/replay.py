"""Beginning a replay: one letter, one transaction, one row of the audit trail.

The hub does the rest by itself: its deliver roles find the delivery due, its resubmit job finds the
receipt. A delivery that may have taken effect is asked about before it is sent again.

Codes, beside those of `locking`: ``already_delivered``, ``already_under_way``,
``delivery_missing``, ``receipt_missing`` (the ledger lost what the letter is about).
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from canonical.errors import Rejected
from hub.dead_letters.filters import State
from hub.dead_letters.locking import Held, hold, write
from hub.delivery.recovery import UNANSWERABLE
from hub.ledger import audit
from hub.ledger.deliveries import made_good
from hub.ledger.tables import attempt, delivery, document, receipt
from hub.release.holds import Act


async def begin(connection: AsyncConnection, letter_id: str, act: Act) -> None:
    """Begin the replay of an open letter; the second of two callers is refused.

    Raises:
        Rejected: it cannot be replayed; nothing was changed.
    """
    held = await hold(connection, letter_id, State.OPEN)
    if held.letter["delivery_id"] is None:
        after = await _from_receipt(connection, held)
    else:
        after = await _delivery(connection, held, act)
    number = held.letter["replays"] + 1
    by = {"actor": act.actor, "reason": act.reason}
    await write(connection, held, state="replaying", replays=number, **by)
    before = {
        "state": held.letter["state"],
        "delivery": held.delivery and held.delivery["state"],
        "document": held.document_state,
    }
    after |= {"state": "replaying", "replay": number}
    entry = audit.Entry(act.actor, "dead_letter.replay", letter_id, act.reason, before, after)
    await audit.append(connection, entry, act.at)


async def _from_receipt(connection: AsyncConnection, held: Held) -> dict[str, object]:
    found = sa.select(receipt.c.sha256).where(receipt.c.id == held.letter["receipt_id"])
    sha256 = await connection.scalar(found)
    if sha256 is None:
        raise Rejected("receipt_missing", held.letter["id"], "the ledger has no such receipt")
    return {"receipt": held.letter["receipt_id"], "sha256": sha256}


async def _delivery(connection: AsyncConnection, held: Held, act: Act) -> dict[str, object]:
    """Make the delivery due: pending, or in doubt so that the target is asked first."""
    sent = held.delivery
    if sent is None:
        raise Rejected("delivery_missing", held.letter["id"], "the ledger has no such delivery")
    await _refuse_second_effect(connection, held, sent)
    state = "in_doubt" if await _may_be_there(connection, sent["id"]) else "pending"
    await connection.execute(
        sa.update(delivery)
        .where(delivery.c.id == sent["id"])
        .values(state=state, next_at=act.at, settled_at=None)
    )
    stuck = sa.exists().where(
        delivery.c.document_id == sent["document_id"],
        delivery.c.state.in_(("dead", "cancelled")),
        sa.not_(made_good(delivery)),
    )
    changed = await connection.scalar(
        sa.update(document)
        .where(document.c.id == sent["document_id"], document.c.state == "dead", sa.not_(stuck))
        .values(state="accepted", settled_at=None)
        .returning(document.c.state)
    )
    return {"delivery": state, "document": changed or held.document_state}


async def _refuse_second_effect(
    connection: AsyncConnection, held: Held, sent: sa.RowMapping
) -> None:
    if sent["state"] == "delivered" or held.made_good:
        raise Rejected("already_delivered", held.letter["id"], "the target has it")
    twin = delivery.alias()
    under_way = await connection.scalar(
        sa.select(twin.c.state).where(
            twin.c.document_id == sent["document_id"],
            twin.c.target == sent["target"],
            twin.c.action == sent["action"],
            twin.c.state.in_(("pending", "in_flight", "in_doubt")),
        )
    )
    if under_way is not None or sent["state"] != "dead":
        state = under_way or sent["state"]
        raise Rejected("already_under_way", held.letter["id"], f"the delivery is {state}")


async def _may_be_there(connection: AsyncConnection, delivery_id: str) -> bool:
    """Whether any try of the delivery ended without anybody knowing whether it took effect."""
    doubtful = sa.or_(
        attempt.c.outcome.in_(("in_doubt", "ask_failed")),
        attempt.c.ended_at.is_(None),
        sa.and_(attempt.c.outcome == "dead", attempt.c.code == UNANSWERABLE),
    )
    query = sa.select(sa.exists().where(attempt.c.delivery_id == delivery_id, doubtful))
    return bool(await connection.scalar(query))
