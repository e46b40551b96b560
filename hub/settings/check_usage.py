"""Checks that test traffic cannot reach what is real.

Code: ``test_to_production``: a connection that is agreed to be a test (X12 ISA15 T) could send its
documents along this route to a target that is not one. `when` keeps them apart.
"""

from __future__ import annotations

from pydantic import ValidationError

from hub.settings.check_parts import Known, Problems, problem
from hub.settings.customers import ORDERS, customer_of
from hub.settings.loader import Loaded
from hub.settings.model import Connection, Route


def check_usage(loaded: Loaded, known: Known) -> Problems:
    """All routes that test documents could take to a real target."""
    connections = loaded.site.connections
    tests = {name for name, each in connections.items() if _is_test(known, each) is True}
    for index, route in enumerate(loaded.site.routes):
        target = connections.get(route.to)
        if target is None or _is_test(known, target) is not False:
            continue
        customer = customer_of(route, connections)
        found = sorted(name for name in tests if _takes(route, name, connections[name], customer))
        if found:
            detail = f"{found[0]} is a test, {route.to} is not; name the connection under `when`"
            yield problem(loaded, "test_to_production", ("routes", index), detail)


def _is_test(known: Known, connection: Connection) -> bool | None:
    """Whether a connection is agreed to be a test; None where its system makes no difference."""
    connector = known.connectors.get(connection.system)
    if connector is None:
        return None
    try:
        return connector.config.model_validate(connection.options).is_test
    except ValidationError:  # said where the options stand, or a secret that is still a reference
        usage = connector.config.model_fields.get("usage")
        return None if usage is None else connection.options.get("usage", usage.default) == "T"


def _takes(route: Route, name: str, connection: Connection, customer: str | None) -> bool:
    """Whether documents of a connection may take the route."""
    if route.entity in ORDERS and customer not in (None, connection.partner):
        return False  # who sends an order is its customer; other documents may be for any order
    given = {"connection": name, "partner": connection.partner}
    return all(given.get(key) == value for key, value in route.when.items() if key != "customer")
