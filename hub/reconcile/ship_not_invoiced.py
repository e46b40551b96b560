"""ship-not-invoiced: what was shipped and posted, and is not billed. A pure function of values."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from hub.reconcile.discrepancy import Discrepancy, money, plain
from hub.reconcile.line_ledger import Line, Movement, same_item
from hub.reconcile.orders import OrderThread, Paper
from hub.reconcile.policy import Policy

NAME = "ship-not-invoiced"
OWNER = "billing"
CAUSE = "posted as shipped, no invoice covers it"
UNPOSTED = "shipped, and the ERP has not taken the posting"
_REMEDIES = {
    CAUSE: "post the invoice again at the ERP",
    UNPOSTED: "replay the posting's dead letter, or see what it waits for",
}


def find(
    thread: OrderThread, lines: Sequence[Line], policy: Policy, now: datetime
) -> Discrepancy | None:
    """Return what the order shipped beyond what it was billed for.

    Compared by quantity per item, so partial shipments, several invoices and an invoice for several
    shipments raise no false alarm. Nothing counts whose posting is younger than the grace: an
    invoice needs time to be posted and to be seen; and so does the posting itself.
    """
    missing: dict[str, tuple[Decimal, Decimal | None]] = {}
    late: list[Movement] = []
    for item, group in same_item(lines).items():
        shipped = [each for line in group for each in _due(line, policy, now)]
        billed = sum((line.total("invoiced") for line in group), Decimal())
        quantity = sum((each.quantity for each in shipped), Decimal()) - billed
        if quantity > 0 and item and all(line.comparable for line in group):
            price = group[0].price
            missing[item] = quantity, None if price is None else price * quantity
            late += shipped
    if not missing:
        return None
    posted = [each for each in late if each.paper.posted_at]
    newest = max(posted, key=lambda each: each.paper.posted_at or each.paper.at, default=None)
    cause = CAUSE if posted else UNPOSTED
    return Discrepancy(
        subject=thread.subject,
        since=min(each.paper.posted_at or each.paper.at for each in late),
        cause=cause,
        remedy=_REMEDIES[cause],
        amount=money([amount for _, amount in missing.values()]),
        currency=thread.currency,
        details={item: plain(quantity) for item, (quantity, _) in missing.items()},
        partner=thread.partner,
        reference=thread.reference,
        heal=newest.paper.id if newest else None,
    )


def _due(line: Line, policy: Policy, now: datetime) -> list[Movement]:
    return [
        each
        for each in line.movements
        if each.kind == "shipped" and _is_due(each.paper, policy, now)
    ]


def _is_due(paper: Paper, policy: Policy, now: datetime) -> bool:
    """Whether there ought to be an invoice by now, or at least a posting."""
    if paper.posted_at is not None:
        return now - paper.posted_at >= policy.invoice_after
    owed = any(
        each.action == "post_shipment" and each.state not in ("delivered", "cancelled")
        for each in paper.sent
    )
    return owed and now - paper.at >= policy.yes_after
