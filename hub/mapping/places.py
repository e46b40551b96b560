"""Turns a host function's refusal into a `Rejected` that says where in the source the value stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from canonical.errors import Rejected
from hub.mapping.refused import Refused

_MOST_LEAVES = 100_000
_INDEX = re.compile(r"\[\d+\]")


def as_rejected(refused: Refused, name: str, source: Any) -> Rejected:
    """The error for the outside, at ``<mapping file>: <path in the source>`` where that is known."""
    place = refused.where
    if not place:
        inside = place_of(refused.value, source)
        place = f"{name}: {inside}" if inside else name
    return Rejected(refused.code, place, refused.detail)


def place_of(value: object, source: Any) -> str:
    """The path of the first leaf that equals `value`; "" where it cannot be known.

    Mappings read lines in order, so among leaves of one kind (``PO1[0].PO104``, ``PO1[4].PO104``)
    the first one failed. Equal values in different fields leave the place unknown: a wrong place is
    worse than none.
    """
    if value is None or isinstance(value, bool | dict | list):
        return ""
    first = ""
    kinds: set[str] = set()
    for path, leaf in _leaves(source):
        if type(leaf) is type(value) and leaf == value:
            first = first or path
            kinds.add(_INDEX.sub("[]", path))
    return first if len(kinds) == 1 else ""


def _leaves(source: Any) -> Iterator[tuple[str, Any]]:
    stack: list[tuple[str, Any]] = [("", source)]
    for _ in range(_MOST_LEAVES):
        if not stack:
            return
        path, value = stack.pop()
        if isinstance(value, dict):
            inner = [(f"{path}.{key}" if path else str(key), item) for key, item in value.items()]
            stack.extend(reversed(inner))
        elif isinstance(value, list):
            stack.extend(
                (f"{path}[{index}]", value[index]) for index in range(len(value) - 1, -1, -1)
            )
        else:
            yield path, value
