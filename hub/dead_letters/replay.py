"""Beginning replays: any number of letters in one transaction, each with its row of the audit trail.

The hub does the rest by itself: its deliver roles find the delivery due, its resubmit job finds the
receipt. A delivery that may have taken effect is asked about before it is sent again.

A letter that cannot be replayed is refused and never keeps the others from it. Locks are taken in
the order in which settling takes them (documents, deliveries, letters), each by id.

Codes: ``letter_unknown``, ``letter_not_open`` (somebody was faster, or it is settled),
``already_delivered``, ``already_under_way``, ``delivery_missing``, ``receipt_missing`` (the ledger
lost what the letter is about).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from canonical.errors import Rejected
from hub.dead_letters.related import not_in
from hub.delivery.recovery import UNANSWERABLE
from hub.ledger import audit
from hub.ledger.arrays import among
from hub.ledger.deliveries import made_good
from hub.ledger.tables import attempt, dead_letter, delivery, document, receipt
from hub.release.holds import Act

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Locked:
    """Letters whose rows are locked, and what they are about, by id."""

    letters: Mapping[str, Row]
    deliveries: Mapping[str, Row]
    documents: Mapping[str, str]
    """Document -> its state."""
    receipts: Mapping[str, str]
    """Receipt -> its sha256."""


async def begin(connection: AsyncConnection, letter_id: str, act: Act) -> None:
    """Begin the replay of an open letter; the second of two callers is refused.

    Raises:
        Rejected: it cannot be replayed; nothing was changed.
    """
    refused = (await begin_all(connection, [letter_id], act))[letter_id]
    if refused is not None:
        raise refused


async def begin_all(
    connection: AsyncConnection, letter_ids: Sequence[str], act: Act
) -> dict[str, Rejected | None]:
    """Begin the replays of open letters; return for each why it was refused, or None.

    Its statements are few and the same however many letters there are.
    """
    locked = await _lock(connection, letter_ids)
    found = {name: await _refusal(connection, name, locked) for name in letter_ids}
    going = [locked.letters[name] for name, refused in found.items() if refused is None]
    if not going:
        return found
    sent = [row["delivery_id"] for row in going if row["delivery_id"] is not None]
    states = await _make_due(connection, sent, locked, act)
    documents = await _accept(connection, [locked.deliveries[each] for each in sent])
    by = {"actor": act.actor, "reason": act.reason}
    await connection.execute(
        sa.update(dead_letter)
        .where(among(dead_letter.c.id, [row["id"] for row in going]))
        .values(state="replaying", replays=dead_letter.c.replays + 1, **by)
    )
    entries = [_entry(row, locked, states, documents, act) for row in going]
    await audit.append_all(connection, entries, act.at)
    return found


async def _lock(connection: AsyncConnection, letter_ids: Sequence[str]) -> Locked:
    plain = sa.select(
        dead_letter.c.document_id, dead_letter.c.delivery_id, dead_letter.c.receipt_id
    )
    named = (await connection.execute(plain.where(among(dead_letter.c.id, letter_ids)))).all()
    whole = sa.select(document.c.id, document.c.state)
    documents = await connection.execute(
        whole.where(among(document.c.id, _ids(row.document_id for row in named)))
        .order_by(document.c.id)
        .with_for_update(key_share=True)
    )
    states = {row.id: row.state for row in documents}
    deliveries = await _deliveries(connection, _ids(row.delivery_id for row in named))
    letters = await connection.execute(
        sa.select(dead_letter)
        .where(among(dead_letter.c.id, letter_ids))
        .order_by(dead_letter.c.id)
        .with_for_update()
    )
    bytes_of = await connection.execute(
        sa.select(receipt.c.id, receipt.c.sha256).where(
            among(receipt.c.id, _ids(row.receipt_id for row in named if row.delivery_id is None))
        )
    )
    return Locked(
        letters={row["id"]: dict(row) for row in letters.mappings()},
        deliveries=deliveries,
        documents=states,
        receipts={row.id: row.sha256 for row in bytes_of},
    )


def _ids(values: Iterable[str | None]) -> list[str]:
    return sorted({value for value in values if value is not None})


async def _deliveries(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, Row]:
    """Lock deliveries; then, with what was settled while the locks were awaited, judge them."""
    if not ids:
        return {}
    await connection.execute(
        sa.select(delivery.c.id)
        .where(among(delivery.c.id, ids))
        .order_by(delivery.c.id)
        .with_for_update()
    )
    columns = (
        delivery,
        made_good(delivery).label("made_good"),
        _under_way().label("under_way"),
        may_be_there(delivery.c.id).label("doubtful"),
    )
    result = await connection.execute(sa.select(*columns).where(among(delivery.c.id, ids)))
    return {row["id"]: dict(row) for row in result.mappings()}


def _under_way() -> sa.ScalarSelect[str]:
    """Return the state of the same thing on another occasion that is not at rest."""
    twin = delivery.alias()
    same = (
        twin.c.document_id == delivery.c.document_id,
        twin.c.target == delivery.c.target,
        twin.c.action == delivery.c.action,
        twin.c.state.in_(("pending", "in_flight", "in_doubt")),
    )
    return sa.select(twin.c.state).where(*same).limit(1).scalar_subquery()


def may_be_there(delivery_id: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Whether any try of a delivery ended without anybody knowing whether it took effect."""
    doubtful = sa.or_(
        attempt.c.outcome.in_(("in_doubt", "ask_failed")),
        attempt.c.ended_at.is_(None),
        sa.and_(attempt.c.outcome == "dead", attempt.c.code == UNANSWERABLE),
    )
    return sa.exists().where(attempt.c.delivery_id == delivery_id, doubtful)


