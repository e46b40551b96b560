"""Replay jobs: asking for one, approving it, cancelling it, and how it stands.

A job is rows in the ledger: whoever asked may go away, and a hub that dies goes on where it was.

==================  ===========================================================================
state               means
==================  ===========================================================================
awaiting_approval   above what one person may do: a second one has to approve it
canary              its first letters go; the others wait for their outcomes
running             its letters go, the oldest first, at its rate
done                every letter has its outcome
stopped             it ended by itself, `code` says why; what had not begun stays open
cancelled           somebody ended it; what had not begun stays open
refused             the second person said no
==================  ===========================================================================

Codes: ``job_unknown``, ``job_ambiguous``, ``job_ended``, ``job_not_waiting`` (for approval),
``second_person_needed``, ``nothing_chosen``, ``letter_not_open``, ``already_queued`` (all of them
wait in other jobs),
``too_many`` (more than `most`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from canonical.errors import Rejected
from hub.dead_letters import letters
from hub.dead_letters.filters import SHORTEST, Filters, State, resolve
from hub.dead_letters.outcome import FAILED_AGAIN
from hub.dead_letters.related import not_in
from hub.ids import new_id
from hub.ledger import audit, replays
from hub.ledger.arrays import among
from hub.ledger.replays import CANCELLED, NOT_BEGUN
from hub.ledger.tables import dead_letter, delivery, document, replay_item, replay_job
from hub.release.holds import Act

Row = dict[str, Any]

_AT_ONCE = 200
"""Letters of one statement: the documents of each lie somewhere else on disk."""
_MOST_ARRIVED = 1000
_MOST_TOLD = 5
"""Of so many letters it is said why they cannot go."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants replayed, and how."""

    filters: Filters
    per_second: float
    canary: int = 0
    """So many go first; the others only if all of these went well."""
    most: int | None = None
    """Refuse if more letters are chosen."""
    map_version: str | None = None
    """Stop unless the hub runs a mapping of this version (or one that begins like this)."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """Above what a second person has to approve; None: never."""

    letters: int | None = None
    value: Decimal | None = None
    """In any one currency."""

    def exceeded(self, count: int, money: Mapping[str, str]) -> bool:
        """Return whether a job of so many letters, worth so much, needs a second person."""
        if self.letters is not None and count > self.letters:
            return True
        value = self.value
        return value is not None and any(Decimal(each) > value for each in money.values())


async def ask(connection: AsyncConnection, wish: Wish, act: Act, threshold: Threshold) -> Row:
    """Write a job with all letters that the filters choose and no other job has.

    Returns:
        The job, as `status` gives it, and ``left_out``: how many letters that were named are not
        open, or wait in other jobs.

    Raises:
        Rejected: ``too_many``, ``nothing_chosen``, ``letter_not_open`` or ``already_queued``; those
            of the filters.
    """
    job_id = new_id(int(act.at.timestamp() * 1000))
    only_open = replace(wish.filters, state=State.OPEN)
    chosen = await letters.choice(connection, only_open, (State.OPEN,))
    await _check_most(connection, wish, chosen)
    await replays.free(connection, act.at)
    total = await replays.choose(connection, job_id, chosen)
    if not total:
        await _refuse_empty(connection, wish.filters, chosen)
    canary = min(wish.canary, total)
    if canary:
        await replays.mark_canary(connection, job_id, canary)
    money, targets = await replays.worth(connection, job_id)
    waits = threshold.exceeded(total, money)
    row = {
        "id": job_id,
        "state": "awaiting_approval" if waits else _first_state(canary),
        "filters": wish.filters.as_json(),
        "actor": act.actor,
        "reason": act.reason,
        "per_second": wish.per_second,
        "canary": canary,
        "map_version": wish.map_version,
        "total": total,
        "money": money,
        "targets": targets,
        "requested_at": act.at,
        "next_at": act.at,
    }
    await replays.add(connection, row)
    told = ("state", "total", "money", "targets", "filters", "per_second", "canary", "map_version")
    await _record(connection, "replay_job.ask", row, act, {name: row[name] for name in told})
    return await status(connection, job_id) | {
        "left_out": max(0, len(set(wish.filters.ids)) - total)
    }


def _first_state(canary: int) -> str:
    return "canary" if canary else "running"


async def _check_most(connection: AsyncConnection, wish: Wish, chosen: sa.Select[Any]) -> None:
    if wish.most is None:
        return
    more = chosen.limit(min(wish.most + 1, wish.filters.limit or wish.most + 1)).subquery()
    count = await connection.scalar(sa.select(sa.func.count()).select_from(more)) or 0
    if count > wish.most:
        raise Rejected("too_many", "max", f"more than {wish.most} letters are chosen")


async def _refuse_empty(
    connection: AsyncConnection, filters: Filters, chosen: sa.Select[Any]
) -> None:
    if await connection.scalar(sa.select(sa.exists(chosen))):
        raise Rejected("already_queued", "", "all of them wait in other replay jobs")
    raise await _none_open(connection, filters.ids)


async def _none_open(connection: AsyncConnection, names: Sequence[str]) -> Rejected:
    """Say of letters that were named how they are, where none of them can go."""
    ids = await resolve(connection, names[:_MOST_TOLD])
    query = sa.select(dead_letter).where(among(dead_letter.c.id, ids)).order_by(dead_letter.c.id)
    rows = (await connection.execute(query)).mappings().all()
    if not rows or any(row["state"] == State.OPEN for row in rows):
        return Rejected("nothing_chosen", "", "no open dead letter matches")
    told = [await not_in(connection, row) for row in rows]
    if len(names) == 1:
        return told[0]
    each = "; ".join(f"{one.where[:SHORTEST]}: {one.detail}" for one in told)
    more = "" if len(names) <= _MOST_TOLD else "; ..."
    return Rejected("letter_not_open", "", f"none of them is open: {each}{more}")


async def find(connection: AsyncConnection, name: str) -> str:
    """Return the id of a job by its id or the first characters of it.

    Raises:
        Rejected: ``job_unknown`` or ``job_ambiguous``.
    """
    if len(name) < SHORTEST:
        raise Rejected("id_too_short", name, f"give at least {SHORTEST} characters")
    begins = replay_job.c.id.startswith(name, autoescape=True)
    found = await connection.execute(sa.select(replay_job.c.id).where(begins).limit(2))
    ids = found.scalars().all()
    if not ids:
        raise Rejected("job_unknown", name, "no replay job has this id")
    if len(ids) > 1:
        raise Rejected("job_ambiguous", name, "several ids begin like this; give more of it")
    return str(ids[0])


async def listing(connection: AsyncConnection, limit: int) -> list[Row]:
    """Return the newest jobs with their counts."""
    query = sa.select(replay_job).order_by(replay_job.c.requested_at.desc()).limit(limit)
    rows = [dict(row) for row in (await connection.execute(query)).mappings()]
    counts = await replays.counts(connection, [row["id"] for row in rows])
    return [row | {"counts": counts[row["id"]]} for row in rows]


async def status(connection: AsyncConnection, job_id: str) -> Row:
    """Return a job with ``counts``: how many letters there are of each outcome."""
    query = sa.select(replay_job).where(replay_job.c.id == job_id)
    row = (await connection.execute(query)).mappings().one()
    return dict(row) | {"counts": (await replays.counts(connection, [job_id]))[job_id]}


async def items(
    connection: AsyncConnection, job_id: str, outcome: str | None, limit: int
) -> list[Row]:
    """Return letters of a job with their outcomes, in their order."""
    columns = (
        replay_item.c.seq,
        replay_item.c.letter_id.label("id"),
        document.c.number,
        replays.standing().label("outcome"),
        replay_item.c.code,
        replay_item.c.place.label("where"),
        replay_item.c.detail,
        replay_item.c.new_letter,
        replay_item.c.begun_at,
        replay_item.c.ended_at,
    )
    of = replay_item.join(replay_job, replay_job.c.id == replay_item.c.job_id)
    whole = of.outerjoin(dead_letter, dead_letter.c.id == replay_item.c.letter_id)
    query = (
        sa.select(*columns)
        .select_from(whole.outerjoin(document, document.c.id == dead_letter.c.document_id))
        .where(replay_item.c.job_id == job_id)
        .order_by(replay_item.c.seq)
    )
    if outcome is not None:
        query = query.where(replays.standing() == outcome)
    found: list[Row] = []
    while len(found) < limit:
        most = min(_AT_ONCE, limit - len(found))
        page = query.where(replay_item.c.seq > found[-1]["seq"]) if found else query
        rows = [dict(row) for row in (await connection.execute(page.limit(most))).mappings()]
        found += rows
        if len(rows) < most:
            break
    return found


async def arrived(connection: AsyncConnection, job: Mapping[str, Any]) -> int:
    """Return how many letters have come since that the job's filters would choose; at most 1,000.

    Not those that its own replays have left behind: they stand among its items.
    """
    asked = Filters.of_json(job["filters"])
    if asked.ids:
        return 0
    moment = max(filter(None, (asked.since, job["requested_at"])))
    newer = replace(asked, since=moment, state=State.OPEN, limit=_MOST_ARRIVED)
    own = sa.select(replay_item.c.new_letter).where(
        replay_item.c.job_id == job["id"],
        replay_item.c.outcome == FAILED_AGAIN,
        replay_item.c.new_letter.is_not(None),
    )
    chosen = await letters.choice(connection, newer, (State.OPEN,))
    found = chosen.where(dead_letter.c.id.not_in(own)).subquery()
    return int(await connection.scalar(sa.select(sa.func.count()).select_from(found)) or 0)


async def approve(connection: AsyncConnection, job_id: str, act: Act, *, yes: bool = True) -> Row:
    """Let a job go that waits for a second person, or refuse it.

    Raises:
        Rejected: ``job_not_waiting`` or ``second_person_needed``.
    """
    job = await _locked(connection, job_id)
    if job["state"] != "awaiting_approval":
        raise Rejected("job_not_waiting", job_id, f"it is {job['state']}")
    if job["actor"] == act.actor:
        raise Rejected("second_person_needed", job_id, "whoever asked for it cannot approve it")
    values: Row = {"approved_by": act.actor, "approved_at": act.at}
    if yes:
        values |= {"state": _first_state(job["canary"]), "next_at": act.at}
    else:
        await replays.end_waiting(connection, job_id, (NOT_BEGUN, ""), act.at)
        values |= {"state": "refused"} | await _ended(connection, job_id, act)
    await replays.change(connection, job_id, **values)
    action = "replay_job.approve" if yes else "replay_job.refuse"
    await _record(connection, action, job, act, {"state": values["state"]})
    return await status(connection, job_id)


async def cancel(connection: AsyncConnection, job_id: str, act: Act) -> Row:
    """End a job: from this transaction on nothing of it begins, and what waits is open again.

    It takes as long for 100,000 letters as for ten: most items are ended by the hub, afterwards.
    What has begun and is not on its way right now is taken back; the rest ends by itself.

    Raises:
        Rejected: ``job_ended``.
    """
    job = await _locked(connection, job_id)
    if job["state"] == CANCELLED or job["ended_at"] is not None:
        raise Rejected("job_ended", job_id, f"it is {job['state']}")
    left = await replays.waiting(connection, job_id)
    await replays.end_waiting(connection, job_id, (CANCELLED, ""), act.at)
    back = await _take_back(connection, job_id)
    gone = [_cancelled(letter_id) for letter_id in back]
    await replays.end(connection, job_id, gone, act.at)
    values: Row = {"state": CANCELLED} | await _ended(connection, job_id, act)
    await replays.change(connection, job_id, **values)
    after = {"state": CANCELLED, "not_begun": left, "taken_back": len(back)}
    await _record(connection, "replay_job.cancel", job, act, after)
    return await status(connection, job_id)


async def _ended(connection: AsyncConnection, job_id: str, act: Act) -> Row:
    """Return when a job has ended, if it has; a large one is tidied up in steps by the hub."""
    left = await replays.has_unfinished(connection, job_id, canary=False)
    return {} if left else {"ended_at": act.at}


def _cancelled(letter_id: str) -> Row:
    blank = dict.fromkeys(("code", "place", "detail", "new_letter"))
    return {"letter_id": letter_id, "outcome": CANCELLED, **blank}


async def _locked(connection: AsyncConnection, job_id: str) -> Mapping[str, Any]:
    job = await replays.lock(connection, job_id)
    if job is None:
        raise Rejected("job_unknown", job_id, "no replay job has this id")
    return job


async def _take_back(connection: AsyncConnection, job_id: str) -> list[str]:
    """Open again what has begun and rests: nobody has claimed the delivery, or decided the receipt.

    A delivery in doubt is left alone: its question is to be asked.
    """
    rows = (
        await connection.execute(
            sa.select(dead_letter.c.id, dead_letter.c.document_id, dead_letter.c.delivery_id)
            .join(replay_item, replay_item.c.letter_id == dead_letter.c.id)
            .where(replay_item.c.job_id == job_id, replay_item.c.state == "begun")
            .order_by(dead_letter.c.id)
        )
    ).all()
    sent = [row.delivery_id for row in rows if row.delivery_id is not None]
    stopped = await _stop(connection, sent, [row.document_id for row in rows if row.delivery_id])
    back = [row.id for row in rows if row.delivery_id is None or row.delivery_id in stopped]
    opened = await connection.execute(
        sa.update(dead_letter)
        .where(among(dead_letter.c.id, back), dead_letter.c.state == "replaying")
        .values(state="open")
        .returning(dead_letter.c.id)
    )
    return list(opened.scalars())


async def _stop(
    connection: AsyncConnection, sent: Sequence[str], documents: Sequence[str]
) -> set[str]:
    """Make pending deliveries dead again, and their documents; locks as settling does."""
    if not sent:
        return set()
    whole = sa.select(document.c.id).where(among(document.c.id, documents))
    await connection.execute(whole.order_by(document.c.id).with_for_update(key_share=True))
    resting = (
        sa.select(delivery.c.id)
        .where(among(delivery.c.id, sent), delivery.c.state == "pending")
        .order_by(delivery.c.id)
        .with_for_update(skip_locked=True)
    )
    ids = list((await connection.execute(resting)).scalars())
    stopped = await connection.execute(
        sa.update(delivery)
        .where(among(delivery.c.id, ids), delivery.c.state == "pending")
        .values(state="dead", next_at=None)
        .returning(delivery.c.id, delivery.c.document_id)
    )
    found = stopped.all()
    await connection.execute(
        sa.update(document)
        .where(among(document.c.id, [row.document_id for row in found]))
        .values(state="dead")
    )
    return {row.id for row in found}


async def _record(
    connection: AsyncConnection,
    action: str,
    job: Mapping[str, Any],
    act: Act,
    after: Mapping[str, Any],
) -> None:
    before = None if action == "replay_job.ask" else {"state": job["state"]}
    entry = audit.Entry(act.actor, action, job["id"], act.reason, before, dict(after))
    await audit.append(connection, entry, act.at)
