"""Checks of the routes: every one leads somewhere, and no two do the same to one document.

Codes: ``connection_unknown``, ``partner_unknown``, ``condition_unknown`` (`when` by something else
than partner, connection and customer, or by the customer of what belongs to no order),
``customers_mixed`` (what is one partner's would go to another, too), ``action_unknown``,
``flow_unknown``, ``outbox_missing``, ``mapping_missing``, ``route_repeated``, ``after_unknown`` (no
route of the entity leads there), ``after_circular``.
"""

from __future__ import annotations

from hub.settings.check_parts import Known, Problems, connection_exists, problem, usable
from hub.settings.check_transports import sends
from hub.settings.customers import ANYBODY, OF_AN_ORDER, ORDERS, TO_THE_BUYER, customer_of
from hub.settings.loader import Loaded
from hub.settings.model import Connection, Route
from hub.settings.names import did_you_mean
from hub.settings.places import OptionPath

_TOLD_TO_ALL = frozenset({"inventory"})
"""Entities that say the same to everybody: what is in stock."""


def check_routes(loaded: Loaded, known: Known) -> Problems:
    """All that does not fit in the routes."""
    routes = loaded.site.routes
    for index, route in enumerate(routes):
        path: OptionPath = ("routes", index)
        yield from connection_exists(loaded, (*path, "to"), route.to)
        target = loaded.site.connections.get(route.to)
        if target is not None:
            yield from _target(loaded, known, path, target)
        yield from _conditions(loaded, path, route)
        yield from _after(loaded, path, route)
        yield from _beside_others(loaded, path, route)


def _beside_others(loaded: Loaded, path: OptionPath, route: Route) -> Problems:
    """Routes before this one that take the same documents: to the same end, or to another partner."""
    for other in loaded.site.routes[: int(path[-1])]:
        if not _meet(loaded, route, other):
            continue
        if (route.to, route.action) == (other.to, other.action):
            detail = "an earlier route does the same to the same documents"
            yield problem(loaded, "route_repeated", path, detail)
            return
        if _mixed(loaded, route, other):
            detail = (
                f"every {route.entity} for {other.to} would go to {route.to} too: tell them apart"
                " under `when` (`customer`, `partner`, `connection`), or say `customer: '*'`"
            )
            yield problem(loaded, "customers_mixed", path, detail)
            return


def _target(loaded: Loaded, known: Known, path: OptionPath, target: Connection) -> Problems:
    connector = known.connectors.get(target.system)
    if connector is None or not usable(connector, target):
        return  # said where the connection stands
    route = loaded.site.routes[int(path[-1])]
    offered = connector.capabilities
    able = sends(target)
    if able is not None:
        # What leaves a file or sends a message does nothing else.
        if not able:
            detail = f"{route.to} has no outbox, and no url"
            yield problem(loaded, "outbox_missing", (*path, "to"), detail)
        if route.action != "send":
            yield problem(loaded, "action_unknown", (*path, "action"), "expected send")
    elif route.action not in offered.actions:
        hint = did_you_mean(route.action, offered.actions)
        yield problem(loaded, "action_unknown", (*path, "action"), f"no such action{hint}")
    if route.flow not in offered.outbound:
        hint = did_you_mean(route.flow, offered.outbound)
        yield problem(loaded, "flow_unknown", (*path, "flow"), f"no such outbound flow{hint}")
    elif not known.has_mapping(target.system, route):
        detail = f"mappings/{target.system}/ has none from {route.entity} to it"
        yield problem(loaded, "mapping_missing", (*path, "flow"), detail)


def _conditions(loaded: Loaded, path: OptionPath, route: Route) -> Problems:
    for name, value in route.when.items():
        here = (*path, "when", name)
        if name == "connection":
            yield from connection_exists(loaded, here, value)
        elif name not in ("partner", "customer"):
            detail = "expected partner, connection or customer"
            yield problem(loaded, "condition_unknown", here, detail)
        elif (name, value) == ("customer", ANYBODY):
            continue
        elif name == "customer" and route.entity not in OF_AN_ORDER:
            detail = f"{route.entity} belongs to no order, so that it has no customer"
            yield problem(loaded, "condition_unknown", here, detail)
        elif value not in loaded.site.partners:
            hint = did_you_mean(value, loaded.site.partners)
            yield problem(loaded, "partner_unknown", here, f"no such partner{hint}")


def _after(loaded: Loaded, path: OptionPath, route: Route) -> Problems:
    if route.after is None:
        return
    earlier = {r.to: r for r in loaded.site.routes if r.entity == route.entity}
    here = (*path, "after")
    if route.after not in earlier:
        hint = did_you_mean(route.after, earlier)
        detail = f"no route of {route.entity} leads there{hint}"
        yield problem(loaded, "after_unknown", here, detail)
        return
    seen, step = {route.to}, route.after
    while step not in seen:
        seen.add(step)
        onward = earlier[step].after if step in earlier else None
        if onward is None:
            return
        step = onward
    yield problem(loaded, "after_circular", here, "it would wait for itself")


def _meet(loaded: Loaded, one: Route, other: Route) -> bool:
    """Whether one document could take both routes."""
    mine, theirs = _conditions_of(loaded, one), _conditions_of(loaded, other)
    return one.entity == other.entity and all(
        mine[name] == theirs[name] for name in mine.keys() & theirs.keys()
    )


def _conditions_of(loaded: Loaded, route: Route) -> dict[str, str]:
    given = {name: value for name, value in route.when.items() if name != "customer"}
    customer = customer_of(route, loaded.site.connections)
    if customer is not None:
        # Who sends an order is its customer.
        given["partner" if route.entity in ORDERS else "customer"] = customer
    return given


def _mixed(loaded: Loaded, one: Route, other: Route) -> bool:
    """Whether two routes that meet tell two partners the same, and nobody said that they may."""
    targets = [loaded.site.connections.get(each.to) for each in (one, other)]
    told = one.entity not in ORDERS | _TOLD_TO_ALL or one.flow in TO_THE_BUYER
    meant = all(
        "customer" in each.when or customer_of(each, loaded.site.connections) is not None
        for each in (one, other)
    )
    partners = {each.partner for each in targets if each is not None}
    return told and not meant and one.flow == other.flow and len(partners) > 1
