"""Whether nothing at all is wrong with an order, in one walk over its lines.

Nearly every order is such a one, and the control points together walk over its lines five times:
they took a tenth of the hub's processor time. What passes here passes each of them; what does not
is left to them, as only they know the reasons.
"""

from __future__ import annotations

from decimal import Decimal

from hub.ledger.reference_view import ReferenceView
from hub.release.asked import Asked
from hub.settings.model import ControlPoints


def is_flawless(order: Asked, view: ReferenceView, policy: ControlPoints) -> bool:
    """Return True only where no control point has a reason; False says nothing."""
    customer = view.customers.get(order.customer_number or "")
    if customer is None or customer.blocked or view.unread or not order.has_address:
        return False
    method = order.ship_method
    known = policy.default_ship_method if method is None else policy.ship_methods.get(method)
    return known is not None and _lines_are_flawless(order, view)


def _lines_are_flawless(order: Asked, view: ReferenceView) -> bool:
    items, stock, currency = view.items, view.stock, order.currency
    wanted: dict[str, Decimal] = {}
    for line in order.lines:
        item = items.get(line.sku)
        if item is None or item.blocked or line.unit != item.base_unit or line.quantity <= 0:
            return False
        listed = item.list_price
        if (
            listed is None
            or line.amount != listed.amount
            or line.per != listed.per
            or not line.currency == listed.currency == currency
        ):
            return False
        if item.stocked:
            position = stock.get(line.sku)
            if position is None:
                return False
            # Lines of one item ask for its stock together.
            before = wanted.get(line.sku)
            wanted[line.sku] = line.quantity if before is None else before + line.quantity
            if wanted[line.sku] > (position.available or position.on_hand).value:
                return False
    return len({line.number for line in order.lines}) == len(order.lines)
