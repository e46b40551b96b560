"""ship-not-invoiced: what was shipped and posted, and is not billed. A pure function of values."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from hub.reconcile.discrepancy import Discrepancy, money, plain
from hub.reconcile.line_ledger import Line, Movement, same_item
from hub.reconcile.orders import OrderThread
from hub.reconcile.policy import Policy

NAME = "ship-not-invoiced"
OWNER = "billing"
CAUSE = "posted as shipped, no invoice covers it"
REMEDY = "post the invoice again at the ERP"


def find(
    thread: OrderThread, lines: Sequence[Line], policy: Policy, now: datetime
) -> Discrepancy | None:
    """Return what the order shipped beyond what it was billed for.

    Compared by quantity per item, so partial shipments, several invoices and an invoice for several
    shipments raise no false alarm. Nothing counts whose posting is younger than the grace: an
    invoice needs time to be posted and to be seen.
    """
    missing: dict[str, tuple[Decimal, Decimal | None]] = {}
    late: list[Movement] = []
    for item, group in same_item(lines).items():
        shipped = [each for line in group for each in _posted(line, policy, now)]
        billed = sum((line.total("invoiced") for line in group), Decimal())
        quantity = sum((each.quantity for each in shipped), Decimal()) - billed
        if quantity > 0 and item and all(line.comparable for line in group):
            price = group[0].price
            missing[item] = quantity, None if price is None else price * quantity
            late += shipped
    if not missing:
        return None
    newest = max(late, key=lambda each: each.paper.posted_at or each.paper.at)
    return Discrepancy(
        subject=thread.subject,
        since=min(each.paper.posted_at or each.paper.at for each in late),
        cause=CAUSE,
        remedy=REMEDY,
        amount=money([amount for _, amount in missing.values()]),
        currency=thread.currency,
        details={item: plain(quantity) for item, (quantity, _) in missing.items()},
        partner=thread.partner,
        reference=thread.reference,
        heal=newest.paper.id,
    )


def _posted(line: Line, policy: Policy, now: datetime) -> list[Movement]:
    return [
        each
        for each in line.movements
        if each.kind == "shipped"
        and each.paper.posted_at is not None
        and now - each.paper.posted_at >= policy.invoice_after
    ]
