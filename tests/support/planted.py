"""A distributor's quarter in ledger rows: clean stories of every kind, and faults planted among them.

Every fault says which finding must come of it and with which money. The clean stories are what a job
might take for a fault: partial shipments, backorders, credits, other units, late and young documents.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from canonical.inventory import stock_number
from hub.settings.model import Site
from tests.support.planted_rows import Rows

NOW = datetime(2026, 5, 5, 12, tzinfo=UTC)
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_PARTNERS = 20
ITEMS = 400
SITE = Site.model_validate(
    {
        "control_points": {"reference": "bc"},
        "partners": {"acme": {"name": "Acme"}},
        "connections": {
            "bc": {"system": "business_central", "partner": "acme", "transport": {"kind": "poll"}},
            "lakeside": {
                "system": "x12",
                "partner": "acme",
                "transport": {"kind": "folder", "outbox": "unused"},
                "options": {"our_id": "US", "partner_id": "LAKESIDE"},
            },
        },
        "routes": [
            {"entity": "order", "to": "bc", "action": "create_order", "flow": "salesOrder"},
            {"entity": "shipment", "to": "bc", "action": "post_shipment", "flow": "post"},
        ],
        "reconcile": {
            "warehouses": {"lakeside": "MAIN"},
            "packs": {"*": {"XCT": "12"}},
            "quantity_tolerance_percent": "2",
            "purchasing": ["purchasing"],
            "heal": False,
        },
    }
)


@dataclass
class Story:
    """One order and its documents, as they are written down."""

    world: World
    n: int
    age: timedelta
    """How long ago the order came."""
    quantity: int = 24
    unit: str = "EA"
    price: Decimal = Decimal("2.50")
    ship_by: datetime | None = None
    state: str = "delivered"
    connection: str = "acme-edi"
    order: dict[str, Any] = field(default_factory=dict)
    shipments: int = 0
    invoices: int = 0

    def __post_init__(self) -> None:
        self.item = f"SKU-{self.n % ITEMS}"
        self.partner = f"partner{self.n % _PARTNERS}"
        self.facts = {"partner": self.partner, "reference": f"XD{self.n}"}
        line = self.line("quantity", self.quantity, unit=self.unit) | _price(self.price)
        canonical: dict[str, Any] = {"lines": [line]}
        if self.ship_by:
            canonical["requested_ship_on"] = self.ship_by.date().isoformat()
        self.order = self.world.rows.document(
            "order", f"PO-{self.n}", NOW - self.age, canonical, state=self.state,
            amount=self.price * self.quantity, currency="USD", connection=self.connection,
            **self.facts,
        )  # fmt: skip

    @property
    def subject(self) -> str:
        return str(self.order["business_key"])

    def line(
        self, name: str, quantity: int | str, *, unit: str = "EA", item: str = ""
    ) -> dict[str, Any]:
        amount = {"value": str(quantity), "unit": unit}
        return {"number": "1", "item": {"seller_sku": item or self.item}, name: amount}

    def created(self, state: str = "delivered", *, listed: bool = True, **other: Any) -> Story:
        """The ERP took it, or not."""
        at = NOW - self.age + timedelta(minutes=5)
        row = self.world.rows.delivery(
            self.order, "bc", "create_order", at, state=state,
            **({"external_id": f"SO-{self.n}"} | other),
        )  # fmt: skip
        if listed and state == "delivered":
            self.world.list_at_target(row)
        return self

    def changed(self, kind: str, quantity: int = 0) -> Story:
        lines = [self.line("quantity", quantity) | {"action": "change"}] if quantity else []
        change = self.world.rows.document(
            "order_change", f"PO-{self.n}", NOW - self.age + _HOUR, {"kind": kind, "lines": lines},
            business_key=self.subject, version=2, **self.facts,
        )  # fmt: skip
        self.world.rows.delivery(change, "bc", "change_order", change["created_at"], version=2)
        return self

    def shipped(  # noqa: PLR0913  # one argument for each thing that may be unusual
        self, quantity: int, *, age: timedelta | None = None, unit: str = "EA",
        asked: int | None = None, item: str = "", posted: bool = True,
    ) -> Story:  # fmt: skip
        self.shipments += 1
        line = self.line("shipped", quantity, unit=unit, item=item)
        if asked is not None:
            line["ordered"] = {"value": str(asked), "unit": unit}
        at = NOW - (self.age / 2 if age is None else age)
        row = self.world.rows.document(
            "shipment", f"S-{self.n}-{self.shipments}", at, {"lines": [line]}, **self.facts
        )
        state = "delivered" if posted else "pending"
        self.world.rows.delivery(row, "bc", "post_shipment", at, state=state)
        if not posted:
            row["state"] = "accepted"
        self.last = row
        return self

    def billed(  # noqa: PLR0913  # the same
        self, quantity: int | str, *, price: Decimal | None = None, age: timedelta | None = None,
        unit: str = "EA", currency: str = "USD", status: str = "", freight: bool = False,
        item: str = "",
    ) -> Story:  # fmt: skip
        self.invoices += 1
        each = price if price is not None else self.price
        line = self.line("quantity", quantity, unit=unit, item=item) | _price(each, currency)
        line["number"] = "10000"  # an ERP counts lines in its own way
        lines = [line]
        if freight:
            lines.append(self.line("quantity", 1, item="FREIGHT") | _price(Decimal(15)))
        canonical: dict[str, Any] = {"lines": lines}
        if status:
            canonical["extensions"] = {"status": status}
        at = NOW - (self.age / 3 if age is None else age)
        self.world.rows.document(
            "invoice", f"INV-{self.n}-{self.invoices}", at, canonical, currency=currency,
            connection="bc", **self.facts,
        )  # fmt: skip
        return self

    def answered(
        self, quantity: int, *, price: Decimal | None = None, refused: int = 0, **facts: Any
    ) -> Story:
        """The supplier answers the order a day after it came."""
        ea = [{"status": "accepted", "quantity": {"value": str(quantity), "unit": "EA"}}]
        if refused:
            ea.append({"status": "rejected", "quantity": {"value": str(refused), "unit": "EA"}})
        line = self.line("quantity", self.quantity, unit=self.unit) | {"answers": ea}
        line |= _price(price if price is not None else self.price)
        self.world.rows.document(
            "order_response", f"PO-{self.n}", NOW - self.age + _DAY,
            {"status": "changed", "lines": [line], **facts}, **self.facts,
        )  # fmt: skip
        return self

    def sent(self, *, age: timedelta, said: str = "", said_age: timedelta = _HOUR) -> str:
        """Send the warehouse its order; return what findings of it are about."""
        state = "dead" if said == "rejected" else "delivered"
        row = self.world.rows.delivery(
            self.order, "lakeside", "send", NOW - age, flow="940", state=state
        )
        if state == "dead":
            self.order["state"] = "dead"
            self.world.rows.letter(self.order)
        if said:
            self.world.rows.add(
                "confirmation", id=f"c-{self.n}", connection="lakeside", number=self.n,
                flow="997", state=said, reasons="[]", document_id="ack", delivery_id=row["id"],
                at=NOW - said_age,
            )  # fmt: skip
        return f"sent/{self.order['id']}/lakeside/send"

    def must(self, job: str, amount: Decimal | None, subject: str = "") -> None:
        """Expect a finding of this order."""
        self.world.expected[job, subject or self.subject] = amount


def _price(amount: Decimal, currency: str = "USD") -> dict[str, Any]:
    return {"unit_price": {"amount": str(amount), "currency": currency}}


@dataclass
class World:
    """Everything that is written, and what must be found in it."""

    chance: random.Random
    rows: Rows = field(default_factory=Rows)
    expected: dict[tuple[str, str], Decimal | None] = field(default_factory=dict)
    """(job, subject) -> the money at stake."""
    count: int = 0
    interchanges: int = 998
    """The last number that the warehouse used, in the order in which its interchanges came."""

    def interchange(self, *, skip: int = 0) -> str:
        """Let the next interchange of the warehouse come; the subject of its finding."""
        self.interchanges += skip + 1
        self.rows.add(
            "interchange", scope="ZZ:US/ZZ:LAKESIDE/P", reference=str(self.interchanges),
            number=self.interchanges, connection="lakeside", sha256="0", receipt_id="r",
            received_at=NOW - 3 * _DAY,
        )  # fmt: skip
        return f"interchange/lakeside/{self.interchanges}"

    def story(self, **facts: Any) -> Story:
        """Begin another order; 4 to 80 days old unless it is said otherwise."""
        self.count += 1
        age = facts.pop("age", None) or timedelta(hours=self.chance.randint(4 * 24, 80 * 24))
        return Story(self, self.count, age, **facts)

    def list_at_target(self, row: Mapping[str, Any], **other: Any) -> dict[str, Any]:
        """Put a delivery on the target's own list."""
        entry = {
            "target": row["target"], "action": row["action"], "external_id": row["external_id"],
            "reference": row["reference"], "sha256": None, "amount": None, "currency": None,
        }  # fmt: skip
        return self.rows.add("statement_entry", **(entry | other))

    def stock(self, item: str, erp: str | None, count: str | None, age: timedelta = _DAY) -> str:
        """What the ERP and the warehouse count of an item; the subject of its finding."""
        for connection, quantity, site in (("bc", erp, "MAIN"), ("lakeside", count, "W1")):
            if quantity is None:
                continue
            position = f'{{"on_hand": {{"value": "{quantity}", "unit": "EA"}}}}'
            self.rows.add(
                "reference", connection=connection, entity="inventory",
                number=stock_number(item, site), sequence=1, content_id="c", canonical=position,
                seen_at=NOW - age,
            )  # fmt: skip
        return f"inventory/lakeside/{item}@MAIN"


Teller = Callable[[World], None]


def build(documents: int, faults: int, clean: tuple[Teller, ...], bad: tuple[Teller, ...]) -> World:
    """Tell clean stories until there are so many documents, and plant so many faults among them."""
    world = World(random.Random(5))  # noqa: S311  # the same world every time
    for n in range(ITEMS):
        world.rows.add(
            "reference", connection="bc", entity="item", number=f"SKU-{n}", sequence=1,
            content_id="c", seen_at=NOW - _DAY,
            canonical='{"base_unit": "EA", "list_price": {"amount": "4", "currency": "USD"}}',
        )  # fmt: skip
    world.interchange()
    for n in range(faults):
        bad[n % len(bad)](world)
    n, enough = 0, world.rows.documents + documents
    while world.rows.documents < enough:
        clean[n % len(clean)](world)
        n += 1
    return world
