"""What the site allows: tolerances and clocks, as the jobs take them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from hub.reconcile.units import Units
from hub.settings.model import Reconcile

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Policy:
    """When a difference is one."""

    invoice_after: timedelta = _DAY
    shipment_after: timedelta = _DAY
    yes_after: timedelta = timedelta(hours=4)
    supplier_invoice_after: timedelta = timedelta(days=30)
    stuck_after: timedelta = timedelta(hours=4)
    parked_after: timedelta = _DAY
    late_days: int = 1
    quantity_percent: Decimal = Decimal(0)
    price_percent: Decimal = Decimal(1)
    price_amount: Decimal = Decimal("0.01")
    stock_units: Decimal = Decimal(1)
    stock_percent: Decimal = Decimal(1)
    stock_settled: timedelta = timedelta(hours=1)
    units: Units = field(default_factory=Units)
    warehouses: Mapping[str, str] = field(default_factory=dict)
    purchasing: frozenset[str] = frozenset()
    """Connections whose orders are our own purchase orders."""
    answering: frozenset[str] = frozenset()
    """Connections that answer every order with an order response."""

    @property
    def clocks(self) -> frozenset[timedelta]:
        """How long after a document came an order may become a finding."""
        clocks = {self.invoice_after, self.shipment_after, self.yes_after}
        return frozenset(clocks | ({self.supplier_invoice_after} if self.purchasing else set()))

    def beyond(self, wanted: Decimal, found: Decimal) -> bool:
        """Whether a quantity is above another one by more than the tolerance."""
        return found > wanted + abs(wanted) * self.quantity_percent / 100

    def off_price(self, wanted: Decimal, found: Decimal) -> bool:
        """Whether a price is off another one by more than the larger of the two tolerances."""
        allowed = max(self.price_amount, abs(wanted) * self.price_percent / 100)
        return abs(found - wanted) > allowed


def policy_of(settings: Reconcile) -> Policy:
    """Return the policy that a site's settings say."""
    seconds = timedelta(seconds=1)
    return Policy(
        invoice_after=settings.ship_not_invoiced_after_seconds * seconds,
        shipment_after=settings.invoiced_not_shipped_after_seconds * seconds,
        yes_after=settings.not_acknowledged_after_seconds * seconds,
        supplier_invoice_after=settings.supplier_invoice_after_seconds * seconds,
        stuck_after=settings.stuck_after_seconds * seconds,
        parked_after=settings.change_without_order_after_seconds * seconds,
        late_days=settings.not_shipped_days,
        quantity_percent=settings.quantity_tolerance_percent,
        price_percent=settings.price_tolerance_percent,
        price_amount=settings.price_tolerance_amount,
        stock_units=settings.inventory_tolerance_units,
        stock_percent=settings.inventory_tolerance_percent,
        stock_settled=settings.inventory_settled_seconds * seconds,
        units=Units(settings.packs),
        warehouses=settings.warehouses,
        purchasing=frozenset(settings.purchasing),
        answering=frozenset(settings.answering),
    )
