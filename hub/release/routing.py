"""Routing: which deliveries a released document owes, as ledger rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from hub.ids import derived_id
from hub.settings.customers import customer_of
from hub.settings.model import Route, Site


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
    customer: str | None = None
    """The partner whose order it is, or is for; None: no order of ours is known to be its own."""


def routes_of(document: Routed, site: Site) -> list[Route]:
    """Return the routes that the document takes, in configured order."""
    return [
        route
        for route in site.routes
        if _fits(document, route)
        and customer_of(route, site.connections) in (None, document.customer)
    ]


def passed_over(document: Routed, site: Site) -> list[str]:
    """Return where the document may have belonged, had its order been known: target connections."""
    if document.customer is not None:
        return []
    return [
        route.to
        for route in site.routes
        if _fits(document, route) and customer_of(route, site.connections) is not None
    ]


def unknown_order(targets: Sequence[str]) -> dict[str, str | None]:
    """Return what a document's row says of the targets that it was not sent to."""
    if not targets:
        return {"code": None, "place": None, "detail": None}
    told = f"no order of ours has this reference: not sent to {', '.join(targets)}"
    return {"code": "order_unknown", "place": "order_reference", "detail": told}


def _fits(document: Routed, route: Route) -> bool:
    """Whether a route takes such documents, whosever order they are for."""
    return (
        route.entity == document.entity
        and route.when.get("partner", document.partner) == document.partner
        and route.when.get("connection", document.connection) == document.connection
    )


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
