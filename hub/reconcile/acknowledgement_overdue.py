"""acknowledgement-overdue: what we sent and its receiver did not confirm. A pure function.

A file in an outbox is sent, not received. What counts is the receiver's own word: the functional
acknowledgment that names our group (X12 997 AK102, 999 the same; the numbers are ours).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from hub.reconcile.discrepancy import Discrepancy
from hub.reconcile.policy import Policy

NAME = "acknowledgement-overdue"
OWNER = "edi"
OVERDUE = "sent, and the receiver has not acknowledged it"
REJECTED = "the receiver rejected it"
RESEND = "ask the receiver for it; send it again"
CORRECT = "read the receiver's reasons, correct the document, send it again"


@dataclass(frozen=True, slots=True)
class Group:
    """The functional group that a document went out in."""

    connection: str
    number: int
    """GS06, as we counted it."""


@dataclass(frozen=True, slots=True)
class SentOut:
    """One delivery of a document to somebody who acknowledges."""

    delivery_id: str
    group: Group | None
    """None where no control number was kept."""
    flow: str
    at: datetime
    business_key: str
    number: str
    partner: str
    reference: str | None = None
    amount: Decimal | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """What a receiver said of a group: X12 element 715 in AK901, A and E are taken, the rest not."""

    accepted: bool
    at: datetime


def find(
    sent: Iterable[SentOut], answers: Mapping[Group, Answered], policy: Policy, now: datetime
) -> list[Discrepancy]:
    """Return what is overdue and what was rejected; an acknowledgment that came late is in time."""
    found = []
    for each in sent:
        answer = answers.get(each.group) if each.group else None
        if answer is not None and answer.accepted:
            continue
        if answer is None and now - each.at < policy.acknowledgement_after:
            continue
        found.append(_discrepancy(each, answer))
    return found


def _discrepancy(sent: SentOut, answer: Answered | None) -> Discrepancy:
    details = {"flow": sent.flow, "document": sent.number}
    if sent.group:
        details["group"] = str(sent.group.number)
    return Discrepancy(
        subject=f"delivery/{sent.delivery_id}",
        since=answer.at if answer else sent.at,
        cause=REJECTED if answer else OVERDUE,
        remedy=CORRECT if answer else RESEND,
        amount=sent.amount,
        currency=sent.currency,
        details=details,
        partner=sent.partner,
        reference=sent.reference,
        heal=None if answer else sent.delivery_id,
    )
