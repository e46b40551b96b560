"""Replays: one document of an earlier receipt, decided again because a person asked for it.

A replay is a receipt of its own. Bytes, connection, flow and moment are those of the earlier one, so
that it maps as it would have mapped then; its id is derived from its dead letter and the number of
the replay, so that it is decided once, however often it is stored. Its facts name the earlier
receipt (``replay_of``), the document's place in it (``position``) and the ``letter``.

Codes: ``document_gone`` (today's codec reads nothing at that position).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from canonical.errors import HubError, Rejected
from connectors.base import Receipt
from hub.ids import derived_id
from hub.ledger import dead_letters
from hub.workers.jobs import Acknowledged, Failed, Normalized, NormalizeResult

Item = Normalized | Failed | Acknowledged
Row = sa.RowMapping | Mapping[str, Any]

_LETTER = "letter"


@dataclass(frozen=True, slots=True)
class Replay:
    """What a replay is to decide again, and what the earlier receipt has settled already."""

    letter: str
    document: str
    """The failed document that the outcome stands for from now on."""
    position: int
    entity: str | None
    """Which of the documents that this position became; None: all of them."""
    flow: str
    stage: str
    tries: int
    """How often it was tried before."""
    decided: frozenset[int]
    """Positions of the earlier receipt that have outcomes of their own."""
    answered: bool
    """The sender has its answers."""


def replay_id(letter: str, number: int) -> str:
    """Return the receipt id of a letter's replay; the first replay has number 1."""
    return derived_id("replay", letter, str(number))


def replay_receipt(row: Row, body: bytes) -> Receipt:
    """Return the receipt that replays a letter.

    Args:
        row: the letter and its receipt, as `dead_letters.to_resubmit` gives them.
        body: the receipt's bytes.
    """
    number = str(row["replays"])
    told = {"replay_of": row["id"], "position": str(row["position"]), _LETTER: row["letter"]}
    return Receipt(
        id=replay_id(row["letter"], row["replays"]),
        connection=row["connection"],
        delivery_id=f"replay:{row['letter']}:{number}",
        received_at=row["received_at"],
        body=body,
        flow=row["flow"],
        content_type=row["content_type"],
        facts=row["facts"] | told,
    )


def is_replay(receipt: Receipt) -> bool:
    """Tell whether the receipt says that it replays a letter; no transport writes that fact."""
    return _LETTER in receipt.facts


async def replays_among(ledger: AsyncConnection, receipts: Iterable[Receipt]) -> dict[str, Replay]:
    """Lock the letters of the replays among these receipts; return what to decide, by receipt.

    A replay that nobody waits for any more is not among them: its letter was closed otherwise.
    """
    asked = {each.facts[_LETTER] for each in receipts if is_replay(each)}
    if not asked:
        return {}
    letters = await dead_letters.lock_replaying(ledger, asked)
    earlier = await dead_letters.documents_of(ledger, (row["receipt_id"] for row in letters))
    return {replay_id(row["id"], row["replays"]): replay_of(row, earlier) for row in letters}


def replay_of(letter: Row, earlier: Iterable[Row]) -> Replay:
    """Return what a replay of the letter decides.

    Args:
        letter: its row.
        earlier: the documents of its receipt, as `dead_letters.documents_of` gives them.
    """
    others = [
        row
        for row in earlier
        if row["receipt_id"] == letter["receipt_id"] and row["id"] != letter["document_id"]
    ]
    return Replay(
        letter=letter["id"],
        document=letter["document_id"],
        position=letter["position"],
        entity=letter["entity"],
        flow=letter["flow"] or "",
        stage=letter["stage"],
        tries=letter["attempts"],
        decided=frozenset(row["position"] for row in others if row["direction"] == "in"),
        answered=any(row["direction"] == "out" for row in others),
    )


def select(result: NormalizeResult, replay: Replay) -> NormalizeResult:
    """Keep what the replay is about; never nothing: what is gone has failed again.

    A receipt that could not be read as a whole left nothing behind its letter: what can be read of
    it now is decided, and its sender gets the answers that it never got. Otherwise no answer is
    owed a second time, and a refusal that was never answered stays a dead letter.
    """
    unread = replay.stage == "decode"
    answers = result.answers if unread and not replay.decided and not replay.answered else ()
    kept = [item for item in result.documents if _is_wanted(item, replay)]
    if not any(item.position == replay.position for item in kept):
        kept.insert(0, _gone(result, replay))
    if not answers:
        kept = [_unanswered(item) for item in kept]
    return NormalizeResult(tuple(kept), answers)


def _is_wanted(item: Item, replay: Replay) -> bool:
    if item.position != replay.position:
        return replay.stage == "decode" and item.position not in replay.decided
    entity = None if isinstance(item, Acknowledged) else item.entity
    return replay.entity is None or entity in (replay.entity, None)


def _unanswered(item: Item) -> Item:
    return item._replace(answered=False) if isinstance(item, Failed) else item


def _gone(result: NormalizeResult, replay: Replay) -> Failed:
    error: HubError = Rejected("document_gone", "", "nothing is read at this position any more")
    if len(result.documents) == 1:
        only = result.documents[0]
        if isinstance(only, Failed) and only.stage == "decode":
            error = only.error  # the receipt as a whole cannot be read
    return Failed(replay.position, "", replay.flow, replay.entity, "decode", error)
