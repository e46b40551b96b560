"""Taking hold of one dead letter, so that two people at once cannot both act on it.

Codes: ``letter_unknown``, ``letter_not_open`` (somebody was faster, or it is settled).
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from canonical.errors import Rejected
from hub.dead_letters.filters import State
from hub.dead_letters.related import not_in
from hub.ledger.deliveries import made_good
from hub.ledger.tables import dead_letter, delivery, document


@dataclass(frozen=True, slots=True)
class Held:
    """A letter whose row is locked, with its delivery and document."""

    letter: sa.RowMapping
    delivery: sa.RowMapping | None
    """None where the document never came to a delivery."""
    document_state: str | None
    made_good: bool
    """The delivery is dead, but was made on another occasion."""

    @property
    def is_dead(self) -> bool:
        """The delivery still is as its letter says."""
        return self.delivery is not None and self.delivery["state"] == "dead"


async def hold(connection: AsyncConnection, letter_id: str, expected: State) -> Held:
    """Lock a letter until the transaction ends.

    In the order in which settling locks (document, delivery, letter): the two never deadlock.

    Raises:
        Rejected: ``letter_unknown``; ``letter_not_open`` where it is not in the expected state.
    """
    plain = sa.select(dead_letter.c.document_id, dead_letter.c.delivery_id)
    named = (await connection.execute(plain.where(dead_letter.c.id == letter_id))).first()
    if named is None:
        raise Rejected("letter_unknown", letter_id, "no dead letter has this id")
    whole = sa.select(document.c.state).where(document.c.id == named.document_id)
    state = await connection.scalar(whole.with_for_update(key_share=True))
    sent = None
    if named.delivery_id is not None:
        sent = await _locked(connection, delivery, named.delivery_id)
    letter = await _locked(connection, dead_letter, letter_id)
    if letter is None:
        raise Rejected("letter_not_open", letter_id, f"it is gone, not {expected}")
    if letter["state"] != expected:
        raise await not_in(connection, letter, expected)
    return Held(letter, sent, state, await _made_good(connection, sent))


async def _locked(
    connection: AsyncConnection, table: sa.Table, row_id: str
) -> sa.RowMapping | None:
    query = sa.select(table).where(table.c.id == row_id).with_for_update()
    return (await connection.execute(query)).mappings().first()


async def _made_good(connection: AsyncConnection, sent: sa.RowMapping | None) -> bool:
    if sent is None:
        return False
    query = sa.select(made_good(delivery)).where(delivery.c.id == sent["id"])
    return bool(await connection.scalar(query))


async def write(connection: AsyncConnection, held: Held, **values: object) -> None:
    """Write the letter's new state."""
    await connection.execute(
        sa.update(dead_letter).where(dead_letter.c.id == held.letter["id"]).values(**values)
    )
