"""Rule E6: where binary floating point is on its way into a decimal."""

from __future__ import annotations

from collections.abc import Iterator

from hub.mapping.lint.finding import Spotted
from hub.mapping.lint.made import Scope
from hub.mapping.lint.signatures import ARITHMETIC, FLOATS
from hub.mapping.lint.tree import Node

_SCALES = {"dec_div": 2, "dec_round": 1, "dec_implied": 1}
"""Which argument of a decimal function is a number of decimals."""
_DECIMAL_FIELDS = frozenset({"amount", "per", "value"})
"""What the vocabulary calls its decimals (`canonical.money`, `canonical.quantity`)."""
_DEEPEST = 24


def first_float(node: Node, scope: Scope, depth: int = 0) -> Node | None:
    """The first thing that makes this value a binary float; None where nothing does."""
    if depth > _DEEPEST:
        return None
    if node.kind == "number" or _computes(node):
        return node
    if node.kind == "call" and str(node.value).startswith("dec"):
        return _in_decimal_call(node, scope, depth)
    if node.kind == "variable" and node.value in scope.names:
        return first_float(*scope.names[node.value], depth + 1)
    inner: tuple[Node, ...] = ()
    if node.kind == "condition":
        inner = node.items[1:]
    elif node.kind in ("block", "path"):
        inner = node.items[-1:]
    elif node.kind in ("call", "apply", "array") or (node.kind == "binary" and node.value == "&"):
        inner = node.items
    return next(filter(None, (first_float(each, scope, depth + 1) for each in inner)), None)


def _computes(node: Node) -> bool:
    if node.kind == "negate" or (node.kind == "binary" and node.value in ARITHMETIC):
        return True
    return node.kind == "call" and node.value in FLOATS


def _in_decimal_call(node: Node, scope: Scope, depth: int) -> Node | None:
    """Decimal functions take whole numbers that the mapping wrote itself, and a scale."""
    for index, argument in enumerate(node.items):
        if index == _SCALES.get(str(node.value)) or _is_whole(argument):
            continue
        found = first_float(argument, scope, depth + 1)
        if found is not None:
            return found
    return None


def _is_whole(node: Node) -> bool:
    return node.kind == "number" and type(node.value) is int


def float_findings(root: Node) -> Iterator[Spotted]:
    """Floats in the arguments of decimal functions, and arithmetic on the vocabulary's decimals."""
    for node in root.walk():
        if node.kind == "call" and str(node.value).startswith("dec"):
            bad = _in_decimal_call(node, Scope(), 0)
            if bad is not None:
                yield Spotted("E6", bad.at, f"binary floating point on its way into ${node.value}")
        elif _computes(node):
            for inner in node.walk():
                if inner.kind == "path" and inner.items[-1].value in _DECIMAL_FIELDS:
                    message = "binary floating point on a decimal; use $dec functions"
                    yield Spotted("E6", node.at, message)
                    break
