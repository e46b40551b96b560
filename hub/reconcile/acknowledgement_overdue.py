"""acknowledgement-overdue: what we sent and its receiver did not confirm. A pure function.

A file in an outbox is sent, not received. What counts is the receiver's own word (an X12 997, a
CONTRL), which the hub matches to what was sent by its control number. Sending again does not start
the receiver's clock anew, so that no finding closes by being sent.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from hub.reconcile.discrepancy import Discrepancy

NAME = "acknowledgement-overdue"
OWNER = "edi"
OVERDUE = "sent, and the receiver has not acknowledged it"
REJECTED = "the receiver rejected it"
RESEND = "ask the receiver for it; send it again"
CORRECT = "read the receiver's reasons, correct the document, replay its dead letter"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the receiver said, once."""

    at: datetime
    accepted: bool
    """Also with errors noted."""


@dataclass(frozen=True, slots=True)
class SentOut:
    """One document to one receiver who acknowledges, however often it was sent."""

    document_id: str
    target: str
    action: str
    flow: str
    delivery_id: str
    """The last time it was sent."""
    within: timedelta
    """How long the receiver may take."""
    sent_at: tuple[datetime, ...] = ()
    answers: tuple[Answer, ...] = ()
    number: str = ""
    partner: str = ""
    reference: str | None = None
    amount: Decimal | None = None
    currency: str | None = None


def find(sent: Iterable[SentOut], now: datetime) -> list[Discrepancy]:
    """Return what is overdue, and what was rejected and not sent since."""
    found = []
    for each in sent:
        said = max(each.answers, key=lambda answer: answer.at, default=None)
        if said is not None and said.accepted:
            continue
        waiting = [at for at in each.sent_at if said is None or at > said.at]
        if waiting and now - min(waiting) > each.within:
            found.append(_discrepancy(each, min(waiting), OVERDUE))
        elif said is not None and not waiting:
            found.append(_discrepancy(each, said.at, REJECTED))
    return found


def _discrepancy(sent: SentOut, since: datetime, cause: str) -> Discrepancy:
    overdue = cause == OVERDUE
    return Discrepancy(
        subject=f"sent/{sent.document_id}/{sent.target}/{sent.action}",
        since=since,
        cause=cause,
        remedy=RESEND if overdue else CORRECT,
        amount=sent.amount,
        currency=sent.currency,
        details={"flow": sent.flow, "to": sent.target, "document": sent.number},
        partner=sent.partner,
        reference=sent.reference,
        heal=sent.delivery_id if overdue else None,
    )
