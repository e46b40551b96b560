"""Orders, shipments and invoices as the jobs of reconciliation take them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from hub.reconcile.line_ledger import ItemFacts, Line, build
from hub.reconcile.orders import OrderThread, Paper, Said, Sent
from hub.reconcile.policy import Policy
from hub.reconcile.units import Units

NOW = datetime(2026, 5, 5, 12, tzinfo=UTC)


def said(quantity: str | int, unit: str = "EA", **other: Any) -> Said:
    """A line 1 of item A."""
    price = other.pop("price", None)
    given = {"number": "1", "codes": {"seller_sku": other.pop("item", "A")}} | other
    return Said(
        quantity=Decimal(quantity),
        unit=unit,
        price=None if price is None else Decimal(price),
        **given,
    )


@dataclass
class Story:
    """An order and what followed, told step by step."""

    versions: list[Paper] = field(default_factory=list)
    shipments: list[Paper] = field(default_factory=list)
    invoices: list[Paper] = field(default_factory=list)
    responses: list[Paper] = field(default_factory=list)
    receivings: list[Paper] = field(default_factory=list)

    def ordered(
        self, *lines: Said, days: float = 9, ship_by: date | None = None, **other: Any
    ) -> Story:
        return self._order("order", lines, days, ship_by=ship_by, **other)

    def changed(self, *lines: Said, kind: str = "change", days: float = 8, **other: Any) -> Story:
        return self._order("order_change", lines, days, kind=kind, **other)

    def shipped(self, *lines: Said, days: float = 5, posted: float | None = None) -> Story:
        number = f"S-{len(self.shipments) + 1}"
        at = NOW - timedelta(days=days)
        settled = at if posted is None else NOW - timedelta(days=posted)
        state = "pending" if posted == -1 else "delivered"
        sent = Sent(f"d-{number}", "erp", "post_shipment", "post", state, at, settled)
        self.shipments.append(_paper("shipment", number, at, lines, sent=(sent,)))
        return self

    def answered(self, answer: str, *lines: Said, days: float = 7, **other: Any) -> Story:
        paper = _paper("order_response", "PO-1", NOW - timedelta(days=days), lines, **other)
        self.responses.append(replace(paper, answer=answer))
        return self

    def received(self, *lines: Said, days: float = 5) -> Story:
        number = f"RC-{len(self.receivings) + 1}"
        at = NOW - timedelta(days=days)
        self.receivings.append(_paper("receiving_advice", number, at, lines))
        return self

    def billed(self, *lines: Said, days: float = 4, currency: str = "USD") -> Story:
        number = f"INV-{len(self.invoices) + 1}"
        paper = _paper("invoice", number, NOW - timedelta(days=days), lines)
        self.invoices.append(replace(paper, currency=currency))
        return self

    def _order(self, entity: str, lines: tuple[Said, ...], days: float, **other: Any) -> Story:
        paper = _paper(entity, "PO-1", NOW - timedelta(days=days), lines, **other)
        key, version = "order/acme/PO-1/", len(self.versions) + 1
        self.versions.append(replace(paper, business_key=key, version=version))
        return self

    @property
    def thread(self) -> OrderThread:
        told = (self.versions, self.shipments, self.invoices, self.responses, self.receivings)
        return OrderThread("XD1", *map(tuple, told))

    def lines(
        self, units: Units | None = None, items: dict[str, ItemFacts] | None = None
    ) -> list[Line]:
        return build(self.thread, units or Units(), items)

    def look(self, job: Any, policy: Policy | None = None, **items: ItemFacts) -> Any:
        """What a job finds."""
        policy = policy or Policy()
        return job.find(self.thread, self.lines(policy.units, items), policy, NOW)


def _paper(entity: str, number: str, at: datetime, lines: tuple[Said, ...], **other: Any) -> Paper:
    given: dict[str, Any] = {
        "id": f"{entity}-{number}", "entity": entity, "number": number,
        "business_key": f"{entity}/acme/{number}/", "version": 1, "state": "delivered",
        "partner": "acme", "connection": "acme-edi", "at": at, "lines": lines, "currency": "USD",
    }  # fmt: skip
    return Paper(**(given | other))


@pytest.fixture
def story() -> Story:
    """An order of ten A at 2.50."""
    return Story().ordered(said(10, price="2.50"))


@pytest.fixture
def line() -> Callable[..., Said]:
    """Makes lines."""
    return said


@pytest.fixture
def now() -> datetime:
    return NOW
