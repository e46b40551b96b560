"""Rules about single expressions: E10, W1, W2, W4, W5."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hub.mapping.lint.finding import Spotted
from hub.mapping.lint.signatures import BINDINGS
from hub.mapping.lint.tree import Node

_LOOK_AROUND = re.compile(r"\(\?(?:=|!|<=|<!)")
_BACK_REFERENCE = re.compile(r"(?<!\\)(?:\\\\)*\\(?:[1-9]|k<)")
_COMPARISONS = frozenset({"=", "!=", "<", ">", "<=", ">="})
_INDEX = frozenset({"number", "variable", "negate"})
"""Filters that pick by position rather than search."""

Guards = frozenset[tuple[str, ...]]


def habit_findings(root: Node) -> Iterator[Spotted]:
    """Everything that can be seen in one expression."""
    for node in root.walk():
        if node.kind == "regex":
            yield from _regex(node)
        elif node.kind in ("wildcard", "descendant"):
            yield Spotted("W4", node.at, "a wildcard: its cost depends on the document")
        elif node.kind == "path":
            yield from _search(node)
        elif node.kind == "binary" and node.value in _COMPARISONS:
            yield from _comparison(node)
        elif node.kind == "bind" and node.items[0].kind == "lambda":
            yield from _recursion(node)
    yield from _concatenations(root, frozenset())


def _regex(node: Node) -> Iterator[Spotted]:
    for pattern, what in ((_LOOK_AROUND, "look-around"), (_BACK_REFERENCE, "a back-reference")):
        if pattern.search(node.value):
            yield Spotted("E10", node.at, f"the engine has no {what} in regular expressions")


def _search(node: Node) -> Iterator[Spotted]:
    first = node.items[0]
    if first.kind != "variable" or first.value not in BINDINGS:
        return
    for step in node.items:
        for each in step.filters:
            if each.kind not in _INDEX:
                yield Spotted("W1", each.at, "a list searched by a filter; use $code or $lookup")


def _comparison(node: Node) -> Iterator[Spotted]:
    kinds = {item.kind for item in node.items}
    if kinds == {"path", "number"}:
        yield Spotted("W2", node.at, "a number: sources have text, and text equals no number")


def _recursion(node: Node) -> Iterator[Spotted]:
    inner = _use_of(node.value, node.items[0])
    if inner is not None:
        yield Spotted("W4", inner.at, f"${node.value} calls itself")


def _use_of(name: str, node: Node) -> Node | None:
    if node.kind == "lambda" and name in node.value:  # its own parameter of that name
        return None
    if node.kind in ("call", "variable") and node.value == name:
        return node
    return next(filter(None, (_use_of(name, child) for child in node.children())), None)


def _concatenations(node: Node, guards: Guards) -> Iterator[Spotted]:
    """``&`` with a path that no condition around it has tested."""
    if node.kind == "condition":
        tested = guards | {
            _names(each) for each in node.items[0].walk() if each.kind in ("path", "variable")
        }
        yield from _concatenations(node.items[0], guards)
        yield from _concatenations(node.items[1], tested)
        for other in node.items[2:]:
            yield from _concatenations(other, guards)
        return
    if node.kind == "binary" and node.value == "&":
        for item in node.items:
            if item.kind == "path" and _names(item) not in guards:
                message = "an absent path counts as empty text; test it first"
                yield Spotted("W5", item.at, message)
    for child in node.children():
        yield from _concatenations(child, guards)


def _names(node: Node) -> tuple[str, ...]:
    if node.kind == "path":
        return tuple(f"{step.kind}:{step.value}" for step in node.items)
    return (f"{node.kind}:{node.value}",)
