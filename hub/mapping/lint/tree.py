"""The syntax tree of a mapping: jsonata-python's parser, put into one small node type of ours.

The parser's own tree is no API; only this file knows it.

What `items` of a node are, by `kind`:

=============  ==================================================================
path           its steps, each of them any kind; a plain step is a ``name``
array          its elements
object         key, value, key, value ...
negate         the operand
binary         left, right; `value` is the operator
bind           what is bound; `value` is the variable's name
block          its expressions; the last one is the value
condition      test, then and, if there is one, else
lambda         the body; `value` is the parameters' names
call           the arguments; `value` is the function's name, None for a computed one
apply          left and right of ``~>``
sort           the terms
transform      pattern, update and, if there is one, delete
name, string, number, value, regex, variable, wildcard, descendant, parent, missing
               none; `value` is the name, the literal, the pattern
=============  ==================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from jsonata.jexception import JException
from jsonata.jsonata import Jsonata


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One node; compared by identity."""

    kind: str
    at: int
    """Its offset in the text: where its own token begins, as far as the parser tells."""
    value: Any = None
    items: tuple[Node, ...] = ()
    filters: tuple[Node, ...] = ()
    """What stands in ``[ ]`` behind it."""
    names: tuple[str, ...] = ()
    """Variables that it binds: ``@$v`` and ``#$i``."""
    group: Node | None = None
    """The object of a group-by behind it."""
    wrapped: bool = False
    """``[]`` stands behind it: it always gives an array."""

    def children(self) -> Iterator[Node]:
        """All nodes directly inside."""
        yield from self.items
        yield from self.filters
        if self.group is not None:
            yield self.group

    def walk(self) -> Iterator[Node]:
        """The node and all nodes inside."""
        yield self
        for child in self.children():
            yield from child.walk()


def parse(text: str) -> Node:
    """Parse an expression.

    Raises:
        SyntaxError: with `offset` (in characters from 0) and the parser's code as message.

    """
    try:
        tree: Any = Jsonata(text).ast
    except JException as error:
        problem = SyntaxError(error.error)
        problem.offset = error.location
        raise problem from None
    return _node(tree)


def _node(symbol: Any) -> Node:
    while symbol.type == "lambda" and symbol.thunk:  # put in for tail calls
        symbol = symbol.body
    kind, value, items = _KINDS.get(symbol.type, _leaf)(symbol)
    filters = [s for s in (*(symbol.predicate or ()), *(symbol.stages or ())) if s.type == "filter"]
    indexes = [s.value for s in symbol.stages or () if s.type == "index"]
    names = [name for name in (symbol.focus, symbol.index, *indexes) if isinstance(name, str)]
    inner = tuple(map(_node, items))
    at = _offset(symbol, kind, value)
    return Node(
        kind,
        at or min((child.at for child in inner), default=0),  # object literals have no position
        value,
        inner,
        tuple(_node(each.expr) for each in filters),
        tuple(names),
        _group(symbol),
        bool(symbol.keep_array or symbol.keep_singleton_array),
    )


def _group(symbol: Any) -> Node | None:
    if symbol.group is None:
        return None
    return Node("object", symbol.group.position, None, _pairs(symbol.group.lhs_object))


def _pairs(pairs: Any) -> tuple[Node, ...]:
    return tuple(_node(each) for pair in pairs for each in pair)


def _offset(symbol: Any, kind: str, value: Any) -> int:
    """The parser's positions are where a token ends."""
    end = int(symbol.position)
    if kind in _AROUND and isinstance(value, str):
        return max(0, end - len(value) - _AROUND[kind])
    if kind == "path" and symbol.steps:
        first = symbol.steps[0]
        return _offset(first, str(first.type), first.value)
    if kind == "call" and isinstance(value, str):
        return max(0, end - len(value) - 2)
    return max(0, end - 1)


_AROUND = {"name": 0, "variable": 1, "string": 2}
"""Characters of a token beside its value: the dollar sign, the quotes."""
_Parts = tuple[str, Any, list[Any]]


def _leaf(symbol: Any) -> _Parts:
    kind = symbol.type if symbol.type in _LEAVES else "missing"
    value = symbol.value.pattern if kind == "regex" else symbol.value
    return kind, value, []


def _unary(symbol: Any) -> _Parts:
    if symbol.value == "[":
        return "array", None, symbol.expressions
    if symbol.value == "{":
        return "object", None, [each for pair in symbol.lhs_object for each in pair]
    return "negate", None, [symbol.expression]


def _call(symbol: Any) -> _Parts:
    target = symbol.procedure
    if target.type == "variable":
        return "call", target.value, symbol.arguments
    return "call", None, [target, *symbol.arguments]


def _condition(symbol: Any) -> _Parts:
    branches = [symbol.condition, symbol.then, symbol._else]  # noqa: SLF001
    return "condition", None, [branch for branch in branches if branch is not None]


def _transform(symbol: Any) -> _Parts:
    parts = [symbol.pattern, symbol.update, symbol.delete]
    return "transform", None, [part for part in parts if part is not None]


_LEAVES = {
    "name", "string", "number", "value", "regex", "variable", "wildcard", "descendant", "parent",
}  # fmt: skip
_KINDS: dict[str, Callable[[Any], _Parts]] = {
    "path": lambda s: ("path", None, s.steps),
    "unary": _unary,
    "binary": lambda s: ("binary", s.value, [s.lhs, s.rhs]),
    "bind": lambda s: ("bind", s.lhs.value, [s.rhs]),
    "block": lambda s: ("block", None, s.expressions),
    "condition": _condition,
    "lambda": lambda s: ("lambda", tuple(a.value for a in s.arguments), [s.body]),
    "function": _call,
    "partial": _call,
    "apply": lambda s: ("apply", None, [s.lhs, s.rhs]),
    "sort": lambda s: ("sort", None, [term.expression for term in s.terms]),
    "transform": _transform,
}
