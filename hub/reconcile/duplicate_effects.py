"""duplicate-effects: one thing of ours that a target has twice. A pure function of values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from hub.reconcile.discrepancy import Discrepancy

NAME = "duplicate-effects"
OWNER = "operations"
DELIVERED = "delivered twice, and the target made two things of it"
LISTED = "the target lists two things under one reference of ours"
REMEDY = "look at both at the target, and take one back there"


@dataclass(frozen=True, slots=True)
class Effects:
    """What a target made of one thing of ours."""

    target: str
    action: str
    of: str
    """The document's id, or our reference where the target's own list says so."""
    external_ids: tuple[str, ...]
    at: datetime
    listed: bool = False
    """The target's own list says it; else our deliveries."""
    partner: str = ""
    reference: str | None = None
    amount: Decimal | None = None
    currency: str | None = None


def find(effects: Iterable[Effects]) -> list[Discrepancy]:
    """Return what a target has under more than one id of its own.

    The money at stake is one document's amount for each effect too many.
    """
    found = []
    for each in effects:
        ids = sorted(set(each.external_ids))
        if len(ids) < 2:  # noqa: PLR2004  # two are one too many
            continue
        found.append(
            Discrepancy(
                subject=f"effect/{each.target}/{each.action}/{each.of}",
                since=each.at,
                cause=LISTED if each.listed else DELIVERED,
                remedy=REMEDY,
                amount=None if each.amount is None else abs(each.amount) * (len(ids) - 1),
                currency=each.currency,
                details={"target": each.target, "action": each.action, "ids": ", ".join(ids)},
                partner=each.partner,
                reference=each.reference,
            )
        )
    return found
