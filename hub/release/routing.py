"""Routing: which deliveries a released document owes, as ledger rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from hub.ids import derived_id
from hub.settings.model import Route


class Routed(NamedTuple):
    """The facts of a document that routing and its deliveries need."""

    document_id: str
    entity: str
    connection: str
    partner: str
    business_key: str
    version: int
    reference: str
    trace_id: str | None


def routes_of(document: Routed, routes: Iterable[Route]) -> list[Route]:
    """Return the routes that the document takes, in configured order."""
    facts = {"partner": document.partner, "connection": document.connection}
    return [
        route
        for route in routes
        if route.entity == document.entity
        and all(facts.get(name) == value for name, value in route.when.items())
    ]


def deliveries(
    document: Routed, routes: Sequence[Route], now: datetime, occasion: str = ""
) -> list[dict[str, Any]]:
    """Return one pending delivery row per route; the same call gives the same ids."""
    return [delivery_row(document, route, now, occasion) for route in routes]


def delivery_row(document: Routed, route: Route, now: datetime, occasion: str) -> dict[str, Any]:
    """Return one delivery row."""
    row = pending(document, (route.to, route.action, route.flow), now, occasion)
    row["after_target"] = route.after
    return row


def pending(
    document: Routed, target: tuple[str, str, str], now: datetime, occasion: str
) -> dict[str, Any]:
    """Return a pending delivery row to (connection, action, flow)."""
    to, action, flow = target
    return {
        "id": derived_id("delivery", document.document_id, to, action, occasion),
        "document_id": document.document_id,
        "target": to,
        "action": action,
        "flow": flow,
        "occasion": occasion,
        "business_key": document.business_key,
        "version": document.version,
        "after_target": None,
        "state": "pending",
        "reference": document.reference,
        "trace_id": document.trace_id,
        "next_at": now,
        "created_at": now,
    }
