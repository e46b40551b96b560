"""invoiced-not-shipped: what was billed and never left. A pure function of values."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from hub.reconcile.discrepancy import Discrepancy, money, plain
from hub.reconcile.line_ledger import Line, Movement, same_item
from hub.reconcile.orders import OrderThread
from hub.reconcile.policy import Policy

NAME = "invoiced-not-shipped"
OWNER = "billing"
CAUSE = "billed, no shipment covers it"
REMEDY = "find the shipment at the warehouse, or credit the invoice"


def find(
    thread: OrderThread, lines: Sequence[Line], policy: Policy, now: datetime
) -> Discrepancy | None:
    """Return what the order was billed for beyond what was shipped and what was credited.

    An invoice may be seen before its shipment: nothing counts that is younger than the grace. What
    nobody orders as goods (freight, a service: not ordered, or not stocked) is never shipped.
    """
    extra: dict[str, tuple[Decimal, Decimal | None]] = {}
    late: list[Movement] = []
    for item, group in same_item(lines).items():
        if not item or not all(
            line.expected and line.stocked and line.comparable for line in group
        ):
            continue
        billed = [each for line in group for each in _billed(line, policy, now)]
        shipped = sum((line.total("shipped") for line in group), Decimal())
        credited = sum((line.total("credited") for line in group), Decimal())
        quantity = sum((each.quantity for each in billed), Decimal()) - shipped - credited
        if quantity > 0:
            price = billed[-1].price or group[0].price
            extra[item] = quantity, None if price is None else price * quantity
            late += billed
    if not extra:
        return None
    return Discrepancy(
        subject=thread.subject,
        since=min(each.paper.at for each in late),
        cause=CAUSE,
        remedy=REMEDY,
        amount=money([amount for _, amount in extra.values()]),
        currency=thread.currency,
        details={item: plain(quantity) for item, (quantity, _) in extra.items()}
        | {"invoices": ", ".join(sorted({each.paper.number for each in late}))},
        partner=thread.partner,
        reference=thread.reference,
    )


def _billed(line: Line, policy: Policy, now: datetime) -> list[Movement]:
    return [
        each
        for each in line.movements
        if each.kind == "invoiced" and now - each.paper.at >= policy.shipment_after
    ]
