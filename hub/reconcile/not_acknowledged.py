"""ordered-not-acknowledged: an order whose taker has not said yes in time. A pure function."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from hub.reconcile.discrepancy import Discrepancy, money
from hub.reconcile.line_ledger import Line
from hub.reconcile.orders import OrderThread, Paper, Sent
from hub.reconcile.policy import Policy

NAME = "ordered-not-acknowledged"
OWNER = "order desk"
HELD = "held back by a control point, nobody has decided"
DEAD = "the target refused it, a dead letter waits"
DOUBT = "the target's answer was lost and it cannot be asked"
WAITS = "on its way to the target for too long"
SILENT = "sent, and the supplier has not answered it"
REFUSED = "the supplier rejected it"
_REMEDIES = {
    HELD: "release or reject the hold",
    DEAD: "correct the cause and replay the dead letter",
    DOUBT: "look at the target for our reference, then replay or archive",
    SILENT: "ask the supplier whether it has the order; send it again",
    REFUSED: "agree with the supplier; change the order, or cancel it and buy elsewhere",
    WAITS: "look at the target: is it up, is the breaker open, what is in the way",
}


def find(
    thread: OrderThread, lines: Sequence[Line], policy: Policy, now: datetime
) -> Discrepancy | None:
    """Return the order if it, or a change of it, waits for a yes beyond the grace."""
    late = [(paper, cause) for paper in thread.versions if (cause := _cause(paper, policy, now))]
    late = late or _unanswered(thread, policy, now)
    if not late:
        return None
    paper, cause = late[0]
    worth = [None if line.price is None else line.price * line.wanted for line in lines]
    waiting = _owed(paper.sent) or [each for each in paper.sent if each.target in policy.answering]
    return Discrepancy(
        subject=thread.subject,
        since=paper.at,
        cause=cause,
        remedy=_REMEDIES[cause],
        amount=money(worth),
        currency=thread.currency,
        details={f"{each.action} at {each.target}": each.code or each.state for each in waiting}
        or {paper.entity: paper.state},
        partner=thread.partner,
        reference=thread.reference,
    )


def _cause(paper: Paper, policy: Policy, now: datetime) -> str | None:
    if now - paper.at < policy.yes_after:
        return None
    if paper.state == "held":
        return HELD
    states = {each.state for each in _owed(paper.sent)}
    if "dead" in states:
        return DEAD
    if "in_doubt" in states:
        return DOUBT
    return WAITS if states else None


def _unanswered(thread: OrderThread, policy: Policy, now: datetime) -> list[tuple[Paper, str]]:
    """The version that was last sent to a supplier, where its answer is a no, or is missing."""
    told = [
        paper
        for paper in thread.versions
        if any(each.target in policy.answering and each.state == "delivered" for each in paper.sent)
    ]
    if not told:
        return []
    answers = [paper for paper in thread.responses if paper.at >= told[-1].at]
    if not answers:
        return [(told[-1], SILENT)] if now - told[-1].at >= policy.yes_after else []
    return [(answers[-1], REFUSED)] if answers[-1].answer == "rejected" else []


def _owed(sent: Sequence[Sent]) -> list[Sent]:
    """What no target has taken yet; a dead delivery that was made good elsewhere is none."""
    taken = {(each.target, each.action) for each in sent if each.state == "delivered"}
    return [
        each
        for each in sent
        if each.state not in ("delivered", "cancelled") and (each.target, each.action) not in taken
    ]
