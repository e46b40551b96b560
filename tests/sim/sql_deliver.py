"""`hub.ledger.deliveries.claim`, `hub.ledger.calls` and `hub.ledger.settlements`, on tables in memory.

The key gate, the claim and the settling are rules that live in SQL, because only there they hold
among replicas. Here they stand a second time, statement by statement, and
`tests/integration/test_ledger_model.py` holds the two together.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from typing import Any

from hub.events import dead_event
from hub.ids import derived_id
from hub.ledger.deliveries import again_at
from hub.ledger.delivery_rows import (
    Answered,
    Call,
    Calling,
    Claim,
    Claimed,
    DeliveryRow,
    DocumentRow,
    Ending,
    Letter,
    Tries,
    Wanted,
    Why,
)
from tests.sim.tables import Row, Transaction

_DELIVERY = tuple(field.name for field in fields(DeliveryRow))
_DOCUMENT = tuple(field.name for field in fields(DocumentRow))
_WAITING = ("waiting_behind", "waiting_for_target")
_STILL_AT_WORK = timedelta(seconds=30)
_WINDOW = 4
_UNDER_WAY = ("in_flight", "in_doubt")
_KINDS = (
    ("pending", "next_at"),
    ("in_doubt", "next_at"),
    ("in_doubt", "claimed_until"),
    ("in_flight", "claimed_until"),
)


def made_good(tx: Transaction, row: Row) -> bool:
    """`deliveries.made_good`."""
    if row["state"] not in ("dead", "cancelled"):
        return False
    return any(
        other["state"] == "delivered" and _same_thing(other, row) for other in tx.all("delivery")
    )


def _same_thing(one: Row, other: Row) -> bool:
    return all(one[name] == other[name] for name in ("document_id", "target", "action"))


def stands_in_the_way(tx: Transaction, other: Row) -> bool:
    """Whether an earlier version is neither delivered nor given up nor made good."""
    return other["state"] not in ("delivered", "cancelled") and not made_good(tx, other)


def behind(tx: Transaction, mine: Row, other: Row) -> bool:
    """`deliveries._behind`: `other` must be settled before `mine` may be called."""
    if other["business_key"] != mine["business_key"] or other["target"] != mine["target"]:
        return False
    if other["version"] < mine["version"] and stands_in_the_way(tx, other):
        return True
    first = (other["created_at"], other["id"]) < (mine["created_at"], mine["id"])
    return _same_thing(other, mine) and other["state"] == "pending" and first


def has_the_turn(mine: Row, other: Row) -> bool:
    """`deliveries._has_the_turn`: `other` is under way for the same order at the same target."""
    return bool(
        other["reference"] == mine["reference"]
        and other["target"] == mine["target"]
        and other["id"] != mine["id"]
        and other["state"] in _UNDER_WAY
    )


async def claim(tx: Transaction, wanted: Wanted, now: datetime) -> Claimed:
    """`deliveries.claim`."""
    due = _due(tx, wanted, now)
    obstacles = {
        row["id"]: why for row in due if row["state"] != "in_doubt" for why in _obstacle(tx, row)
    }
    chosen = _choose([row for row in due if row["id"] not in obstacles], wanted)
    for row in chosen:
        waited = row["code"] in _WAITING
        tx.change(
            "delivery",
            row,
            state="in_doubt" if row["state"] == "in_doubt" else "in_flight",
            claim_token=wanted.token,
            claimed_until=wanted.until,
            next_at=None,
            code=None if waited else row["code"],
            place=None if waited else row["place"],
        )
    for name, (why, on) in obstacles.items():
        row = _row(tx, name)
        rest = {
            "claim_token": None,
            "claimed_until": None,
            "next_at": again_at(row["id"], row["created_at"], now),
        }
        tx.change("delivery", row, state="pending", code=why, place=on, **rest)
    claims = tuple(_claim(tx, row, wanted.token) for row in chosen)
    return Claimed(claims, len(obstacles))


def _choose(rows: list[Row], wanted: Wanted) -> list[Row]:
    """`deliveries._choose`: the first of each business key and of each order."""
    chosen: list[Row] = []
    taken: set[tuple[str, str]] = set()
    yielding = wanted.most_yielding
    for row in rows:
        marks = {("key", row["business_key"]), ("order", row["reference"])}
        room = len(chosen) < wanted.limit and (yielding > 0 or not row["yields"])
        if room and not marks & taken:
            chosen.append(row)
            taken |= marks
            yielding -= row["yields"]
    return chosen


def _due(tx: Transaction, wanted: Wanted, now: datetime) -> list[Row]:
    paused = tx.get("pause", wanted.target)
    if paused is not None and paused["until"] > now:
        return []
    tried = 0 if wanted.fresh_only else 2**31 - 1
    rows = [
        row
        for row in tx.all("delivery")
        if row["target"] == wanted.target
        and row["business_key"] not in wanted.busy
        and row["attempts"] <= tried
    ]
    found: list[tuple[bool, datetime, str, Row]] = []
    for (state, clock), yields in itertools.product(_KINDS, (False, True)):
        kind = [row for row in rows if row["state"] == state and row["yields"] == yields]
        ready = [row for row in kind if row[clock] is not None and row[clock] <= now]
        due = sorted(ready, key=lambda row: row[clock])
        most = wanted.most_yielding if yields else wanted.limit
        found += [(yields, row[clock], row["id"], row) for row in due[: most * _WINDOW]]
    return [row for *_, row in sorted(found, key=lambda each: each[:3])]


def _obstacle(tx: Transaction, mine: Row) -> list[tuple[str, str]]:
    """Return the one waiting code and what is waited for; [] if nothing is."""
    others = [other for other in tx.all("delivery") if behind(tx, mine, other)]
    if others:
        first = min(others, key=lambda other: (other["version"], other["id"]))
        return [("waiting_behind", str(first["id"]))]
    for other in tx.all("delivery"):
        if has_the_turn(mine, other):
            return [("waiting_behind", str(other["id"]))]
    awaited = mine["after_target"]
    ready = any(
        other["state"] == "delivered"
        for other in tx.all("delivery")
        if other["document_id"] == mine["document_id"] and other["target"] == awaited
    )
    return [] if awaited is None or ready else [("waiting_for_target", awaited)]


def _claim(tx: Transaction, row: Row, token: str) -> Claim:
    """Return the claim of a row as it was before it was taken."""
    source = tx.get("document", row["document_id"])
    document = None if source is None else DocumentRow(**{name: source[name] for name in _DOCUMENT})
    delivery = DeliveryRow(**{name: row[name] for name in _DELIVERY})
    tries = _tries(tx, row["id"]) if row["attempts"] else Tries()
    return Claim(delivery, token, document, tries)


def _tries(tx: Transaction, delivery_id: str) -> Tries:
    rows = [row for row in tx.all("attempt") if row["delivery_id"] == delivery_id]
    last = max((row["n"] for row in rows if row["outcome"] == "dead"), default=0)
    rows = [row for row in rows if row["n"] > last]
    outcomes = [row["outcome"] for row in rows]
    return Tries(
        min((row["started_at"] for row in rows), default=None),
        sum(outcome in ("retry", "deferred", "in_doubt") for outcome in outcomes),
        outcomes.count("ask_failed"),
        sum(row["ended_at"] is None for row in rows),
    )


def _row(tx: Transaction, delivery_id: str) -> Row:
    row = tx.get("delivery", delivery_id)
    if row is None:
        raise LookupError(delivery_id)
    return row


def _mine(tx: Transaction, held: Claim) -> Row | None:
    row = tx.get("delivery", held.delivery.id)
    return row if row is not None and row["claim_token"] == held.token else None


async def for_many(tx: Transaction, patience: timedelta) -> None:
    """`plans.for_many`: there are no plans and no locks here."""
    del tx, patience


async def begin(tx: Transaction, begun: Sequence[Calling]) -> list[bool]:
    """`calls.begin`."""
    return [begin_one(tx, one.claim, one.call) for one in begun]


def begin_one(tx: Transaction, held: Claim, call: Call) -> bool:
    """Put one call in doubt."""
    row = _mine(tx, held)
    if row is None:
        return False
    sent = {"sent_sha256": call.sha256, "archive": call.archive}
    tx.change("delivery", row, state="in_doubt", attempts=call.n, claimed_until=call.until, **sent)
    named = {"delivery_id": held.delivery.id, "n": call.n, "started_at": call.started_at}
    tx.add("attempt", named | {"outcome": "in_doubt"}, ignore=True)
    return True


async def renew(tx: Transaction, tokens: Sequence[str], until: datetime) -> None:
    """`settlements.renew`."""
    for row in tx.all("delivery"):
        if row["claim_token"] is not None and row["claim_token"] in tokens:
            later = max(row["claimed_until"] or until, until)
            tx.change("delivery", row, claimed_until=later)


async def put_back(
    tx: Transaction, held: Sequence[Claim], next_at: datetime, ask_at: datetime
) -> None:
    """`settlements.put_back`."""
    for one in held:
        row = _mine(tx, one)
        if row is None:
            continue
        doubtful = row["state"] == "in_doubt"
        tx.change(
            "delivery",
            row,
            state="in_doubt" if doubtful else "pending",
            next_at=ask_at if doubtful else next_at,
            claim_token=None,
            claimed_until=None,
        )
        last = tx.get("attempt", (row["id"], row["attempts"]))
        if row["attempts"] != one.delivery.attempts and last and last["ended_at"] is None:
            tx.change("attempt", last, ended_at=next_at)


async def leave_alone(tx: Transaction, target: str, until: datetime) -> None:
    """`settlements.leave_alone`."""
    row = tx.get("pause", target)
    latest = until if row is None else max(row["until"], until)
    tx.put("pause", {"target": target, "until": latest})


async def settle_later(
    tx: Transaction, held: Claim, ending: Ending, state: str, next_at: datetime
) -> bool:
    """`settlements.settle_later`."""
    released = {"claim_token": None, "claimed_until": None, "next_at": next_at}
    if not _settle(tx, held, ending, {"state": state, **released}):
        return False
    _wake(tx, held, ending.ended_at, settled=False)
    return True


async def answered(tx: Transaction, answers: Sequence[Answered]) -> list[frozenset[str] | None]:
    """`calls.answered`."""
    done = [_answered(tx, one) for one in answers]
    woken = frozenset[str]().union(*(one for one in done if one is not None))
    return [None if one is None else woken for one in done]


def _answered(tx: Transaction, one: Answered) -> frozenset[str] | None:
    held, ending, settled = one.claim, one.ending, one.settled
    rest = {"state": "delivered", "external_id": settled.external_id, "facts": dict(settled.facts)}
    if not _settle(tx, held, ending, _at_rest(ending) | rest):
        return None
    _close_replayed(tx, held, ending.ended_at)
    woken = _wake(tx, held, ending.ended_at)
    _settle_document(tx, held.delivery.document_id, ending.ended_at)
    return woken


async def settle_dead(tx: Transaction, held: Claim, ending: Ending, letter: Letter) -> bool:
    """`settlements.settle_dead`."""
    if not _settle(tx, held, ending, _at_rest(ending) | {"state": "dead"}):
        return False
    _close_replayed(tx, held, ending.ended_at)
    row = letter_row(held, ending, letter)
    tx.add("dead_letter", row, ignore=True)
    facts = {"dead_letter": row["id"], "stage": letter.stage, "code": row["code"]}
    event = dead_event("deliver", held.delivery.target, facts, ending.ended_at)
    tx.add("outbox", event.row())
    document = tx.get("document", held.delivery.document_id)
    if document is not None:
        tx.change("document", document, state="dead")
    _wake(tx, held, ending.ended_at)
    return True


async def hasten(tx: Transaction, target: str, now: datetime) -> int:
    """`recovered.hasten`."""
    hastened = 0
    for row in tx.all("delivery"):
        last = tx.get("attempt", (row["id"], row["attempts"]))
        if row["target"] != target or last is None or not row["attempts"]:
            continue
        failed = row["state"] == "pending" and last["outcome"] == "retry"
        goes = now if failed or _is_over(tx, row, now) else now + _STILL_AT_WORK
        waits = row["next_at"] is not None and row["next_at"] > goes
        if waits and row["code"] not in _WAITING and (failed or row["state"] == "in_doubt"):
            tx.change("delivery", row, next_at=goes)
            hastened += 1
    return hastened


def _is_over(tx: Transaction, row: Row, now: datetime) -> bool:
    tries = [tx.get("attempt", (row["id"], n)) for n in range(1, row["attempts"] + 1)]
    made = [one for one in tries if one is not None]
    called = max((one["n"] for one in made if one["outcome"] == "in_doubt"), default=None)
    ends = [one["ended_at"] for one in made if called is not None and one["n"] >= called]
    return any(end is not None and end < now - _STILL_AT_WORK for end in ends)


def _settle(tx: Transaction, held: Claim, ending: Ending, values: Mapping[str, Any]) -> bool:
    row = _mine(tx, held)
    if row is None:
        return False
    blank = {"code": None, "place": None, "detail": None}
    error = blank if ending.why is None else asdict(ending.why)
    tx.change("delivery", row, attempts=ending.n, **error, **values)
    named = {"delivery_id": held.delivery.id, "n": ending.n}
    said = {"said": ending.said}
    last = {"outcome": ending.outcome, "ended_at": ending.ended_at, **error, **said}
    known = tx.get("attempt", (held.delivery.id, ending.n))
    if known is None:
        tx.put("attempt", named | {"started_at": ending.started_at} | last)
    else:
        tx.change("attempt", known, **last)
    return True


def _at_rest(ending: Ending) -> Row:
    none = dict.fromkeys(("claim_token", "claimed_until", "next_at"))
    return none | {"settled_at": ending.ended_at}


def _wake(tx: Transaction, held: Claim, now: datetime, *, settled: bool = True) -> frozenset[str]:
    mine = held.delivery
    woken = set()
    for row in tx.all("delivery"):
        related = row["business_key"] == mine.business_key or row["reference"] == mine.reference
        later = row["business_key"] == mine.business_key and row["version"] > mine.version
        at_key = related and row["target"] == mine.target and (settled or not later)
        after = row["document_id"] == mine.document_id and row["after_target"] == mine.target
        if row["state"] == "pending" and ((at_key and row["id"] != mine.id) or after):
            woken.add(row["target"])
            if row["code"] in _WAITING:
                tx.change("delivery", row, next_at=now)
    return frozenset(woken)


def _settle_document(tx: Transaction, document_id: str, now: datetime) -> None:
    owed = [row for row in tx.all("delivery") if row["document_id"] == document_id]
    document = tx.get("document", document_id)
    done = all(row["state"] == "delivered" or made_good(tx, row) for row in owed)
    if document is not None and done:
        tx.change("document", document, state="delivered", settled_at=now)


def _close_replayed(tx: Transaction, held: Claim, now: datetime) -> None:
    mine = held.delivery
    if not mine.occasion and not mine.attempts:
        return
    for row in tx.all("dead_letter"):
        of = tx.get("delivery", row["delivery_id"])
        same = of is not None and _same_thing(of, asdict(mine))
        if same and row["state"] == "replaying":
            tx.change("dead_letter", row, state="replayed", closed_at=now)


def letter_row(held: Claim, ending: Ending, letter: Letter) -> Row:
    """`settlements._letter_row`."""
    mine, source = held.delivery, held.document
    return {
        "id": derived_id("dead-letter", mine.id, str(ending.n)),
        "stage": letter.stage,
        "connection": source.connection if source else mine.target,
        "partner": source.partner if source else "",
        "entity": source.entity if source else None,
        "flow": mine.flow,
        "target": mine.target,
        "receipt_id": source.receipt_id if source else None,
        "position": source.position if source else 0,
        "document_id": mine.document_id,
        "delivery_id": mine.id,
        "business_key": mine.business_key,
        **asdict(ending.why or Why("", "", "")),
        "said": ending.said,
        "fingerprint": letter.fingerprint,
        "attempts": ending.n,
        "mapping_version": letter.mapping_version,
        "state": "open",
        "opened_at": ending.ended_at,
    }


async def waiting(tx: Transaction, target: str) -> DeliveryRow | None:
    """`recovered.waiting`."""
    found = []
    for row in tx.all("delivery"):
        last = tx.get("attempt", (row["id"], row["attempts"]))
        failed = last is not None and last["outcome"] in ("retry", "in_doubt", "ask_failed")
        waits = row["target"] == target and row["state"] in ("pending", "in_doubt")
        if waits and row["attempts"] and failed:
            found.append(row)
    if not found:
        return None
    oldest = min(found, key=lambda row: row["created_at"])
    return DeliveryRow(**{name: oldest[name] for name in _DELIVERY})
