"""Rules about functions and variables: E7, E8, E11, E12, W3."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hub.mapping.codes import LISTS
from hub.mapping.dates import PICTURES
from hub.mapping.lint.finding import Spotted, did_you_mean
from hub.mapping.lint.signatures import BINDINGS, BUILT_IN, HOST
from hub.mapping.lint.tree import Node

_REFUSED = frozenset({"eval", "millis", "now", "random"})
_VANISHING = frozenset({"fromMillis", "toMillis"})
_MOST_PADDING = 4096
_CONTEXT = frozenset({"", "$"})
"""``$`` and ``$$``: the context and the whole input."""

Names = Mapping[str, int | None]
"""Variables in scope -> the number of parameters, where they are functions of the mapping's own."""


def call_findings(root: Node) -> Iterator[Spotted]:
    """Everything that is wrong with calls and variables."""
    yield from _visit(root, dict.fromkeys(BINDINGS))


def _visit(node: Node, names: Names) -> Iterator[Spotted]:
    if node.kind == "block":
        yield from _block(node, names)
        return
    if node.kind == "variable":
        yield from _variable(node, names)
    elif node.kind == "call":
        yield from _call(node, names, 0)
    inner = {**names, **dict.fromkeys(node.value)} if node.kind == "lambda" else dict(names)
    if node.kind == "apply" and node.items[1].kind == "call":
        yield from _visit(node.items[0], inner)
        yield from _call(node.items[1], inner, 1)
        for argument in node.items[1].items:
            yield from _visit(argument, inner)
        return
    for child in node.children():
        # A path's steps see the variables that the steps before them bind.
        inner |= dict.fromkeys(child.names)
        yield from _visit(child, inner)


def _block(node: Node, names: Names) -> Iterator[Spotted]:
    # All names from the start: functions see what is bound behind them before they are called.
    inner = dict(names)
    for item in node.items:
        if item.kind == "bind":
            bound = item.items[0]
            inner[item.value] = len(bound.value) if bound.kind == "lambda" else None
    for child in node.children():
        yield from _visit(child, inner)


def _variable(node: Node, names: Names) -> Iterator[Spotted]:
    name = node.value
    if name not in names and name not in BUILT_IN and name not in HOST and name not in _CONTEXT:
        guess = did_you_mean(f"${name}", (f"${known}" for known in names))
        yield Spotted("E8", node.at, f"nothing is bound to ${name}{guess}")


def _call(node: Node, names: Names, piped: int) -> Iterator[Spotted]:
    name = node.value
    if name is None or (name in names and names[name] is None):
        return
    own = names.get(name)
    arity = (0, own) if own is not None else HOST.get(name) or BUILT_IN.get(name)
    if arity is None:
        known = (f"${each}" for each in (*HOST, *BUILT_IN, *names))
        guess = did_you_mean(f"${name}", known)
        yield Spotted("E8", node.at, f"there is no function ${name}{guess}")
        return
    given = len(node.items) + piped
    if not arity[0] <= given <= arity[1]:
        expected = f"{arity[0]} to {arity[1]}" if arity[0] != arity[1] else str(arity[0])
        yield Spotted("E8", node.at, f"${name} takes {expected} arguments, not {given}")
    if not piped:
        yield from _arguments(node)


def _arguments(node: Node) -> Iterator[Spotted]:
    name = node.value
    if name in _REFUSED:
        yield Spotted("E7", node.at, f"${name} is refused: it is not repeatable, or not safe")
    elif name in _VANISHING:
        yield Spotted("W3", node.at, f"${name} gives nothing on failure; use $parse_date")
    elif name == "pad":
        width = node.items[1] if len(node.items) > 1 else None
        if width is None or width.kind != "number" or abs(width.value) > _MOST_PADDING:
            yield Spotted("E7", node.at, f"$pad needs a literal width up to {_MOST_PADDING}")
    elif name == "fail":
        yield from _fail(node)
    elif name == "code":
        yield from _one_of(node, 0, LISTS, "code list")
    elif name == "parse_date":
        yield from _one_of(node, 1, PICTURES, "picture")


def _fail(node: Node) -> Iterator[Spotted]:
    for index, part in ((0, "code"), (2, "detail")):
        if len(node.items) > index and node.items[index].kind != "string":
            message = f"the {part} of $fail is computed and could carry data; write a literal"
            yield Spotted("E11", node.items[index].at, message)


def _one_of(node: Node, index: int, known: frozenset[str], what: str) -> Iterator[Spotted]:
    if len(node.items) <= index or node.items[index].kind != "string":
        return
    value = node.items[index].value
    if value not in known:
        guess = did_you_mean(value, known)
        yield Spotted("E12", node.items[index].at, f"there is no {what} {value}{guess}")
