"""Inbound sources: what a connector says that its system sends, and what worked cases show of it.

Rule E1: a path that the source does not have, and no worked case either. Rule W6, where no connector
says what the source has: a path that no worked case has; it may be a slip of the pen, or a part of
the format that no case shows. Formats name elements by their place (X12 ``BEG03``, EDIFACT ``FTX0402``):
another element of a segment that the cases have is taken for right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce

from connectors.base import Json
from hub.mapping.lint.finding import Spotted, did_you_mean
from hub.mapping.lint.schema import Shape
from hub.mapping.lint.shapes import both, declared, shape_of_value
from hub.mapping.lint.source import SourcePaths
from hub.mapping.lint.tree import Node

_NAMED = re.compile(r"[A-Z][A-Z0-9]{1,2}(\d{2}|\d{4}|_loop|_group)", re.ASCII)
"""What only EDI names so: an element, a loop, a group."""
_ELEMENT = re.compile(r"([A-Z][A-Z0-9]{1,2})(\d{2}|\d{4})", re.ASCII)
"""An element by its segment and place."""


def source_findings(tree: Node, fields: Json | None, sources: Sequence[Json]) -> Iterator[Spotted]:
    """Every path of an inbound mapping that is not there, or not to be seen.

    Args:
        tree: the mapping.
        fields: what the source may hold, as `connectors.fields` says; None: nobody says.
        sources: what worked cases map; without any, nothing is warned about.
    """
    shown = reduce(both, map(shape_of_value, sources)) if sources else None
    if fields is not None:
        known = declared(fields)
        yield from _Unknown(both(known, shown) if shown else known, known).findings(tree)
    elif shown is not None:
        yield from _Unseen(shown).findings(tree)


def unseen(tree: Node, sources: Sequence[Json]) -> set[str]:
    """Names that a mapping reads where no source has them."""
    if not sources:
        return set()
    walk = _Unseen(reduce(both, map(shape_of_value, sources)))
    ats = {spotted.at for spotted in walk.findings(tree)}
    return {str(node.value) for node in tree.walk() if node.kind == "name" and node.at in ats}


class _Unknown(SourcePaths):
    """The walk through what there may be."""

    def __init__(self, root: Shape, declared_root: Shape) -> None:
        super().__init__(root)
        self._names = frozenset(_names(declared_root, set()))

    def anywhere(self, step: Node) -> Spotted | None:
        """Say so where the name is one of EDI, and the guides have it nowhere."""
        name = str(step.value)
        if name in self._names or not _NAMED.fullmatch(name):
            return None
        guess = did_you_mean(name, self._names)
        return Spotted("E1", step.at, f"the document has no {name} anywhere{guess}")


def _names(shape: Shape, passed: set[int]) -> Iterator[str]:
    """All names in a shape, which may hold itself."""
    if id(shape) not in passed:
        passed.add(id(shape))
        yield from shape.fields
        for each in shape.fields.values():
            yield from _names(each, passed)


class _Unseen(SourcePaths):
    """The same walk, through what the cases have."""

    def unknown(self, step: Node, known: Mapping[str, Shape]) -> Spotted | None:
        """Say that no case has a field, unless it is an element beside others."""
        name = str(step.value)
        element = _ELEMENT.fullmatch(name)
        if element is not None:
            beside = (_ELEMENT.fullmatch(each) for each in known)
            if any(each and each[1] == element[1] for each in beside):
                return None
        return Spotted("W6", step.at, f"no worked case has {name} here{did_you_mean(name, known)}")
