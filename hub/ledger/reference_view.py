"""What the control points know of customers, items and stock: values, already read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from canonical.inventory import InventoryPosition
from canonical.item import Item
from canonical.order import Order
from canonical.party import Customer


@dataclass(frozen=True, slots=True)
class ReferenceView:
    """The reference data that one batch of orders needs, as the ERP last said it."""

    customers: Mapping[str, Customer] = field(default_factory=dict)
    items: Mapping[str, Item] = field(default_factory=dict)
    stock: Mapping[str, InventoryPosition] = field(default_factory=dict)
    """By item number."""


@dataclass(frozen=True, slots=True)
class Needed:
    """Which reference rows to read."""

    customers: frozenset[str]
    items: frozenset[str]


def needed_by(orders: Iterable[Order]) -> Needed:
    """Return the numbers whose reference data these orders' control points will ask for."""
    customers: set[str] = set()
    items: set[str] = set()
    for order in orders:
        if order.buyer.customer_number:
            customers.add(order.buyer.customer_number)
        items.update(line.item.seller_sku for line in order.lines if line.item.seller_sku)
    return Needed(frozenset(customers), frozenset(items))
