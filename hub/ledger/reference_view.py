"""What the control points know of customers, items and stock: values, already read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from canonical.inventory import InventoryPosition
from canonical.item import Item
from canonical.party import Customer


@dataclass(frozen=True, slots=True)
class ReferenceView:
    """The reference data that one batch of orders needs, as the ERP last said it."""

    customers: Mapping[str, Customer] = field(default_factory=dict)
    items: Mapping[str, Item] = field(default_factory=dict)
    stock: Mapping[str, InventoryPosition] = field(default_factory=dict)
    """By item number."""
    unread: frozenset[str] = frozenset()
    """Entities of which the ERP has said nothing yet: that something is missing says nothing then."""


@dataclass(frozen=True, slots=True)
class Needed:
    """Which reference rows to read."""

    customers: frozenset[str]
    items: frozenset[str]
