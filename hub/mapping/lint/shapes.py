"""Shapes of source documents: of one, of many together, and of what a connector says of all."""

from __future__ import annotations

from functools import reduce
from typing import Any

from hub.mapping.lint.schema import OTHER, Shape

ANY = "*"
"""As a name: whatever else it is called."""


def shape_of_value(value: Any) -> Shape:
    """The shape of one JSON value."""
    if isinstance(value, dict):
        return Shape("object", {name: shape_of_value(each) for name, each in value.items()})
    if isinstance(value, list):
        return Shape("array", element=reduce(both, map(shape_of_value, value)) if value else None)
    return OTHER


def both(one: Shape, other: Shape) -> Shape:
    """Return what either may have; JSONata reads one value and an array of it alike.

    One of them at most may hold itself.
    """
    if one is other:
        return one
    if "array" in (one.kind, other.kind):
        parts = [each.element if each.kind == "array" else each for each in (one, other)]
        known = [each for each in parts if each is not None]
        return Shape("array", element=reduce(both, known) if known else None)
    if "map" in (one.kind, other.kind):
        return Shape("map")
    if one.kind == other.kind == "object":
        fields = dict(one.fields)
        for name, shape in other.fields.items():
            fields[name] = both(fields[name], shape) if name in fields else shape
        return Shape("object", fields)
    return one if one.kind == "object" else other


def declared(fields: Any, known: dict[int, Shape] | None = None) -> Shape:
    """The shape of what `connectors.fields` says; lists are left out, as paths do not tell them.

    Args:
        fields: may hold itself.
        known: shapes of parts that stand around it, by their identity.
    """
    known = {} if known is None else known
    if isinstance(fields, list):
        return declared(fields[0], known)
    if not isinstance(fields, dict):
        return OTHER
    if ANY in fields:
        return Shape("map")
    if id(fields) not in known:
        parts: dict[str, Shape] = {}
        known[id(fields)] = Shape("object", parts)
        parts |= {name: declared(each, known) for name, each in fields.items()}
    return known[id(fields)]
