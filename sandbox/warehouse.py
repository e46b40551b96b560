"""The warehouse's state: which orders it holds, what it has packed, which files it still owes.

Effects: ``warehouse_order_received``, ``warehouse_order_retransmitted`` (the same interchange with
the same bytes again), ``warehouse_file_refused``, ``warehouse_ack_received``,
``warehouse_plan_set``, ``warehouse_file_prepared`` (packed; the file's bytes are fixed from here),
``warehouse_shipment_sent`` and ``warehouse_ack_sent`` (the file lies in the hub's inbox).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sandbox import reference_data, shipping_advice
from sandbox.journal import Entry
from sandbox.shipping_advice import AS_ORDERED, Plan, Shipment
from sandbox.warehouse_order import WarehouseOrder, from_row
from sandbox.world import Effect
from sandbox.x12 import Envelope, Group, Segment, acknowledgement, write

SYSTEM = "warehouse"
SHIPPABLE = {"N", ""}
"""Order status codes (W0501) of orders to be shipped; others are only kept."""


@dataclass(frozen=True)
class Held:
    """An order that waits to be packed."""

    seq: int
    order: WarehouseOrder
    received_at: datetime


@dataclass(frozen=True)
class Prepared:
    """A file for the hub, whose name and bytes are fixed."""

    name: str
    text: str
    due: datetime
    reference: str
    shipment: dict[str, Any]
    """Number, items, tracking numbers, carrier; empty for an acknowledgement."""


class Warehouse:
    """The warehouse."""

    system = SYSTEM

    def __init__(self) -> None:
        self.held: dict[int, Held] = {}
        self.prepared: dict[str, Prepared] = {}
        self.plans: list[dict[str, Any]] = []
        self.interchanges_seen: set[tuple[str, str]] = set()
        """(control number, sha256 of the file) of every 940 interchange."""
        self._interchanges = 0
        self._shipments = 0
        self._cartons = 0

    def apply(self, entry: Entry) -> None:
        """Take an entry."""
        effect = entry["effect"]
        if effect == "warehouse_order_received":
            self._receive(entry)
        elif effect == "warehouse_plan_set":
            self.plans.append(entry["plan"])
        elif effect == "warehouse_file_prepared":
            self._prepare(entry)
        elif effect in {"warehouse_shipment_sent", "warehouse_ack_sent"}:
            self.prepared.pop(entry["name"], None)

    def _receive(self, entry: Entry) -> None:
        self.interchanges_seen.add((entry["interchange"], entry["sha256"]))
        order = from_row(entry["order"])
        if order.status in SHIPPABLE:
            at = datetime.fromisoformat(entry["at"])
            self.held[entry["seq"]] = Held(entry["seq"], order, at)

    def _prepare(self, entry: Entry) -> None:
        file = Prepared(
            entry["name"],
            entry["text"],
            datetime.fromisoformat(entry["due"]),
            entry["reference"],
            entry["shipment"],
        )
        self.prepared[file.name] = file
        self._interchanges += 1
        if file.shipment:
            self._shipments += 1
            self._cartons += len(file.shipment["tracking_numbers"])
            self.held.pop(entry["order_seq"], None)
            self.plans = [plan for plan in self.plans if plan["id"] != entry["plan_id"]]

    def plan_for(self, order: WarehouseOrder) -> tuple[str, Plan]:
        """The plan for an order: its own, else the next that names no order, else as ordered."""
        for plan in sorted(self.plans, key=lambda plan: plan["reference"] == ""):
            if plan["reference"] in {"", order.number}:
                short = {item: Decimal(amount) for item, amount in plan["short"].items()}
                each = Decimal(plan["each"])
                return plan["id"], Plan(short, int(plan["parts"]), plan["unit"], each)
        return "", AS_ORDERED

    def packing(self, held: Held, at: datetime, part_seconds: float) -> Iterator[Effect]:
        """Pack an order: one prepared 945 per shipment, each `part_seconds` after the other."""
        plan_id, plan = self.plan_for(held.order)
        serial = self._cartons + 1
        for position, lines in enumerate(shipping_advice.split(held.order, plan)):
            number = f"LS{self._shipments + position + 1:08d}"
            cartons = shipping_advice.pack(lines, serial)
            serial += len(cartons)
            shipment = Shipment(held.order, number, cartons, plan, at)
            control = self._interchanges + position + 1
            text = self._file("SW", control, at, "945", shipping_advice.segments(shipment))
            data = {
                "name": f"945_{number}.x12", "text": text, "plan_id": plan_id,
                "due": (at + position * timedelta(seconds=part_seconds)).isoformat(),
                "order_seq": held.seq,
                "shipment": {
                    "number": number, "items": shipment.items(), "scac": held.order.scac,
                    "tracking_numbers": [carton.tracking_number for carton in cartons],
                },
            }  # fmt: skip
            yield Effect(SYSTEM, "warehouse_file_prepared", held.order.number, data)

    def acknowledging(self, group: Group, refused: dict[str, str], at: datetime) -> Effect:
        """Prepare the 997 of a group."""
        control = self._interchanges + 1
        text = self._file("FA", control, at, "997", acknowledgement(group, refused))
        data = {
            "name": f"997_{control:09d}.x12", "text": text, "due": at.isoformat(), "shipment": {},
        }  # fmt: skip
        return Effect(SYSTEM, "warehouse_file_prepared", group.control, data)

    def _file(
        self, group: str, control: int, at: datetime, code: str, segments: list[Segment]
    ) -> str:
        sender, receiver = reference_data.WAREHOUSE_ID, reference_data.OUR_ID
        return write(Envelope(sender, receiver, control, at, group), [(code, segments)])
