"""Deliveries that are not done, with what is in their way in a person's words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.ledger.arrays import among
from hub.ledger.deliveries import WAITING, WAITING_BEHIND, WAITING_FOR_TARGET
from hub.ledger.tables import dead_letter, delivery, document

_DELIVERY = (
    "id", "target", "action", "state", "attempts", "reference", "business_key", "version", "code",
    "place", "detail", "next_at", "claimed_until", "created_at", "document_id",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which deliveries to list."""

    states: Sequence[str]
    targets: Sequence[str]
    """Named, so that the index over (target, state) finds them among millions that are done."""
    waiting: bool = False
    """Only those that wait behind something."""
    limit: int = 100


async def listing(connection: AsyncConnection, chosen: Chosen) -> list[dict[str, Any]]:
    """Return deliveries, the oldest first.

    Columns: those of the delivery, ``entity`` and ``number`` of its document, ``waiting`` (words,
    or None), ``blocker`` (the id of the delivery in its way, or None), ``letter`` (the dead letter
    that holds the blocker up, or None).
    """
    which = (
        _deliveries()
        .where(among(delivery.c.target, chosen.targets), among(delivery.c.state, chosen.states))
        .order_by(delivery.c.created_at, delivery.c.id)
        .limit(chosen.limit)
    )
    if chosen.waiting:
        which = which.where(delivery.c.code.in_(WAITING))
    # Chosen first: what is in their way is looked up for so many, not for all that wait.
    mine = which.subquery("mine")
    query = _found(mine).order_by(mine.c.created_at, mine.c.id)
    return [_shown(row) for row in (await connection.execute(query)).mappings()]


async def waiting(connection: AsyncConnection, documents: Sequence[str]) -> dict[str, str]:
    """Return, of those documents that wait behind something, what that is, in words."""
    which = _deliveries().where(
        among(delivery.c.document_id, documents),
        delivery.c.state == "pending",
        delivery.c.code.in_(WAITING),
    )
    found: dict[str, str] = {}
    for row in (await connection.execute(_found(which.subquery("mine")))).mappings():
        words = f"{row['target']}: {_waiting(row)}"
        known = found.get(row["document_id"])
        found[row["document_id"]] = f"{known}; {words}" if known else words
    return found


def _deliveries() -> sa.Select[Any]:
    return sa.select(*(delivery.c[name] for name in _DELIVERY))


def _found(mine: sa.Subquery) -> sa.Select[Any]:
    """Select deliveries with what is in their way."""
    other, its, letter = delivery.alias("other"), document.alias("its"), dead_letter.alias("letter")
    behind = sa.and_(mine.c.code == WAITING_BEHIND, other.c.id == mine.c.place)
    open_ = sa.and_(letter.c.delivery_id == other.c.id, letter.c.state.in_(("open", "replaying")))
    return sa.select(
        *mine.c,
        document.c.entity,
        document.c.number,
        other.c.id.label("blocker"),
        other.c.action.label("other_action"),
        other.c.state.label("other_state"),
        other.c.version.label("other_version"),
        its.c.entity.label("other_entity"),
        its.c.number.label("other_number"),
        letter.c.id.label("letter"),
    ).select_from(
        mine.outerjoin(document, document.c.id == mine.c.document_id)
        .outerjoin(other, behind)
        .outerjoin(its, its.c.id == other.c.document_id)
        .outerjoin(letter, open_)
    )


def _shown(row: sa.RowMapping) -> dict[str, Any]:
    shown = {name: value for name, value in row.items() if not name.startswith("other_")}
    return shown | {"waiting": _waiting(row)}


def _waiting(row: sa.RowMapping) -> str | None:
    if row["code"] == WAITING_FOR_TARGET:
        return f"until {row['place']} has it"
    if row["code"] != WAITING_BEHIND:
        return None
    if row["blocker"] is None:
        return f"behind {row['place']}"
    about = f"{row['other_entity']} {row['other_number'] or ''}".strip()
    words = f"behind {row['other_action']} of {about} v{row['other_version']}"
    held_up = f" (dead letter {row['letter'][:8]})" if row["letter"] else ""
    return f"{words}, which is {row['other_state']}{held_up}"
