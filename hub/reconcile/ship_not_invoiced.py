"""ship-not-invoiced: what was shipped and posted, and is not billed. A pure function of values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from hub.reconcile.discrepancy import Discrepancy

NAME = "ship-not-invoiced"
CAUSE = "posted as shipped, no invoice covers it"
REMEDY = "post the invoice again at the ERP"
UNKNOWN_ORDER = "reference/"
"""How the subject of a finding begins whose order the ledger does not have; our reference follows."""


@dataclass(frozen=True, slots=True)
class Shipped:
    """One shipment that the ERP has acknowledged."""

    document_id: str
    reference: str
    """Our reference of the order."""
    at: datetime
    """When the ERP acknowledged it."""
    quantities: Mapping[str, Decimal]
    """Item number -> quantity."""


@dataclass(frozen=True, slots=True)
class Invoiced:
    """One posted invoice."""

    reference: str
    quantities: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class Ordered:
    """The order behind a reference: what its items cost."""

    business_key: str
    currency: str | None = None
    prices: Mapping[str, Decimal] = field(default_factory=dict)


def find(
    shipped: Iterable[Shipped],
    invoiced: Iterable[Invoiced],
    orders: Mapping[str, Ordered],
    now: datetime,
    grace: timedelta,
) -> list[Discrepancy]:
    """Return one discrepancy per order that shipped more than it was billed for.

    Compared by quantity per order and item, so partial shipments, several invoices and an invoice
    for several shipments raise no false alarm. Nothing younger than `grace` counts: an invoice
    needs time to be posted and to be seen.
    """
    billed: defaultdict[str, defaultdict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for invoice in invoiced:
        for item, quantity in invoice.quantities.items():
            billed[invoice.reference][item] += quantity
    by_order: defaultdict[str, list[Shipped]] = defaultdict(list)
    for shipment in shipped:
        if now - shipment.at >= grace:
            by_order[shipment.reference].append(shipment)
    found = []
    for reference, shipments in by_order.items():
        missing = _missing(shipments, billed[reference])
        if missing:
            order = orders.get(reference, Ordered(f"{UNKNOWN_ORDER}{reference}"))
            found.append(_discrepancy(order, shipments, missing))
    return found


def _missing(shipments: list[Shipped], billed: Mapping[str, Decimal]) -> dict[str, Decimal]:
    total: defaultdict[str, Decimal] = defaultdict(Decimal)
    for shipment in shipments:
        for item, quantity in shipment.quantities.items():
            total[item] += quantity
    open_quantities = {
        item: quantity - billed.get(item, Decimal()) for item, quantity in total.items()
    }
    return {item: quantity for item, quantity in open_quantities.items() if quantity > 0}


def _discrepancy(
    order: Ordered, shipments: list[Shipped], missing: Mapping[str, Decimal]
) -> Discrepancy:
    priced = [
        order.prices[item] * quantity for item, quantity in missing.items() if item in order.prices
    ]
    newest = max(shipments, key=lambda shipment: shipment.at)
    return Discrepancy(
        subject=order.business_key,
        since=min(shipment.at for shipment in shipments),
        cause=CAUSE,
        remedy=REMEDY,
        amount=sum(priced, Decimal()) if len(priced) == len(missing) else None,
        currency=order.currency,
        details={item: format(quantity, "f") for item, quantity in missing.items()},
        document_id=newest.document_id,
    )
