"""ledger-vs-target: our deliveries against the target's own list of what it holds. Pure functions.

Counts and a hash over both sides say in one line whether they are the same; the discrepancies say
what is not. The hash depends on no order: it is sha256 over the sorted (external id, reference)
pairs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from hub.reconcile.discrepancy import Discrepancy, plain

NAME = "ledger-vs-target"
OWNER = "operations"
MISSING = "delivered, and the target does not list it"
UNKNOWN = "the target lists it, and nothing of ours made it"
DIFFERENT = "the target lists it with another content or amount"
_REMEDIES = {
    MISSING: "look for it at the target; deliver it again if it is gone",
    UNKNOWN: "find out who entered it at the target",
    DIFFERENT: "compare both, and correct the side that is wrong",
}


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that a target holds, as one of the two sides says."""

    external_id: str
    reference: str | None = None
    sha256: str | None = None
    amount: Decimal | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Delivered(Effect):
    """The same as our ledger says."""

    number: str | None = None
    """The target's number for people, where it differs from its id."""
    at: datetime | None = None
    """When it was acknowledged; None while it is not: it may be listed and need not."""
    partner: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """A target's list: which action it is about, and the time that it covers."""

    target: str
    action: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Total:
    """One side in two words."""

    count: int
    sha256: str


def total(effects: Iterable[Effect]) -> Total:
    """Return how many there are, and their hash."""
    pairs = sorted(f"{each.external_id}\x1f{each.reference or ''}" for each in effects)
    return Total(len(pairs), hashlib.sha256("\x1e".join(pairs).encode()).hexdigest())


def totals(
    statement: Statement, ours: Sequence[Delivered], theirs: Sequence[Effect]
) -> tuple[Total, Total]:
    """Return the total of what we know to be delivered in the time of a list, and of the list.

    Ours are named as the list names them: by the target's number where it gives that, with our
    reference only where it gives those.
    """
    ids = {entry.external_id for entry in theirs}
    referring = any(entry.reference for entry in theirs)
    named = [
        Effect(
            each.number if each.number in ids and each.number else each.external_id,
            each.reference if referring else None,
        )
        for each in ours
        if each.at is not None and statement.since <= each.at <= statement.until
    ]
    return total(named), total(theirs)


def find(
    statement: Statement, ours: Sequence[Delivered], theirs: Sequence[Effect]
) -> list[Discrepancy]:
    """Return what only one side has, and what both have differently.

    Matched by the target's id or number, else by our reference. What was acknowledged outside of the
    time that the list covers need not be on it; what is not acknowledged yet may be.
    """
    by_id = {name: each for each in ours for name in (each.external_id, each.number) if name}
    by_reference = {each.reference: each for each in ours if each.reference}
    ids = {entry.external_id for entry in theirs}
    references = {entry.reference for entry in theirs if entry.reference}
    found = []
    for entry in theirs:
        mine = by_id.get(entry.external_id) or by_reference.get(entry.reference or "")
        if mine is None:
            found.append(_discrepancy(statement, UNKNOWN, entry))
        elif _differs(mine, entry):
            found.append(_discrepancy(statement, DIFFERENT, entry, mine))
    for mine in ours:
        due = mine.at is not None and statement.since <= mine.at <= statement.until
        listed = {mine.external_id, mine.number} & ids or mine.reference in references
        if due and not listed:
            found.append(_discrepancy(statement, MISSING, mine, mine))
    return found


def _differs(mine: Delivered, entry: Effect) -> bool:
    if mine.sha256 and entry.sha256 and mine.sha256 != entry.sha256:
        return True
    if mine.amount is None or entry.amount is None:
        return False
    other = bool(mine.currency and entry.currency and mine.currency != entry.currency)
    return other or mine.amount != entry.amount


def _discrepancy(
    statement: Statement, cause: str, entry: Effect, mine: Delivered | None = None
) -> Discrepancy:
    name = entry.external_id or entry.reference or "?"
    details = {"target": statement.target, "action": statement.action, "id": entry.external_id}
    if mine is not None and mine is not entry and mine.amount is not None:
        details |= {"ours": plain(mine.amount), "theirs": plain(entry.amount or Decimal())}
    return Discrepancy(
        subject=f"target/{statement.target}/{statement.action}/{name}",
        since=(mine.at if mine else None) or statement.until,
        cause=cause,
        remedy=_REMEDIES[cause],
        amount=_stake(entry, mine),
        currency=entry.currency or (mine.currency if mine else None),
        details=details,
        partner=mine.partner if mine else "",
        reference=entry.reference,
    )


def _stake(entry: Effect, mine: Delivered | None) -> Decimal | None:
    if mine is None or mine is entry:
        return entry.amount
    if mine.amount is None or entry.amount is None or mine.amount == entry.amount:
        return mine.amount
    return abs(mine.amount - entry.amount)
