"""Giving dead letters up, taking that back, and deleting what was given up long ago.

An open letter keeps every later version under its business key waiting. Archiving it gives its
delivery up (``cancelled``), and what of the same document was to follow it at other targets: the
later versions go on. The document stays dead in the account: nothing of it was delivered there.

Nothing is deleted by itself. Purging takes a person, and letters whose retention is over: counted
from the moment they were archived, so that a restored letter starts anew. Documents, tries and bytes
stay: they are the ledger's and the archive's, not the letter's.

Codes, beside those of `locking`: ``later_delivered`` (restoring would turn the order round),
``retention_not_over``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from canonical.errors import Rejected
from hub.dead_letters.filters import State
from hub.dead_letters.locking import Held, hold, write
from hub.ledger import audit
from hub.ledger.arrays import among
from hub.ledger.deliveries import WAITING_BEHIND
from hub.ledger.tables import dead_letter, delivery, letter_edit
from hub.release.holds import Act

GIVEN_UP = "given_up"
"""Code of a delivery that was cancelled with the one it was to follow; its `place` is the letter."""


async def archive(connection: AsyncConnection, letter_id: str, act: Act) -> None:
    """Give an open letter up; what waited behind it goes on.

    Raises:
        Rejected: ``letter_unknown``, ``letter_not_open``.
    """
    held = await hold(connection, letter_id, State.OPEN)
    gone: list[str] = []
    if held.delivery is not None and held.is_dead and not held.made_good:
        await _change(connection, [held.delivery["id"]], state="cancelled")
        gone = [held.delivery["id"], *await _give_up_followers(connection, held, act)]
        await _wake(connection, gone, act)
    by = {"actor": act.actor, "reason": act.reason}
    await write(connection, held, state="archived", closed_at=act.at, **by)
    after = {"state": "archived", "cancelled": gone}
    await _record(connection, held, "dead_letter.archive", act, after)


async def restore(connection: AsyncConnection, letter_id: str, act: Act) -> None:
    """Open an archived letter again; its business key waits for it as before.

    Raises:
        Rejected: ``letter_unknown``, ``letter_not_open``, ``later_delivered``.
    """
    held = await hold(connection, letter_id, State.ARCHIVED)
    back: list[str] = []
    if held.delivery is not None and held.delivery["state"] == "cancelled":
        followers = await _given_up(connection, held)
        for row in (held.delivery, *followers):
            await _refuse_overtaken(connection, row, letter_id)
        await _change(connection, [held.delivery["id"]], state="dead")
        ids = [row["id"] for row in followers]
        cleared = {"code": None, "place": None, "settled_at": None}
        await _change(connection, ids, state="pending", next_at=act.at, **cleared)
        back = [held.delivery["id"], *ids]
    by = {"actor": act.actor, "reason": act.reason}
    await write(connection, held, state="open", closed_at=None, **by)
    await _record(connection, held, "dead_letter.restore", act, {"state": "open", "back": back})


async def purge(connection: AsyncConnection, letter_id: str, act: Act, retention_days: int) -> None:
    """Delete an archived letter whose retention is over; the audit trail keeps what it was.

    Raises:
        Rejected: ``letter_unknown``, ``letter_not_open``, ``retention_not_over``.
    """
    held = await hold(connection, letter_id, State.ARCHIVED)
    letter = held.letter
    until = (letter["closed_at"] or act.at) + timedelta(days=retention_days)
    if act.at < until:
        raise Rejected("retention_not_over", letter_id, f"it is kept until {until:%Y-%m-%d}")
    await connection.execute(sa.delete(letter_edit).where(letter_edit.c.letter_id == letter_id))
    await connection.execute(sa.delete(dead_letter).where(dead_letter.c.id == letter_id))
    told = ("stage", "code", "target", "receipt_id", "document_id", "delivery_id", "reason")
    before = {name: letter[name] for name in (*told, "state", "actor")}
    before |= {"opened_at": letter["opened_at"].isoformat()}
    entry = audit.Entry(act.actor, "dead_letter.purge", letter_id, act.reason, before, None)
    await audit.append(connection, entry, act.at)


async def _give_up_followers(connection: AsyncConnection, held: Held, act: Act) -> list[str]:
    """Cancel what of the document waits for this target, and for those that wait for it."""
    letter = held.letter
    ids: list[str] = []
    targets = {letter["target"]}
    before = delivery.alias()
    while targets:
        ready = sa.exists().where(
            before.c.document_id == delivery.c.document_id,
            before.c.target == delivery.c.after_target,
            before.c.state == "delivered",
        )
        result = await connection.execute(
            sa.update(delivery)
            .where(
                delivery.c.document_id == letter["document_id"],
                among(delivery.c.after_target, targets),
                delivery.c.state == "pending",
                sa.not_(ready),
            )
            .values(
                state="cancelled",
                code=GIVEN_UP,
                place=letter["id"],
                next_at=None,
                settled_at=act.at,
            )
            .returning(delivery.c.id, delivery.c.target)
        )
        rows = result.all()
        ids += [row.id for row in rows]
        targets = {row.target for row in rows}
    return ids


async def _wake(connection: AsyncConnection, gone: Sequence[str], act: Act) -> None:
    """Make due at once what waited behind these deliveries."""
    await connection.execute(
        sa.update(delivery)
        .where(
            delivery.c.business_key.in_(
                sa.select(delivery.c.business_key).where(among(delivery.c.id, gone))
            ),
            delivery.c.state == "pending",
            delivery.c.code == WAITING_BEHIND,
        )
        .values(next_at=act.at)
    )


async def _given_up(connection: AsyncConnection, held: Held) -> Sequence[sa.RowMapping]:
    query = sa.select(delivery).where(
        delivery.c.document_id == held.letter["document_id"],
        delivery.c.state == "cancelled",
        delivery.c.code == GIVEN_UP,
        delivery.c.place == held.letter["id"],
    )
    return (await connection.execute(query.with_for_update())).mappings().all()


async def _refuse_overtaken(
    connection: AsyncConnection, row: sa.RowMapping, letter_id: str
) -> None:
    """Lock all later versions at the same target; none may have gone there, or be on its way.

    A role that claims one of them leaves out what is locked here, and one that claimed it before
    is seen.
    """
    query = sa.select(delivery.c.state).where(
        delivery.c.business_key == row["business_key"],
        delivery.c.target == row["target"],
        delivery.c.version > row["version"],
    )
    locked = query.order_by(delivery.c.id).with_for_update()
    states = set((await connection.execute(locked)).scalars())
    if states & {"delivered", "in_flight", "in_doubt"}:
        detail = f"a later version has gone to {row['target']}"
        raise Rejected("later_delivered", letter_id, detail)


async def _change(connection: AsyncConnection, ids: Sequence[str], **values: Any) -> None:
    await connection.execute(sa.update(delivery).where(among(delivery.c.id, ids)).values(**values))


async def _record(
    connection: AsyncConnection, held: Held, action: str, act: Act, after: dict[str, Any]
) -> None:
    before = {"state": held.letter["state"], "delivery": held.delivery and held.delivery["state"]}
    entry = audit.Entry(act.actor, action, held.letter["id"], act.reason, before, after)
    await audit.append(connection, entry, act.at)