async def _refusal(connection: AsyncConnection, letter_id: str, locked: Locked) -> Rejected | None:
    letter = locked.letters.get(letter_id)
    if letter is None:
        return Rejected("letter_unknown", letter_id, "no dead letter has this id")
    if letter["state"] != "open":
        return await not_in(connection, letter)
    if letter["delivery_id"] is None:
        known = letter["receipt_id"] in locked.receipts
        gone = Rejected("receipt_missing", letter_id, "the ledger has no such receipt")
        return None if known else gone
    return _second_effect(letter_id, locked.deliveries.get(letter["delivery_id"]))


def _second_effect(letter_id: str, sent: Row | None) -> Rejected | None:
    if sent is None:
        return Rejected("delivery_missing", letter_id, "the ledger has no such delivery")
    if sent["state"] == "delivered" or sent["made_good"]:
        return Rejected("already_delivered", letter_id, "the target has it")
    if sent["under_way"] is not None or sent["state"] != "dead":
        state = sent["under_way"] or sent["state"]
        return Rejected("already_under_way", letter_id, f"the delivery is {state}")
    return None


async def _make_due(
    connection: AsyncConnection, sent: Sequence[str], locked: Locked, act: Act
) -> dict[str, str]:
    """Make deliveries due: pending, or in doubt so that the target is asked first."""
    doubtful = [each for each in sent if locked.deliveries[each]["doubtful"]]
    plain = [each for each in sent if not locked.deliveries[each]["doubtful"]]
    for state, ids in (("in_doubt", doubtful), ("pending", plain)):
        if ids:
            await connection.execute(
                sa.update(delivery)
                .where(among(delivery.c.id, ids))
                .values(state=state, next_at=act.at, settled_at=None, yields=True)
            )
    return dict.fromkeys(doubtful, "in_doubt") | dict.fromkeys(plain, "pending")


async def _accept(connection: AsyncConnection, sent: Sequence[Row]) -> dict[str, str]:
    """Call documents accepted again of which no delivery is given up any more."""
    if not sent:
        return {}
    stuck = sa.exists().where(
        delivery.c.document_id == document.c.id,
        delivery.c.state.in_(("dead", "cancelled")),
        sa.not_(made_good(delivery)),
    )
    changed = await connection.execute(
        sa.update(document)
        .where(
            among(document.c.id, _ids(row["document_id"] for row in sent)),
            document.c.state == "dead",
            sa.not_(stuck),
        )
        .values(state="accepted", settled_at=None)
        .returning(document.c.id, document.c.state)
    )
    return {row.id: row.state for row in changed}


def _entry(
    letter: Row, locked: Locked, states: Mapping[str, str], documents: Mapping[str, str], act: Act
) -> audit.Entry:
    sent = locked.deliveries.get(letter["delivery_id"] or "")
    document_state = locked.documents.get(letter["document_id"] or "")
    before = {
        "state": letter["state"],
        "delivery": sent and sent["state"],
        "document": document_state,
    }
    after: dict[str, Any]
    if sent is None:
        after = {"receipt": letter["receipt_id"], "sha256": locked.receipts[letter["receipt_id"]]}
    else:
        after = {
            "delivery": states[sent["id"]],
            "document": documents.get(letter["document_id"], document_state),
        }
    after |= {"state": "replaying", "replay": letter["replays"] + 1}
    return audit.Entry(act.actor, "dead_letter.replay", letter["id"], act.reason, before, after)
