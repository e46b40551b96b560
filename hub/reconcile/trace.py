"""The order thread as one JSON value: timeline, documents, deliveries, findings, line quantities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.ledger.threads import Thread
from hub.reconcile import facts
from hub.reconcile.discrepancy import plain
from hub.reconcile.line_ledger import Line, Movement, build
from hub.reconcile.policy import policy_of
from hub.settings.model import Site

DOCUMENT = (
    "id", "direction", "entity", "number", "partner", "connection", "verdict", "state", "version",
    "reference", "code", "place", "created_at", "settled_at",
)  # fmt: skip
_DELIVERY = (
    "id", "document_id", "target", "action", "state", "attempts", "external_id", "code",
    "created_at", "settled_at", "next_at",
)  # fmt: skip
_FINDING = (
    "id", "job", "state", "cause", "remedy", "owner", "amount", "currency", "details", "redrives",
    "since", "opened_at", "closed_at",
)  # fmt: skip


def as_json(thread: Thread) -> dict[str, Any]:
    """Return a thread as plain values, without its line quantities."""
    return {
        "key": thread.key,
        "documents": [_pick(row, DOCUMENT) for row in thread.documents],
        "deliveries": [
            _pick(row, _DELIVERY) | {"waiting": thread.waiting.get(row["id"], "")}
            for row in thread.deliveries
        ],
        "findings": [_pick(row, _FINDING) for row in thread.findings],
        "timeline": [
            {"at": e.at, "what": e.what, "about": e.about, "why": e.why, "id": e.id}
            for e in thread.timeline
        ],
    }


async def lines(
    ledger: AsyncConnection, site: Site, references: Sequence[str]
) -> list[dict[str, Any]]:
    """Return the line-quantity ledger of these orders."""
    policy = policy_of(site.reconcile)
    orders = [
        order.as_received() if order.is_purchase(policy.purchasing) else order
        for order in await facts.threads(ledger, references)
    ]
    items = await facts.ItemBook(site).of(ledger, orders)
    return [
        line_json(line, order.reference)
        for order in orders
        for line in build(order, policy.units, items)
    ]


def line_json(line: Line, reference: str) -> dict[str, Any]:
    """Return one line: quantities as decimal text in `unit`, and every conversion that was made."""
    quantities: dict[str, Decimal] = {
        "ordered": line.total("ordered"),
        "cancelled": line.total("cancelled"),
        "open": line.open,
        "backordered": line.backordered,
        "shipped": line.total("shipped"),
        "over": line.over,
        "invoiced": line.total("invoiced"),
        "credited": line.total("credited"),
        "to_invoice": line.to_invoice,
        "unshipped": line.unshipped,
    }
    return {
        "reference": reference,
        "line": line.number,
        "item": line.item,
        "expected": line.expected,
        "unit": line.unit,
        **{name: plain(quantity) for name, quantity in quantities.items()},
        "adds_up": adds_up(quantities) and line.comparable,
        "conversions": [_conversion(each) for each in line.movements if _converted(each)],
        "unconverted": [
            {"kind": kind, "document": paper.number, "value": plain(said.quantity),
             "unit": said.unit, "to": line.unit}
            for kind, paper, said in line.unconverted
        ],
    }  # fmt: skip


def adds_up(quantities: Mapping[str, Decimal]) -> bool:
    """Whether both equations of the line ledger hold, and nothing is over, unbilled or unshipped."""
    q = quantities
    went = q["cancelled"] + q["open"] + q["backordered"] + q["shipped"]
    whole = q["ordered"] + q["over"] == went
    billed = q["shipped"] + q["unshipped"] == q["invoiced"] + q["to_invoice"]
    return whole and billed and not (q["over"] or q["unshipped"] - q["credited"] > 0)


def _converted(movement: Movement) -> bool:
    return movement.conversion.rule != "same"


def _conversion(movement: Movement) -> dict[str, str]:
    turned = movement.conversion
    return {
        "kind": movement.kind,
        "document": movement.paper.number,
        "value": plain(turned.value),
        "unit": turned.unit,
        "factor": plain(turned.factor),
        "to_value": plain(turned.to_value),
        "to_unit": turned.to_unit,
        "rule": turned.rule,
    }


def _pick(row: sa.RowMapping, names: Sequence[str]) -> dict[str, Any]:
    return {name: row[name] for name in names}
