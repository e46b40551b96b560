"""What a mapping makes, seen without running it: the alternatives that an expression may give.

Blocks, variables, branches, the mapping's own functions and ``$merge`` are followed to the object
and array literals behind them; whatever cannot be followed is an alternative of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from hub.mapping.lint.tree import Node

_DEEPEST = 24
"""Functions that call themselves end here."""


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """What is bound where an expression stands, and the path of its context from the top."""

    names: Mapping[str, tuple[Node, Scope]] = field(default_factory=dict)
    context: tuple[str, ...] | None = ()
    """None: not known."""

    def bind(self, name: str, node: Node, scope: Scope) -> Scope:
        """The same with one more name."""
        return Scope({**self.names, name: (node, scope)}, self.context)

    def inside(self, context: tuple[str, ...] | None) -> Scope:
        """The same for another context."""
        return Scope(self.names, context)


@dataclass(frozen=True, slots=True, eq=False)
class Option:
    """One thing that an expression may give; `node` is None for nothing at all."""

    node: Node | None
    scope: Scope
    always_array: bool = False


def options(node: Node, scope: Scope, depth: int = 0) -> Iterator[Option]:
    """All that an expression may give."""
    if depth > _DEEPEST:
        yield Option(node, scope)
        return
    follow = _FOLLOWED.get(node.kind)
    found = None if node.filters or follow is None else follow(node, scope, depth + 1)
    if found is None:
        yield Option(node, scope, node.wrapped or node.kind == "array")
        return
    for option in found:
        yield Option(option.node, option.scope, option.always_array or node.wrapped)


def _block(node: Node, scope: Scope, depth: int) -> Iterator[Option]:
    for item in node.items[:-1]:
        if item.kind == "bind":
            scope = scope.bind(item.value, item.items[0], scope)
    if not node.items:
        return iter((Option(None, scope),))
    return options(node.items[-1], scope, depth)


def _bind(node: Node, scope: Scope, depth: int) -> Iterator[Option]:
    return options(node.items[0], scope, depth)


def _condition(node: Node, scope: Scope, depth: int) -> Iterator[Option]:
    for branch in node.items[1:]:
        yield from options(branch, scope, depth)
    if len(node.items) == 2:  # noqa: PLR2004  # test and then: without else it may give nothing
        yield Option(None, scope)


def _variable(node: Node, scope: Scope, depth: int) -> Iterator[Option] | None:
    bound = scope.names.get(node.value)
    return None if bound is None else options(*bound, depth)


def _call(node: Node, scope: Scope, depth: int) -> Iterator[Option] | None:
    bound = scope.names.get(node.value)
    if bound is None or bound[0].kind != "lambda":
        return None
    function, inner = bound
    inner = inner.bind(str(node.value), function, bound[1])  # it may call itself
    for parameter, argument in zip(function.value, node.items, strict=False):
        inner = inner.bind(parameter, argument, scope)
    found = options(function.items[0], inner.inside(scope.context), depth)
    # A function that may give nothing is its author's way to say "if it is there": no finding.
    return (option for option in found if option.node is not None)


def _path(node: Node, scope: Scope, depth: int) -> Iterator[Option] | None:
    """A path gives what its last step gives, for each element of the steps before it."""
    last = node.items[-1]
    if last.kind in ("name", "wildcard", "descendant", "parent", "sort"):
        return None
    return options(last, scope.inside(steps(node, scope)), depth)


_FOLLOWED = {
    "block": _block,
    "bind": _bind,
    "condition": _condition,
    "variable": _variable,
    "call": _call,
    "path": _path,
}


def steps(node: Node, scope: Scope) -> tuple[str, ...] | None:
    """The names on a path's way from the top, up to the first step that is no name."""
    if node.kind == "variable":
        return _start(node, scope)
    if node.kind != "path":
        return None
    first, *rest = node.items
    way = _start(first, scope)
    for step in rest:
        if way is None or step.kind != "name":
            return way
        way = (*way, str(step.value))
    return way


def _start(node: Node, scope: Scope) -> tuple[str, ...] | None:
    if node.kind == "name":
        return None if scope.context is None else (*scope.context, str(node.value))
    if node.kind != "variable":
        return None
    if node.value == "":
        return scope.context
    if node.value == "$":
        return ()
    bound = scope.names.get(node.value)
    return None if bound is None else steps(*bound)
