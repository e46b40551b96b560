"""three-way-match: our purchase order, what was received, what the supplier bills. A pure function.

In a purchase the order is ours, a shipment is a receipt, an invoice is the supplier's; all three carry
the order's reference. A supplier is paid for what was received, at the ordered price.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from hub.reconcile.discrepancy import Discrepancy, money, plain
from hub.reconcile.line_ledger import Line, Movement, same_item
from hub.reconcile.orders import OrderThread
from hub.reconcile.policy import Policy

NAME = "three-way-match"
OWNER = "purchasing"
UNORDERED = "the supplier bills what was not ordered"
UNRECEIVED = "the supplier bills more than was received"
PRICE = "the supplier bills another price than ordered"
OVER = "more was received than ordered"
UNBILLED = "received, and the supplier has not billed it"
_REMEDIES = {
    UNORDERED: "do not pay; ask the supplier for a credit",
    UNRECEIVED: "hold the payment; look for the goods, or ask for a credit",
    PRICE: "hold the payment; agree on the price, or ask for a credit",
    OVER: "send it back, or raise the order",
    UNBILLED: "ask the supplier for the invoice; accrue it until then",
}
_WORST_FIRST = tuple(_REMEDIES)


@dataclass(frozen=True, slots=True)
class _Miss:
    cause: str
    item: str
    amount: Decimal | None
    at: datetime
    told: str


def find(
    thread: OrderThread, lines: Sequence[Line], policy: Policy, now: datetime
) -> Discrepancy | None:
    """Return what does not match on one purchase order, by its worst cause; the details have all.

    Within the tolerances of quantity and price nothing is found; nor is a bill that is younger than
    its receipt may take, nor a receipt that the supplier still has time to bill.
    """
    missed = [
        miss
        for group in same_item(lines).values()
        if all(line.comparable for line in group)
        for miss in _group(group, policy, now)
    ]
    if not missed or not thread.versions:
        return None
    worst = min((miss.cause for miss in missed), key=_WORST_FIRST.index)
    return Discrepancy(
        subject=thread.subject,
        since=min(miss.at for miss in missed),
        cause=worst,
        remedy=_REMEDIES[worst],
        amount=money([miss.amount for miss in missed]),
        currency=thread.currency,
        details={f"{miss.item or '?'}: {miss.cause}": miss.told for miss in missed},
        partner=thread.partner,
        reference=thread.reference,
    )


def _group(group: Sequence[Line], policy: Policy, now: datetime) -> list[_Miss]:
    billed = _ripe(group, "invoiced", policy.shipment_after, now)
    found = _unordered(group, billed) or _unreceived(group, billed, policy)
    found += _priced(group, policy)
    if any(line.expected for line in group):
        found += _over(group, policy)
    return found + _unbilled(group, policy, now)


def _ripe(group: Sequence[Line], kind: str, after: timedelta, now: datetime) -> list[Movement]:
    return [
        each
        for line in group
        for each in line.movements
        if each.kind == kind and now - each.paper.at >= after
    ]


def _sum(movements: Sequence[Movement]) -> Decimal:
    return sum((each.quantity for each in movements), Decimal())


def _total(group: Sequence[Line], kind: str) -> Decimal:
    return _sum([each for line in group for each in line.movements if each.kind == kind])


def _wanted(group: Sequence[Line]) -> Decimal:
    return sum((line.wanted for line in group), Decimal())


def _price(group: Sequence[Line]) -> Decimal | None:
    return next((line.price for line in group if line.price is not None), None)


def _worth(price: Decimal | None, quantity: Decimal) -> Decimal | None:
    return None if price is None else price * quantity


def _unordered(group: Sequence[Line], billed: Sequence[Movement]) -> list[_Miss]:
    if not billed or any(line.expected and line.wanted for line in group):
        return []
    quantity, told = _sum(billed), _told(group)
    worth = _worth(billed[-1].price, quantity)
    return [_Miss(UNORDERED, group[0].item, worth, billed[0].paper.at, told)]


def _unreceived(group: Sequence[Line], billed: Sequence[Movement], policy: Policy) -> list[_Miss]:
    received, credited = _total(group, "shipped"), _total(group, "credited")
    stocked = all(line.stocked for line in group)  # a service is never received
    if not stocked or not policy.beyond(received, _sum(billed) - credited):
        return []
    quantity = _sum(billed) - credited - received
    worth = _worth(billed[-1].price or _price(group), quantity)
    return [_Miss(UNRECEIVED, group[0].item, worth, billed[0].paper.at, _told(group))]


def _priced(group: Sequence[Line], policy: Policy) -> list[_Miss]:
    price = _price(group)
    off = [
        each
        for line in group
        for each in line.movements
        if each.kind == "invoiced"
        and each.price is not None
        and price is not None
        and policy.off_price(price, each.price)
    ]
    if not off or price is None:
        return []
    worth = sum((abs((each.price or price) - price) * each.quantity for each in off), Decimal())
    told = f"ordered at {plain(price)}, billed at {plain(off[-1].price or price)}"
    return [_Miss(PRICE, group[0].item, worth, off[0].paper.at, told)]


def _over(group: Sequence[Line], policy: Policy) -> list[_Miss]:
    wanted, received = _wanted(group), _total(group, "shipped")
    if not policy.beyond(wanted, received):
        return []
    newest = max(
        each.paper.at for line in group for each in line.movements if each.kind == "shipped"
    )
    worth = _worth(_price(group), received - wanted)
    return [_Miss(OVER, group[0].item, worth, newest, _told(group))]


def _unbilled(group: Sequence[Line], policy: Policy, now: datetime) -> list[_Miss]:
    received = _ripe(group, "shipped", policy.supplier_invoice_after, now)
    quantity = _sum(received) - _total(group, "invoiced")
    if quantity <= 0:
        return []
    worth = _worth(_price(group), quantity)
    return [_Miss(UNBILLED, group[0].item, worth, received[0].paper.at, _told(group))]


def _told(group: Sequence[Line]) -> str:
    return (
        f"ordered {plain(_wanted(group))}, received {plain(_total(group, 'shipped'))},"
        f" billed {plain(_total(group, 'invoiced'))} {group[0].unit}"
    )
