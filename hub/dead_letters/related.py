"""Other dead letters of the same delivery, or of the same document of a receipt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from canonical.errors import Rejected
from hub.dead_letters.filters import State
from hub.ledger import dead_letters
from hub.ledger.arrays import among
from hub.ledger.tables import dead_letter
from hub.normalize.replay import replay_id

_COLUMNS = ("id", "state", "stage", "code", "place", "opened_at", "closed_at", "actor", "reason")


async def related(
    connection: AsyncConnection, letter: Mapping[Any, Any]
) -> Sequence[sa.RowMapping]:
    """Return the letters before and after one, the oldest first.

    Args:
        connection: to the ledger.
        letter: ``id``, ``delivery_id``, ``receipt_id`` and ``replays`` of it.
    """
    if letter["delivery_id"] is not None:
        same = dead_letter.c.delivery_id == letter["delivery_id"]
        others = sa.and_(same, dead_letter.c.id != letter["id"])
    else:
        before = await dead_letters.letters_before(connection, [letter["receipt_id"]])
        numbers = range(1, letter["replays"] + 1)
        after = [replay_id(letter["id"], number) for number in numbers]
        others = sa.or_(among(dead_letter.c.id, before), among(dead_letter.c.receipt_id, after))
    query = sa.select(*(dead_letter.c[name] for name in _COLUMNS)).where(others)
    return (await connection.execute(query.order_by(dead_letter.c.opened_at))).mappings().all()


async def not_in(
    connection: AsyncConnection, letter: Mapping[Any, Any], expected: State = State.OPEN
) -> Rejected:
    """Return ``letter_not_open``: how the letter is, and which one took its place.

    Args:
        connection: to the ledger.
        letter: as of `related`, with its ``state`` and ``opened_at``.
        expected: the state that it would have to be in.
    """
    after = await _successor(connection, letter) if letter["state"] == State.REPLAYED else ""
    detail = f"it is {letter['state']}, not {expected}{after}"
    return Rejected("letter_not_open", letter["id"], detail)


async def _successor(connection: AsyncConnection, letter: Mapping[Any, Any]) -> str:
    """Return in words which letter its replay opened, if one did; else nothing."""
    found = await related(connection, letter)
    later = [each for each in found if each["opened_at"] > letter["opened_at"]]
    if not later:
        return ""
    return f": its replay failed, see {later[-1]['id'][:8]} ({later[-1]['state']})"
