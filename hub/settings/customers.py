"""Whose order a document has to be for, so that a route takes it.

An 856 tells who gets what, an 810 at which price: sent to the wrong customer it is told to a
competitor. So what such a flow writes goes to the partner who ordered, and to nobody else, unless
the route names somebody: `when: {customer: NAME}`, or `*` for everybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hub.settings.model import Connection, Route

ANYBODY = "*"
"""`when: {customer: "*"}`: the documents of all orders, and of none."""

TO_THE_BUYER = frozenset({"855", "856", "810", "ORDRSP", "DESADV", "INVOIC"})
"""Flows that answer, announce or bill an order: their receiver is the buyer (X12 855, 856, 810;
EDIFACT ORDRSP, DESADV, INVOIC)."""

ORDERS = frozenset({"order", "order_change"})
"""Their customer is who sent them."""

OF_AN_ORDER = ORDERS | {
    "order_response",
    "shipment",
    "receiving_advice",
    "invoice",
    "load_tender",
    "tender_response",
}
"""Entities that belong to an order; all but orders by our reference of it."""


def customer_of(route: Route, connections: Mapping[str, Connection]) -> str | None:
    """Return the partner whose order a document of the route has to be for; None: anybody's."""
    named = route.when.get("customer")
    if named is not None:
        return None if named == ANYBODY else named
    target = connections.get(route.to)
    return target.partner if target and route.flow in TO_THE_BUYER else None


def asking(routes: Iterable[Route], connections: Mapping[str, Connection]) -> frozenset[str]:
    """Return the entities whose order has to be known before they are routed."""
    return frozenset(
        route.entity
        for route in routes
        if route.entity not in ORDERS and customer_of(route, connections) is not None
    )
