"""Correcting a document before its replay: the original is kept, old and new are linked.

A letter that never became a delivery is corrected in its receipt's bytes; its next replay takes
those. A letter of a delivery is corrected in the canonical document itself, and only while no other
target has it as it was. What a person writes is taken only if it is valid and still the same
document (`edit_checks`). Above a value a second person has to approve it before it counts.

Codes, beside those of `edit_checks`, `json_patch` and `locking`: ``edit_off`` (nobody may),
``edit_too_late``, ``edit_waiting`` (another correction awaits approval), ``edit_conflict`` (one
counts already that this one does not begin with), ``edit_unknown``,
``edit_not_waiting``, ``second_person_needed``, ``archive_unavailable``.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from canonical.envelope import VERBS
from canonical.errors import Rejected, Retryable
from canonical.identity import event_id
from hub.dead_letters import edit_checks
from hub.dead_letters.edit_checks import Checked
from hub.dead_letters.filters import State
from hub.dead_letters.jobs import Threshold
from hub.dead_letters.locking import hold
from hub.dead_letters.plan import Planner
from hub.differences import between
from hub.events import Subject, canonical_event
from hub.ids import derived_id
from hub.ledger import audit
from hub.ledger import outbox as waiting_events
from hub.ledger.dead_letters import edited_of
from hub.ledger.tables import (
    dead_letter,
    delivery,
    document,
    key_head,
    letter_edit,
    outbox,
    receipt,
)
from hub.normalize.replay import replay_receipt
from hub.release.holds import Act

Row = dict[str, Any]
Letter = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Original:
    """What is corrected: ``receipt`` bytes or a canonical ``document``."""

    of: str
    body: bytes
    archive: str | None
    """Where the bytes are kept; None: not yet."""


async def original(plans: Planner, letter: Letter) -> Original:
    """Return what a correction of the letter begins with: the last correction, or the original.

    Raises:
        Rejected: ``document_missing``, ``receipt_missing`` or ``archive_damaged``.
    """
    if letter["delivery_id"] is not None:
        query = sa.select(document.c.canonical).where(document.c.id == letter["document_id"])
        async with plans.engine.connect() as ledger:
            canonical = await ledger.scalar(query)
        if canonical is None:
            raise Rejected("document_missing", letter["id"], "the ledger has no such document")
        return Original("document", orjson.dumps(canonical), None)
    row = await _receipt(plans, letter)
    place, sha256 = row["archive"], row["sha256"]
    async with plans.engine.connect() as ledger:
        newer = await edited_of(ledger, letter["edit_id"])
    if newer is not None:
        place, sha256 = newer
    body = await asyncio.to_thread(plans.archive.read, place, sha256)
    return Original("receipt", body, place)


async def check(plans: Planner, letter: Letter, before: Original, edited: bytes) -> Checked:
    """Check a correction; nothing is changed.

    Raises:
        Rejected: it cannot be taken; the code says why.
        Retryable: no worker could read it now.
    """
    if edited == before.body:
        raise Rejected("edit_empty", letter["id"], "nothing was changed")
    if before.of == "document":
        of = (await plans.prepare(letter)).of
        return edit_checks.check_document(of, letter["business_key"], edited)
    row = await _receipt(plans, letter)
    first = await asyncio.to_thread(plans.archive.read, row["archive"], row["sha256"])
    bodies = (first, before.body, edited)
    results = await plans.workers.normalize([_again(letter, row, body) for body in bodies])
    return edit_checks.check_receipt(letter, (first, results[0]), (results[1], results[2]))


def _again(letter: Letter, row: Row, body: bytes) -> Any:
    named = {key: letter[key] for key in ("position", "replays")} | {"letter": letter["id"]}
    return replay_receipt({**row, **named}, body)


async def _receipt(plans: Planner, letter: Letter) -> Row:
    query = sa.select(receipt).where(receipt.c.id == letter["receipt_id"])
    async with plans.engine.connect() as ledger:
        row = (await ledger.execute(query)).mappings().first()
    if row is None:
        raise Rejected("receipt_missing", letter["id"], "the ledger has no such receipt")
    return dict(row)


async def edit(
    plans: Planner, letter: Letter, pair: tuple[Original, bytes], act: Act, threshold: Threshold
) -> Row:
    """Take a correction, or keep it until a second person approves.

    Args:
        plans: how the corrected document is checked.
        letter: whose document is corrected.
        pair: what the person began with (`original`), and the corrected document.
        act: who does it, and why.
        threshold: above which value, before or after, a second person has to approve.

    Returns:
        The correction: ``id``, ``state`` (``accepted``, ``awaiting_approval``), ``changed`` (places).

    Raises:
        Rejected: it cannot be taken; nothing was changed.
        Retryable: ``archive_unavailable``, or no worker could read it now.
    """
    checked = await check(plans, letter, *pair)
    row = await _row(plans, letter, pair, act)
    waits = checked.exceeds(threshold.value)
    row["state"] = "awaiting_approval" if waits else "accepted"
    async with plans.engine.begin() as ledger:
        held = await hold(ledger, letter["id"], State.OPEN)
        await _refuse_second(ledger, letter["id"])
        await _refuse_stale(ledger, held.letter, row)
        await ledger.execute(sa.insert(letter_edit).values(**row))
        if not waits:
            await _take(ledger, row, checked, act)
        await _record(ledger, "dead_letter.edit", row, act)
    return row


async def would_edit(plans: Planner, letter: Letter, pair: tuple[Original, bytes]) -> Row:
    """Say what `edit` would do, and refuse what it would refuse; nothing is changed.

    Args:
        plans: how the corrected document is checked.
        letter: whose document would be corrected.
        pair: what the person began with (`original`), and the corrected document.

    Returns:
        ``letter_id``, ``of``, ``state`` (``would_edit``), ``changed`` (places).

    Raises:
        Rejected: it cannot be taken.
        Retryable: no worker could read it now.
    """
    before, edited = pair
    await check(plans, letter, before, edited)
    async with plans.engine.connect() as ledger, ledger.begin() as transaction:
        await hold(ledger, letter["id"], State.OPEN)
        await _refuse_second(ledger, letter["id"])
        if before.of == "document":
            await _refuse_late(ledger, letter["document_id"], letter["id"])
        await transaction.rollback()
    changed = _changed(before, edited)
    return {"letter_id": letter["id"], "of": before.of, "state": "would_edit", "changed": changed}


async def approve(plans: Planner, edit_id: str, act: Act, *, yes: bool = True) -> Row:
    """Let a correction count that somebody else made, or refuse it.

    Raises:
        Rejected: ``edit_unknown``, ``edit_not_waiting``, ``second_person_needed``, or why it cannot
            be taken any more.
    """
    query = sa.select(letter_edit).where(letter_edit.c.id == edit_id)
    async with plans.engine.connect() as ledger:
        found = (await ledger.execute(query)).mappings().first()
        if found is None:
            raise Rejected("edit_unknown", edit_id, "no correction has this id")
        whole = sa.select(dead_letter).where(dead_letter.c.id == found["letter_id"])
        letter: Letter = dict((await ledger.execute(whole)).mappings().one())
    if found["actor"] == act.actor:
        raise Rejected("second_person_needed", edit_id, "whoever made it cannot approve it")
    read = plans.archive.read
    edited = await asyncio.to_thread(read, found["edited_archive"], found["edited_sha256"])
    checked = await check(plans, letter, await original(plans, letter), edited) if yes else None
    state = "accepted" if yes else "refused"
    async with plans.engine.begin() as ledger:
        held = await hold(ledger, letter["id"], State.OPEN)
        changed = await ledger.execute(
            sa.update(letter_edit)
            .where(letter_edit.c.id == edit_id, letter_edit.c.state == "awaiting_approval")
            .values(state=state, approved_by=act.actor, approved_at=act.at)
        )
        if not changed.rowcount:
            raise Rejected("edit_not_waiting", edit_id, "somebody was faster")
        row = dict(found) | {"state": state}
        if checked is not None:
            await _refuse_stale(ledger, held.letter, row)
            await _take(ledger, row, checked, act)
        await _record(ledger, f"dead_letter.edit_{'approve' if yes else 'refuse'}", row, act)
    return row


async def _row(plans: Planner, letter: Letter, pair: tuple[Original, bytes], act: Act) -> Row:
    """Keep both forms in the archive; return the row of the correction."""
    before, edited = pair
    fresh = [edited] if before.archive is not None else [edited, before.body]
    try:
        places = await asyncio.to_thread(plans.archive.keep, fresh, act.at)
    except OSError as error:
        raise Retryable("archive_unavailable", "", type(error).__name__) from error
    sha256 = hashlib.sha256(edited).hexdigest()
    return {
        "id": derived_id("edit", letter["id"], sha256, act.at.isoformat()),
        "letter_id": letter["id"],
        "of": before.of,
        "original_sha256": hashlib.sha256(before.body).hexdigest(),
        "original_archive": before.archive or places[1],
        "edited_sha256": sha256,
        "edited_archive": places[0],
        "changed": _changed(before, edited),
        "actor": act.actor,
        "reason": act.reason,
        "made_at": act.at,
    }


def _changed(before: Original, edited: bytes) -> list[str]:
    return [each.where for each in between(before.body, edited)]


async def _refuse_second(ledger: AsyncConnection, letter_id: str) -> None:
    waiting = sa.exists().where(
        letter_edit.c.letter_id == letter_id, letter_edit.c.state == "awaiting_approval"
    )
    if await ledger.scalar(sa.select(waiting)):
        raise Rejected("edit_waiting", letter_id, "another correction of it awaits approval")


async def _refuse_stale(ledger: AsyncConnection, letter: sa.RowMapping, row: Row) -> None:
    """Refuse a correction of what is not the last form any more; the letter is locked."""
    if row["of"] == "document":
        # Another letter of the same document may have been corrected: the document says so itself.
        of = sa.select(document.c.canonical).where(document.c.id == letter["document_id"])
        now: Any = hashlib.sha256(orjson.dumps(await ledger.scalar(of))).hexdigest()
    else:
        newer = await edited_of(ledger, letter["edit_id"])
        came = sa.select(receipt.c.sha256).where(receipt.c.id == letter["receipt_id"])
        now = await ledger.scalar(came) if newer is None else newer[1]
    if now != row["original_sha256"]:
        detail = "somebody else's correction counts meanwhile: begin with that one"
        raise Rejected("edit_conflict", row["letter_id"], detail)


async def _take(ledger: AsyncConnection, row: Row, checked: Checked, act: Act) -> None:
    """Let a correction count; the letter is locked by the caller."""
    await ledger.execute(
        sa.update(dead_letter).where(dead_letter.c.id == row["letter_id"]).values(edit_id=row["id"])
    )
    if row["of"] == "document":
        await _write_document(ledger, row["letter_id"], checked, act)


async def _write_document(
    ledger: AsyncConnection, letter_id: str, checked: Checked, act: Act
) -> None:
    """Write the corrected document and publish it; no target may have it as it was."""
    of = sa.select(document).join(dead_letter, dead_letter.c.document_id == document.c.id)
    row = (await ledger.execute(of.where(dead_letter.c.id == letter_id))).mappings().one()
    await _refuse_late(ledger, row["id"], letter_id)
    await waiting_events.keep_whole(ledger, row["id"])
    values = {
        "canonical": checked.canonical,
        "content_id": checked.content_id,
        "amount": checked.amount,
        "currency": checked.currency,
    }
    await ledger.execute(sa.update(document).where(document.c.id == row["id"]).values(**values))
    await ledger.execute(
        sa.update(key_head)
        .where(key_head.c.document_id == row["id"])
        .values(content_id=checked.content_id, updated_at=act.at)
    )
    await _publish(ledger, dict(row) | values, act)


async def _refuse_late(ledger: AsyncConnection, document_id: str, letter_id: str) -> None:
    """Lock a document's deliveries: whoever claims one from now on reads it as corrected."""
    sent = sa.select(delivery.c.state).where(delivery.c.document_id == document_id)
    states = await ledger.scalars(sent.order_by(delivery.c.id).with_for_update())
    if {"delivered", "in_flight", "in_doubt"} & set(states):
        detail = "another target has the document as it was: send a change instead"
        raise Rejected("edit_too_late", letter_id, detail)


async def _publish(ledger: AsyncConnection, row: Row, act: Act) -> None:
    """Tell listeners: the same fact with other content is another event."""
    if row["version"] is None:
        return
    verb = next(iter(VERBS[row["entity"]]))
    subject = Subject(
        event_id=event_id(row["business_key"], row["content_id"], verb, row["version"]),
        entity=row["entity"],
        verb=verb,
        connection=row["connection"],
        business_key=row["business_key"],
        document_id=row["id"],
        content_id=row["content_id"],
        traceparent=row["trace_id"],
        version=row["version"],
    )
    event = canonical_event(subject, orjson.dumps(row["canonical"]), act.at, in_ledger=True)
    await ledger.execute(sa.insert(outbox).values(**event.row()))


async def _record(ledger: AsyncConnection, action: str, row: Row, act: Act) -> None:
    before = {"sha256": row["original_sha256"], "of": row["of"]}
    after = {
        "sha256": row["edited_sha256"],
        "edit": row["id"],
        "state": row["state"],
        "changed": row["changed"],
    }
    entry = audit.Entry(act.actor, action, row["letter_id"], act.reason, before, after)
    await audit.append(ledger, entry, act.at)
