"""What became of letters that were acted on: one outcome each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.ids import derived_id
from hub.ledger.arrays import among
from hub.ledger.tables import dead_letter, delivery, document
from hub.normalize.replay import replay_id

REFUSED = "refused"
UNDER_WAY = "under_way"
REPLAYED = "replayed"
FAILED_AGAIN = "failed_again"
NOT_DONE = "not_done"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one letter fared.

    Outcomes: ``replayed``, ``failed_again``, ``under_way``, ``refused``, ``not_done`` (the ledger
    or the archive failed), ``archived``, ``restored``, for a dry run ``would_replay``,
    ``would_archive``, ``would_restore``, and of replay jobs ``skipped`` (an earlier letter of the
    same business key did not go), ``cancelled`` and ``not_begun`` (the job stopped).
    """

    id: str
    outcome: str
    code: str = ""
    where: str = ""
    detail: str = ""
    new_letter: str | None = None
    """The letter that opened when it failed again."""

    def row(self) -> dict[str, Any]:
        """Return it as a row to print."""
        return asdict(self)


async def outcomes(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, Outcome]:
    """Return how replays stand now, by letter."""
    sent = (
        delivery.c.state.label("sent"),
        delivery.c.external_id,
        delivery.c.attempts.label("tries"),
        delivery.c.code.label("sent_code"),
        delivery.c.place.label("sent_place"),
        delivery.c.detail.label("sent_detail"),
    )
    result = await connection.execute(
        sa.select(dead_letter, *sent)
        .outerjoin(delivery, delivery.c.id == dead_letter.c.delivery_id)
        .where(among(dead_letter.c.id, ids))
    )
    rows = list(result.mappings())
    made = await _documents(connection, [row for row in rows if row["delivery_id"] is None])
    return {
        row["id"]: _of_receipt(row, made.get(row["id"], ())) if row["sent"] is None else _sent(row)
        for row in rows
    }


async def _documents(
    connection: AsyncConnection, letters: Sequence[sa.RowMapping]
) -> dict[str, list[sa.RowMapping]]:
    """Return what the last replay of each letter made."""
    names = {replay_id(row["id"], row["replays"]): row["id"] for row in letters}
    result = await connection.execute(
        sa.select(document).where(among(document.c.receipt_id, names), document.c.direction == "in")
    )
    found: dict[str, list[sa.RowMapping]] = {}
    for row in result.mappings():
        found.setdefault(names[row["receipt_id"]], []).append(row)
    return found


def _sent(row: sa.RowMapping) -> Outcome:
    """Return the outcome of a delivery that was made due again."""
    error = (row["sent_code"] or "", row["sent_place"] or "", row["sent_detail"] or "")
    if row["sent"] == "delivered":
        return Outcome(row["id"], REPLAYED, detail=row["external_id"] or "")
    if row["sent"] == "dead" and row["state"] == "replayed":
        # As `settlements` names the letter of a delivery that has died.
        fresh = derived_id("dead-letter", row["delivery_id"], str(row["tries"]))
        return Outcome(row["id"], FAILED_AGAIN, *error, new_letter=fresh)
    if row["sent"] == "cancelled":
        return Outcome(row["id"], NOT_DONE, "cancelled", "", "somebody gave the delivery up")
    return Outcome(row["id"], UNDER_WAY, *error)


def _of_receipt(row: sa.RowMapping, made: Sequence[sa.RowMapping]) -> Outcome:
    """Return the outcome of a receipt that went through the pipeline again."""
    if row["state"] == "replaying":
        return Outcome(row["id"], UNDER_WAY)
    if row["state"] != "replayed":
        return Outcome(row["id"], NOT_DONE, "archive_damaged", "", "its bytes cannot be read")
    for each in made:
        if each["state"] == "dead":
            error = (each["code"] or "", each["place"] or "", each["detail"] or "")
            fresh = derived_id("dead-letter", each["id"])
            return Outcome(row["id"], FAILED_AGAIN, *error, new_letter=fresh)
    said = "; ".join(f"{each['entity']} {each['number'] or ''} {each['state']}" for each in made)
    return Outcome(row["id"], REPLAYED, detail=said or "nothing new in it")
