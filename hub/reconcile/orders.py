"""One order and all that followed from it, as the values that the line ledger and the jobs work on.

`read` turns ledger rows into these values; nothing here does I/O.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

Row = Mapping[Any, Any]
"""A row of the ledger, by column."""

_SCHEMES = ("seller_sku", "buyer_sku", "gtin")
_QUANTITIES = {"shipment": "shipped", "receiving_advice": "received"}
"""Entity -> the field of its lines that holds the quantity, where that is not ``quantity``."""
_NO_LONGER_COUNTS = frozenset({"Canceled", "Corrective"})
"""What an ERP says of a posted invoice that was taken back (mappings/business_central)."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What a seller says of one part of a line."""

    status: str
    """`canonical.order_response.AnswerStatus`."""
    quantity: Decimal | None = None
    """None: the whole line."""
    unit: str = ""
    deliver_on: date | None = None
    ship_on: date | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """One line as a document says it."""

    number: str
    codes: Mapping[str, str]
    """Scheme (``seller_sku``, ``buyer_sku``, ``gtin``) -> code."""
    quantity: Decimal
    unit: str
    price: Decimal | None = None
    """Of one `unit`, where the document says it."""
    currency: str | None = None
    asked: Decimal | None = None
    """On a shipment: what the warehouse was asked for, in `unit`."""
    action: str = "change"
    """On an order change: ``add``, ``delete`` or ``change``."""
    deliver_on: date | None = None
    """On an order: when it is wanted at the door, where the line says so."""
    promises: tuple[Promise, ...] = ()
    """On an order response; none: the line goes with the whole order."""

    @property
    def item(self) -> str:
        """The item by the first of its codes that is there; "" where it has none."""
        return next((self.codes[scheme] for scheme in _SCHEMES if self.codes.get(scheme)), "")


@dataclass(frozen=True, slots=True)
class Sent:
    """One delivery of a document."""

    id: str
    target: str
    action: str
    flow: str
    state: str
    created_at: datetime
    settled_at: datetime | None = None
    code: str | None = None
    next_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Paper:
    """One version of one document."""

    id: str
    entity: str
    number: str
    business_key: str
    version: int
    state: str
    partner: str
    connection: str
    at: datetime
    """When the hub decided it."""
    lines: tuple[Said, ...] = ()
    kind: str = "original"
    """Of an order change: ``change``, ``replace`` or ``cancel``."""
    currency: str | None = None
    ship_by: date | None = None
    """When the order is to leave; the day wanted at the door where it says no more."""
    sent: tuple[Sent, ...] = ()
    answer: str = ""
    """Of an order response: ``accepted``, ``changed``, ``rejected``."""
    deliver_on: date | None = None
    """When all of it is wanted at the door; of a response: promised."""
    leave_on: date | None = None
    """The same of the day on which it leaves."""

    @property
    def posted_at(self) -> datetime | None:
        """When a target first acknowledged the posting of this shipment."""
        settled = [
            each.settled_at
            for each in self.sent
            if each.action == "post_shipment" and each.state == "delivered" and each.settled_at
        ]
        return min(settled) if settled else None


@dataclass(frozen=True, slots=True)
class OrderThread:
    """An order, its changes, shipments and invoices; only what is in force."""

    reference: str
    """Our reference, which ties them together."""
    versions: tuple[Paper, ...] = ()
    """The order and its changes, in their sequence; empty where the ledger has no order."""
    shipments: tuple[Paper, ...] = ()
    invoices: tuple[Paper, ...] = ()
    responses: tuple[Paper, ...] = ()
    """What sellers answered."""
    receivings: tuple[Paper, ...] = ()
    """What was counted when goods came in: by our warehouse, or by the customer."""

    @property
    def subject(self) -> str:
        """What findings are about: the order's business key, else our reference."""
        return self.versions[0].business_key if self.versions else f"reference/{self.reference}"

    def is_purchase(self, connections: Collection[str]) -> bool:
        """Whether the order is one that we placed: it came by one of these connections."""
        return any(paper.connection in connections for paper in self.versions)

    def as_received(self) -> OrderThread:
        """The same purchase, with what was counted in place of what its supplier announced.

        Where nobody counts, a supplier's shipment is as good as received.
        """
        return replace(self, shipments=self.receivings) if self.receivings else self

    @property
    def partner(self) -> str:
        """Who ordered; else who shipped or billed."""
        papers = (*self.versions, *self.shipments, *self.invoices)
        return papers[0].partner if papers else ""

    @property
    def currency(self) -> str | None:
        """The order's currency, else that of its invoices."""
        papers = (*self.versions, *self.invoices)
        return next((paper.currency for paper in papers if paper.currency), None)


