"""What is known of an inbound source: the shape that its worked cases have together.

Rule W6: a path of the mapping that no worked case has. It may be a slip of the pen, which would lose the field
without an error, or a part of the format that no case shows; both want a case. Formats name
elements by their place (X12 ``BEG03``, EDIFACT ``FTX0402``): another element of a segment that the
cases have is taken for right.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import reduce
from typing import Any

from connectors.base import Json
from hub.mapping.lint.finding import Spotted, did_you_mean
from hub.mapping.lint.schema import OTHER, Shape
from hub.mapping.lint.source import SourcePaths
from hub.mapping.lint.tree import Node

_ELEMENT = re.compile(r"([A-Z][A-Z0-9]{1,2})(\d{2}|\d{4})", re.ASCII)
"""An element by its segment and place."""


def unseen_paths(tree: Node, sources: Iterable[Json]) -> Iterator[Spotted]:
    """Every path of an inbound mapping that none of these sources has; nothing without sources."""
    shapes = [_shape(each) for each in sources]
    if shapes:
        yield from _Unseen(reduce(_both, shapes)).findings(tree)


class _Unseen(SourcePaths):
    """The same walk as through the vocabulary, with what the cases have in its place."""

    def unknown(self, step: Node, known: Mapping[str, Shape]) -> Spotted | None:
        """Say that no case has a field, unless it is an element beside others."""
        name = str(step.value)
        element = _ELEMENT.fullmatch(name)
        if element is not None:
            beside = (_ELEMENT.fullmatch(each) for each in known)
            if any(each and each[1] == element[1] for each in beside):
                return None
        return Spotted("W6", step.at, f"no worked case has {name} here{did_you_mean(name, known)}")


def _shape(value: Any) -> Shape:
    if isinstance(value, dict):
        return Shape("object", {name: _shape(each) for name, each in value.items()})
    if isinstance(value, list):
        return Shape("array", element=reduce(_both, map(_shape, value)) if value else None)
    return OTHER


def _both(one: Shape, other: Shape) -> Shape:
    """Return what either may have; JSONata reads one value and an array of it alike."""
    if "array" in (one.kind, other.kind):
        parts = [each.element if each.kind == "array" else each for each in (one, other)]
        known = [each for each in parts if each is not None]
        return Shape("array", element=reduce(_both, known) if known else None)
    if one.kind == other.kind == "object":
        fields = dict(one.fields)
        for name, shape in other.fields.items():
            fields[name] = _both(fields[name], shape) if name in fields else shape
        return Shape("object", fields)
    return one if one.kind == "object" else other