def read(reference: str, rows: Iterable[Row], sent: Mapping[str, Sequence[Sent]]) -> OrderThread:
    """Return the thread of a reference.

    Args:
        reference: ours.
        rows: its documents in force; columns as `hub/reconcile/facts.py` selects them.
        sent: document id -> its deliveries.
    """
    papers = [_paper(row, tuple(sent.get(row["id"], ()))) for row in rows]
    orders = [paper for paper in papers if paper.entity in ("order", "order_change")]
    return OrderThread(
        reference,
        tuple(sorted(orders, key=lambda paper: paper.version)),
        _newest(paper for paper in papers if paper.entity == "shipment"),
        _newest(paper for paper in papers if paper.entity == "invoice"),
        _newest(paper for paper in papers if paper.entity == "order_response"),
        _newest(paper for paper in papers if paper.entity == "receiving_advice"),
    )


def _newest(papers: Iterable[Paper]) -> tuple[Paper, ...]:
    """The newest version of each document, the oldest document first."""
    newest: dict[str, Paper] = {}
    for paper in papers:
        known = newest.get(paper.business_key)
        if known is None or known.version < paper.version:
            newest[paper.business_key] = paper
    return tuple(sorted(newest.values(), key=lambda paper: (paper.at, paper.id)))


def _paper(row: Row, sent: tuple[Sent, ...]) -> Paper:
    entity = row["entity"]
    counts = row["status"] not in _NO_LONGER_COUNTS
    lines = (row["lines"] or ()) if counts else ()
    return Paper(
        id=row["id"],
        entity=entity,
        number=row["number"] or "",
        business_key=row["business_key"],
        version=row["version"],
        state=row["state"],
        partner=row["partner"],
        connection=row["connection"],
        at=row["created_at"],
        lines=tuple(said(line, _QUANTITIES.get(entity, "quantity")) for line in lines),
        kind=row["kind"] or "original",
        currency=row["currency"],
        ship_by=_day(row["ship_by"]),
        sent=sent,
        answer=(row["answer"] or "") if entity == "order_response" else "",
        deliver_on=_day(row["deliver_on"]),
        leave_on=_day(row["leave_on"]),
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def said(line: Mapping[str, Any], name: str) -> Said:
    """Return a canonical document's line; `name` is the field that holds its quantity."""
    quantity = line.get(name) or {"value": "0", "unit": ""}
    price, asked = line.get("unit_price"), line.get("ordered")
    return Said(
        number=str(line["number"]),
        codes=line.get("item") or {},
        quantity=Decimal(quantity["value"]),
        unit=quantity["unit"],
        price=Decimal(price["amount"]) / Decimal(price.get("per", "1")) if price else None,
        currency=price.get("currency") if price else None,
        asked=Decimal(asked["value"]) if asked and asked["unit"] == quantity["unit"] else None,
        action=line.get("action", "change"),
        deliver_on=_day(line.get("requested_delivery_on")),
        promises=tuple([_promise(each) for each in line.get("answers") or ()]),
    )


def _promise(answer: Mapping[str, Any]) -> Promise:
    quantity = answer.get("quantity")
    return Promise(
        answer["status"],
        Decimal(quantity["value"]) if quantity else None,
        quantity["unit"] if quantity else "",
        _day(answer.get("deliver_on")),
        _day(answer.get("ship_on")),
    )
